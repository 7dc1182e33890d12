"""What is known beyond traffic: the operator's word, verdicts, campaigns, indicators, and fsck of them.

Verdicts are written into knowledge.db as docs/format/knowledge.md says, so that these tests need no traffic.
"""
import json
import os
import signal
import socket
import sqlite3
import time

import asking
import lib

STEP = 472224  # 2023-11-14 24:00 UTC
SECONDS = STEP * 3600


def database(tmp):
    """A database with nothing in it but its manifest."""
    empty = tmp / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    lib.dnsmon("ingest", "--db", tmp / "db", empty)
    return tmp / "db"


def say(db, *words, **keywords):
    return lib.dnsmon(*words, "--db", db, **{"env": {"USER": "ann", "SUDO_USER": ""}, **keywords})


def lines(db, *words):
    return [json.loads(line) for line in say(db, *words).stdout.splitlines()]


def verdict(connection, name, level, score, step, previous=None, campaign=None):
    row = connection.execute(
        "INSERT INTO verdict (name, scope, level, score, decided_at, known_at, campaign, reason, previous)"
        " VALUES (?, 'domain', ?, ?, ?, ?, ?, '{}', ?)", (name, level, score, step, SECONDS, campaign, previous)).lastrowid
    connection.execute("INSERT INTO current_verdict VALUES (?, 'domain', ?, ?) ON CONFLICT DO UPDATE SET"
                       " verdict = excluded.verdict, level = excluded.level", (name, row, level))
    return row


def evidence(connection, name, detector, weight, step):
    row = connection.execute(
        "INSERT INTO evidence (name, scope, detector, grp, step, known_at, weight, summary, facts)"
        " VALUES (?, 'domain', ?, 'rhythm', ?, ?, ?, 'jede Stunde, \u00fcber Wochen', '{}')",
        (name, detector, step, SECONDS, weight)).lastrowid
    connection.execute("INSERT INTO standing VALUES (?, 'domain', ?, ?)", (name, detector, row))


def filled(tmp):
    db = database(tmp)
    say(db, "allow", "example.org", "--reason", "ours")  # which makes knowledge.db
    with sqlite3.connect(db / "knowledge.db") as c:
        c.execute("INSERT INTO campaign (id, identity, born, title) VALUES (1, 'c-1', ?, 'two names')", (STEP,))
        for name in "a.example", "b.example":
            c.execute("INSERT INTO campaign_member VALUES (1, ?, ?, NULL, 'same clients')", (name, STEP))
        verdict(c, "a.example", "high_risk", .9, STEP, verdict(c, "a.example", "watch", .4, STEP - 10), 1)
        verdict(c, "b.example", "malicious", .95, STEP, None, 1)
        verdict(c, "c.example", "benign", .01, STEP)
        evidence(c, "a.example", "curve", 1.5, STEP - 2)
        evidence(c, "a.example", "beat", 2, STEP - 20)
        for n, state in enumerate(["active", "expired"]):
            name = "ab"[n] + ".example"
            c.execute("INSERT INTO indicator VALUES (?, 'domain', 'high_risk', .9, '[\"c2\", \"miner\"]', 'skid,map', 1, ?, ?, ?, ?, '')",
                      (name, SECONDS - 99, STEP, SECONDS + 99, state))
            c.execute("INSERT INTO indicator_change (at, name, scope, was, now, author, reason)"
                      " VALUES (?, ?, 'domain', NULL, ?, 'dnsmon', '')", (SECONDS, name, state))
    c.close()
    assert "clean" in lib.dnsmon("fsck", "--db", db).stdout
    return db


def test_before_anything_is_known(tmp):
    db = database(tmp)
    for words in ["verdicts"], ["campaigns"], ["indicators"], ["audit"], ["allow", "--list"], ["block", "--list"]:
        done = say(db, *words)
        assert done.stdout == "" and done.stderr == "", words
    assert say(db, "indicators", "--format", "csv").stdout.startswith("name,scope,")
    assert not (db / "knowledge.db").exists()
    assert "clean" in lib.dnsmon("fsck", "--db", db).stdout
    for words in ["verdicts"], ["campaigns"], ["indicators"], ["allow", "--list"], ["allow", "a.example", "--reason", "x"]:
        done = say(tmp / "none", *words, check=False)
        assert done.returncode == 1 and "none" in done.stderr and not (tmp / "none").exists(), words


def test_the_operators_word(tmp):
    db = database(tmp)
    say(db, "block", "WWW.Example.com.", "--reason", "seen in a report")
    say(db, "allow", "shop.example.com", "--scope", "host", "--until", "+30d", "--reason", 'our "shop"')
    said = lines(db, "block", "--list")
    assert [(d["name"], d["scope"], d["author"], d["reason"], d["until"]) for d in said] == \
        [("www.example.com", "domain", "ann", "seen in a report", None)], said
    said = lines(db, "allow", "--list")
    assert said[0]["until"] - said[0]["at"] == 30 * 86400 and said[0]["reason"] == 'our "shop"', said
    say(db, "allow", "www.example.com", "--reason", "it was ours", env={"USER": "root", "SUDO_USER": "bob"})
    assert lines(db, "block", "--list") == []
    assert [d["author"] for d in lines(db, "allow", "--list")] == ["ann", "bob"]
    say(db, "allow", "www.example.com", "--revoke")
    assert say(db, "allow", "www.example.com", "--revoke", check=False).returncode == 1
    assert [d["name"] for d in lines(db, "allow", "--list")] == ["shop.example.com"]
    with sqlite3.connect(db / "knowledge.db") as c:
        audit = c.execute("SELECT author, action, subject FROM audit ORDER BY id").fetchall()
    c.close()
    assert audit == [("ann", "block", "domain www.example.com"), ("ann", "allow", "host shop.example.com"),
                     ("bob", "revoke", "domain www.example.com"), ("bob", "allow", "domain www.example.com"),
                     ("ann", "revoke", "domain www.example.com")], audit
    assert [(row["author"], row["action"], row["subject"]) for row in lines(db, "audit")] == audit
    head, first, *_ = say(db, "audit", "--table").stdout.splitlines()
    assert head.startswith("at (UTC)") and first.split(None, 3)[2:] == ["ann", "block            domain www.example.com: seen in a report"], first
    assert os.stat(db / "knowledge.db").st_mode & 0o777 == 0o600
    assert "clean" in lib.dnsmon("fsck", "--db", db).stdout


def test_words_take_effect_at_once(tmp):
    """Without an analysis: what is blocked by hand is an indicator, what is allowed is none, nor anything below it."""
    db = database(tmp)
    level = lambda: {v["name"]: v["level"] for v in lines(db, "verdicts", "--level", "benign")}
    states = lambda: {i["name"]: i["level"] for i in lines(db, "indicators")}
    say(db, "block", "a.example.com", "--reason", "seen in a report")
    say(db, "block", "b.example.com", "--scope", "host", "--reason", "seen in a report")
    say(db, "block", "xexample.com", "--reason", "another owner")
    assert states() == dict.fromkeys(["a.example.com", "b.example.com", "xexample.com"], "malicious"), states()
    assert "blocked by the operator" in lib.dnsmon("explain", "--db", db, "a.example.com").stdout
    say(db, "allow", "example.com", "--reason", "a customer of ours")
    assert states() == {"xexample.com": "malicious"}, states()
    assert level() == {"a.example.com": "benign", "b.example.com": "benign", "xexample.com": "malicious"}, level()
    say(db, "block", "--revoke", "xexample.com")
    assert states() == {} and level()["xexample.com"] == "benign"
    say(db, "object", "c.example.com", "--reason", "our own updater")
    assert [d["name"] for d in lines(db, "object", "--list")] == ["c.example.com"] and states() == {}
    assert "clean" in lib.dnsmon("fsck", "--db", db).stdout


def test_words_that_are_refused(tmp):
    db = database(tmp)
    for words, told in [
        (["allow", "co.uk", "--reason", "x"], "public suffix"),
        (["block", "com", "--reason", "x"], "public suffix"),
        (["block", "a..b", "--reason", "x"], "not a domain name"),
        (["block", ".", "--reason", "x"], "not a domain name"),
        (["block", "a.example"], "--reason"),
        (["block", "a.example", "--reason", ""], "--reason"),
        (["block", "a.example", "--reason", "two\nlines"], "--reason"),
        (["block", "--reason", "x"], "NAME"),
        (["block", "a.example", "--reason", "x", "--until", "-7d"], "passed"),
        (["block", "a.example", "--reason", "x", "--scope", "all"], "--scope"),
        (["verdicts", "--level", "evil"], "--level"),
        (["verdicts", "--follow", "--as-of", "-7d"], "one of --history"),
        (["indicators", "--format", "xml"], "--format"),
    ]:
        done = say(db, *words, check=False)
        assert done.returncode == 2 and told in done.stderr and not done.stdout, (words, done.returncode, done.stderr)
    assert not (db / "knowledge.db").exists()
    say(db, "block", "co.uk", "--scope", "host", "--reason", "the host alone")


def test_verdicts(tmp):
    db = filled(tmp)
    said = lines(db, "verdicts", "--json")
    assert [(v["name"], v["level"]) for v in said] == [("b.example", "malicious"), ("a.example", "high_risk")], said
    assert said[1] == {
        "name": "a.example", "scope": "domain", "level": "high_risk", "score": 0.9, "categories": ["c2", "miner"],
        "family": "skid,map", "campaign": "c-1", "first_seen": SECONDS - 99, "decided_at": SECONDS, "valid_until": SECONDS + 99,
        "evidence": [{"detector": d, "group": "rhythm", "weight": w, "summary": "jede Stunde, \u00fcber Wochen"}
                     for d, w in (("beat", 2), ("curve", 1.5))]}, said[1]
    assert [v["name"] for v in lines(db, "verdicts", "--level", "malicious")] == ["b.example"]
    assert len(lines(db, "verdicts", "--level", "benign")) == 3
    then = lines(db, "verdicts", "--as-of", SECONDS - 5 * 3600)
    assert [(v["name"], v["level"], v["family"], [e["detector"] for e in v["evidence"]]) for v in then] == \
        [("a.example", "watch", "", ["beat"])], then
    assert lines(db, "verdicts", "--as-of", "1970-01-01") == []


def test_campaigns_and_indicators(tmp):
    db = filled(tmp)
    said = lines(db, "campaigns")
    assert [(c["campaign"], c["born"], [m["name"] for m in c["members"]]) for c in said] == \
        [("c-1", SECONDS, ["a.example", "b.example"])], said
    assert lines(db, "campaigns", "--as-of", SECONDS - 3600) == []
    said = lines(db, "indicators")
    assert [i["name"] for i in said] == ["a.example"] and said == lines(db, "verdicts", "--level", "high_risk")[1:], said
    assert say(db, "indicators", "--format", "csv").stdout.splitlines()[1] == \
        f'a.example,domain,high_risk,0.9,c2;miner,"skid,map",c-1,{SECONDS - 99},{SECONDS},{SECONDS + 99},beat=2;curve=1.5'


def test_follow(tmp):
    db = filled(tmp)
    log = tmp / "follow.log"
    every = lib.start(lib.dnsmon_path(), "verdicts", "--follow", "--db", db, log=log)
    high = lib.start(lib.dnsmon_path(), "verdicts", "--follow", "--level", "high_risk", "--db", db, log=tmp / "high.log")
    lib.wait_until(lambda: all("knowledge.db" in " ".join(os.readlink(f) for f in files(p)) for p in (every, high)),
                   what="both to have it open")
    time.sleep(0.3 * lib.SLOWER)  # to have asked for the last id
    with sqlite3.connect(db / "knowledge.db") as c:
        verdict(c, "d.example", "watch", .3, STEP + 1)
        verdict(c, "a.example", "benign", .1, STEP + 1, 2)
    c.close()
    for process, want in (every, ["d.example", "a.example"]), (high, ["a.example"]):
        lib.wait_until(lambda: process.output().count("\n") >= len(want), what=process.output())
        assert process.stop(signal.SIGINT) == 0
        assert [json.loads(line)["name"] for line in process.output().splitlines()] == want, process.output()


def test_times_are_of_the_name(tmp):
    """first_seen is the store's, in its scope; decided_at of an indicator is since when it holds, however often it was renewed."""
    db, asks = database(tmp), []
    for n, name in enumerate(["www.a.example", "old.c.example", "new.c.example"]):
        answer = lambda ident, name=name: asking.response(ident, name, 1, answers=[asking.record(name, 1, 60, bytes([192, 0, 2, 1]))])
        asks.append((SECONDS - 1000 + n, "10.0.0.1", name, 1, answer))
    (tmp / "suffixes").write_text("example\n")
    lib.dnsmon("ingest", "--db", db, "--public-suffixes", tmp / "suffixes", asking.capture(tmp / "asks.pcap", asks))
    say(db, "allow", "example.org", "--reason", "ours")
    with sqlite3.connect(db / "knowledge.db") as c:
        row = None
        for step, level in (STEP, "high_risk"), (STEP + 3, "suspicious"), (STEP + 5, "high_risk"), (STEP + 9, "malicious"):
            row = verdict(c, "a.example", level, .9, step, row)
        verdict(c, "gone.example", "watch", .1, STEP)
        for name, scope in ("a.example", "domain"), ("new.c.example", "host"):
            c.execute("INSERT INTO indicator VALUES (?, ?, 'high_risk', .9, '[]', '', NULL, 1, ?, ?, 'active', 'told by a friend')",
                      (name, scope, STEP + 12, SECONDS + 99))
    c.close()
    said = {i["name"]: (i["first_seen"], i["decided_at"]) for i in lines(db, "indicators")}
    assert said == {"a.example": (SECONDS - 1000, SECONDS + 5 * 3600), "new.c.example": (SECONDS - 998, SECONDS + 12 * 3600)}, said
    said = {v["name"]: (v["first_seen"], v["decided_at"]) for v in lines(db, "verdicts")}
    assert said == {"a.example": (SECONDS - 1000, SECONDS + 9 * 3600), "gone.example": (None, SECONDS)}, said


def test_tables(tmp):
    db = filled(tmp)
    head, worst, second = say(db, "verdicts", "--table").stdout.splitlines()
    assert head.split() == ["level", "score", "decided", "(UTC)", "scope", "name", "campaign", "evidence"], head
    assert worst.split()[:2] == ["malicious", "0.950"] and second.endswith("a.example                       c-1  beat +2.0, curve +1.5"), (worst, second)
    head, row = say(db, "indicators", "--format", "table").stdout.splitlines()
    assert row.split()[:6] == ["high_risk", "0.900", "2023-11-15", "00:00", "2023-11-15", "00:01"] and row.endswith("beat +2.0, curve +1.5"), row
    head, row = say(db, "campaigns", "--table").stdout.splitlines()
    assert row.split() == ["2023-11-15", "00:00", "c-1", "2", "malicious", "a.example,", "b.example"], row
    members, = (campaign["members"] for campaign in lines(db, "campaigns"))
    assert [(m["name"], m["level"], m["why"]) for m in members] == \
        [("a.example", "high_risk", "same clients"), ("b.example", "malicious", "same clients")], members
    for words in ["verdicts", "--table", "--json"], ["verdicts", "--table", "--follow"], ["campaigns", "--table", "--json"]:
        assert say(db, *words, check=False).returncode == 2, words


def test_syslog(tmp):
    """In place of a system log, where there is none."""
    log = "/dev/log"
    if os.path.exists(log) or not os.access("/dev", os.W_OK):
        lib.skip(f"{log} is somebody else's")
    db = filled(tmp)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        try:
            listener.bind(log)
            process = lib.start(lib.dnsmon_path(), "verdicts", "--follow", "--syslog", "--db", db, log=tmp / "follow.log")
            lib.wait_until(lambda: "knowledge.db" in " ".join(os.readlink(f) for f in files(process)), what="it to have it open")
            time.sleep(0.3 * lib.SLOWER)
            with sqlite3.connect(db / "knowledge.db") as c:
                verdict(c, "d.example", "high_risk", .97, STEP + 1)
                verdict(c, "e.example", "watch", .1, STEP + 1)
            c.close()
            listener.settimeout(10)
            told = [listener.recv(65536).decode() for _ in range(2)]
            assert process.stop(signal.SIGINT) == 0
        finally:
            os.unlink(log)
    for line, name, level in zip(told, ("d.example", "e.example"), (28, 29)):  # daemon.warning, daemon.notice
        assert line.startswith(f"<{level}>") and "dnsmon[" in line, line
        said = json.loads(line[line.index("{"):])
        assert said["name"] == name and "evidence" not in said, said


def files(process):
    folder = f"/proc/{process.pid}/fd"
    return [f"{folder}/{n}" for n in os.listdir(folder) if os.path.lexists(f"{folder}/{n}")]


def test_a_damaged_file_is_told_and_left(tmp):
    db = filled(tmp)
    path = db / "knowledge.db"
    whole = path.read_bytes()
    page = whole.rindex(b"jede Stunde") & ~4095
    for what, damaged in [("truncated", whole[:5000]), ("empty", b""), ("text", b"x" * 5000),
                          ("a page of zeros", whole[:page] + bytes(4096) + whole[page + 4096:])]:
        path.write_bytes(damaged)
        done = lib.dnsmon("fsck", "--db", db, check=False)
        assert done.returncode == 1 and "knowledge.db" in done.stdout, (what, done.stdout, done.stderr)
        done = say(db, "verdicts", check=False)
        assert done.returncode == 1 and "knowledge.db" in done.stderr, (what, done.stderr)
        done = say(db, "stat", check=False)
        assert "watermark" in done.stdout and (done.returncode == 1) == ("knowledge.db" in done.stderr), (what, done)
        if "page" not in what:
            assert done.returncode == 1, (what, done)
            done = say(db, "block", "x.example", "--reason", "x", check=False)
            assert done.returncode == 1 and "knowledge.db" in done.stderr, (what, done.stderr)
            assert path.read_bytes() == damaged, what
    path.write_bytes(whole)
    capture = tmp / "empty.pcap"
    lib.dnsmon("ingest", "--db", db, capture)  # a writer of the store leaves it alone
    assert path.read_bytes() == whole
    with sqlite3.connect(path) as c:
        c.execute("DELETE FROM standing")
    c.close()
    done = lib.dnsmon("fsck", "--db", db, "--json", check=False)
    assert done.returncode == 1 and "standing lacks" in done.stdout, done.stdout
