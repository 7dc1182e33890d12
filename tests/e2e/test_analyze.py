"""dnsmon analyze: the ledger does not depend on when, how often, how fast or in what pieces; failures leave it whole."""
import atexit
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import asking
import ledger
import lib
import test_exactly_once as exactly

SCENARIO = lib.SOURCE / "tests/scenarios/steps.yaml"
START, HOUR, HOURS = 1709510400, 3600, 168  # of the scenario
INGEST = ["--activity", "--vantage", "client"]
_made = {}


def made():
    """Made once: the capture as packets, a database of it, and the ledger of one undisturbed run."""
    if not _made:
        folder = Path(tempfile.mkdtemp(prefix="dnsmon-e2e-analyze-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        lib.dnsmon("simulate", SCENARIO, "--write", folder / "steps.pcap")
        lib.dnsmon("ingest", "--db", folder / "db", *INGEST, folder / "steps.pcap")
        data = (folder / "steps.pcap").read_bytes()
        packets, at = [], 24
        while at < len(data):
            end = at + 16 + struct.unpack_from("<I", data, at + 8)[0]
            packets.append(data[at:end])
            at = end
        _made.update(folder=folder, db=folder / "db", head=data[:24], packets=packets)
        _made["ledger"] = ledger.parts(analysed(_made["db"], folder / "whole"))
        assert len(_made["ledger"]["evidence"]) > 200 and len(_made["ledger"]["verdict"]) > 20, "too little to compare"
        assert _made["ledger"]["member"], "no campaign to compare"
    return _made


def analyze(db, *words, **keywords):
    return lib.dnsmon("analyze", "--db", db, *words, **keywords)


def analysed(source, target, *words):
    shutil.copytree(source, target)
    analyze(target, *words)
    return target


def unanalysed(tmp, name="db"):
    return Path(shutil.copytree(made()["db"], tmp / name))


def same(db, what, truth=None):
    ledger.assert_same(truth or made()["ledger"], ledger.parts(db), what)


def holds(db):
    """What holds now, without when each row was written: evidence, verdicts above benign, memberships, indicators."""
    said = ledger.parts(db, "standing", "current", "member", "indicator")
    return {"standing": sorted((n, s, d, w) for n, s, d, _, w in said["standing"]),
            "current": sorted((n, s, level) for n, s, level, _ in said["current"] if level != "benign"),
            "member": said["member"], "indicator": [row for row in said["indicator"] if row[9] == "active"]}


def piece(tmp, name, packets):
    path = tmp / name
    path.write_bytes(made()["head"] + b"".join(packets))
    return path


def ingested(tmp, name, *pieces, words=()):
    """With the key of the database that it is compared with, since evidence names clients by it."""
    db = tmp / name
    db.mkdir()
    shutil.copy(made()["db"] / "client.key", db / "client.key")
    for path in pieces:
        lib.dnsmon("ingest", "--db", db, *INGEST, *words, path)
    return db


# ---- when and how ----

@lib.long
def test_steps_do_not_matter(tmp):
    for threads in (1, 2):
        same(analysed(made()["db"], tmp / f"threads{threads}", "--threads", threads), f"{threads} threads")
    for name, hours in (("hourly", [*range(5, 120, 23), *range(120 if lib.LONG else 150, HOURS)]), ("odd", range(7, HOURS, 7 if lib.LONG else 19))):
        db = unanalysed(tmp, name)
        for hour in hours:
            analyze(db, "--as-of", START + hour * HOUR)
            said = ledger.until(ledger.parts(db), START // HOUR + hour)
            assert said == ledger.until(made()["ledger"], START // HOUR + hour), f"{name}, as of hour {hour}"
        analyze(db)
        same(db, name)
        assert "nothing new" in analyze(db).stdout
        same(db, f"{name}, twice")
        lib.dnsmon("fsck", "--db", db)


def test_pieces_do_not_matter(tmp):
    packets = made()["packets"]
    cut = len(packets) * 3 // 7
    one, two = piece(tmp, "one.pcap", packets[:cut]), piece(tmp, "two.pcap", packets[cut:])
    whole = made()["folder"] / "steps.pcap"
    for name, pieces, words in (("two", [one, two], []), ("slots", [whole], ["--slot", "1800"]), ("threads", [whole], ["--threads", "1"])):
        db = ingested(tmp, name, *pieces, words=words)
        analyze(db)
        same(db, name)


def test_older_file_later(tmp):
    """What a later file begins with is known before an older one is read: both are analysed when both are there. Queries and
    answers on both sides of the cut do not meet, so the cut is where nothing is under way."""
    packets = made()["packets"]
    nanos = [struct.unpack_from("<II", p) for p in packets]
    cut = next(i for i in range(len(packets) // 2, len(packets)) if nanos[i][0] - nanos[i - 1][0] >= 15)
    one, two = piece(tmp, "one.pcap", packets[:cut]), piece(tmp, "two.pcap", packets[cut:])
    forth, back = ingested(tmp, "forth", one, two), ingested(tmp, "back", two, one)
    for db in (forth, back):
        analyze(db)
    ledger.assert_same(ledger.parts(forth), ledger.parts(back), "the older file read later")


def test_while_ingest_writes(tmp):
    packets = made()["packets"]
    size = len(packets) // 12 + 1
    files = [piece(tmp, f"{i:02}.pcap", packets[i * size:(i + 1) * size]) for i in range(12)]
    db = ingested(tmp, "db", files[0])
    runs = 0
    writer = lib.start("sh", "-c", 'for f in "$@"; do "$0" ingest --db ' + f"{db} {' '.join(INGEST)} $f || exit 1; done",
                       lib.dnsmon_path(), *files[1:], log=tmp / "log")
    while writer.alive():
        analyze(db)
        runs += 1
    assert writer.wait() == 0, writer.output()
    analyze(db)
    assert runs >= 3, runs
    same(db, f"{runs} runs while ingest wrote")


# ---- killed ----

@lib.long
def test_killed_at_any_moment(tmp):
    """At calls that change a file of the database: SQLite's and the state file's."""
    library = exactly.crash_library(tmp)
    log, db = tmp / "calls", unanalysed(tmp, "counted")
    analyze(db, env=exactly.crash_env(library, db, 0, log))
    calls = len(log.read_text().splitlines())
    assert calls > 20, calls
    truth = ledger.parts(db)
    shutil.rmtree(db)
    kills = 0
    for number in sorted(random.Random(exactly.SEED).sample(range(1, calls + 1), min(calls, 80 if lib.LONG else 8))):
        db = unanalysed(tmp, "killed")
        done = analyze(db, env=exactly.crash_env(library, db, number, log, torn=number % 2 == 0), check=False)
        assert done.returncode in (0, -signal.SIGKILL), (number, done)
        kills += done.returncode != 0 # SQLite writes its pages in a few more or fewer calls: the last ones may not come
        analyze(db)
        same(db, f"killed at change {number} of {calls}", truth)
        left = [p.name for p in db.iterdir() if p.name.startswith("analysis-") or p.name.endswith(".tmp")]
        assert len(left) == 2, left
        shutil.rmtree(db)
    assert kills >= 5, kills


def test_killed_at_random(tmp):
    chance, db, kills = random.Random(exactly.SEED), unanalysed(tmp), 0
    for hour in range(9, HOURS + 9, 9):
        words = ["--as-of", START + hour * HOUR] if hour < HOURS else []
        for _ in range(2):
            run = lib.start(lib.dnsmon_path(), "analyze", "--db", db, *words, log=tmp / "log")
            time.sleep(chance.random() * 0.12)
            kills += run.alive()
            run.kill()
        analyze(db, *words)
    assert kills >= 3, kills
    same(db, f"{kills} kills")


# ---- again ----

@lib.long
def test_again(tmp):
    db = analysed(made()["db"], tmp / "db")
    analyze(db, "--again")
    same(db, "again adds nothing")
    for detector in ("labels", "rhythm", "demand") if lib.LONG else ("labels",):
        without = analysed(made()["db"], tmp / f"without-{detector}", "--without", detector)
        analyze(db, "--again", "--without", detector)
        ledger.assert_same(holds(without), holds(db), f"again without {detector}")
        lib.dnsmon("fsck", "--db", db)
        before = ledger.query(db, "SELECT count(*) FROM evidence")
        analyze(db, "--again", "--as-of", START + 100 * HOUR)
        analyze(db)
        ledger.assert_same(holds(made()["folder"] / "whole"), holds(db), f"again with {detector}")
        assert ledger.query(db, "SELECT count(*) FROM evidence") > before, "the ledger only grows"
        again = json.loads(lib.dnsmon("explain", "--db", db, "--json", "lablane.top").stdout)
        assert again["verdicts"], again


# ---- late and wrong times ----

def asks(when, client, name, address="192.0.2.1"):
    kind = asking.TYPES["A"]
    answer = (lambda ident: asking.response(ident, name, kind, answers=[asking.record(name, kind, 300, bytes(map(int, address.split("."))))])
              ) if address else (lambda ident: asking.missing(ident, name, kind, "example"))
    return (when, client, name, kind, answer)


def small_network(hours=144, since=96, every=30):
    """8 clients ask for 5 names all the time; from an hour on two of them every so many minutes for what is not there."""
    rows = [asks(START + hour * HOUR + n, f"10.1.0.{n}", f"www.site{n % 5}.example") for hour in range(hours) for n in range(1, 9)]
    rows += [asks(START + minute * 60 + n, f"10.1.0.{n}", "rctl.next.example", None)
             for minute in range(since * 60, hours * 60, every) for n in (1, 2)]
    return sorted(rows, key=lambda row: row[0])


def feed(tmp, db, name, rows):
    (tmp / "suffixes").write_text("example\n")
    lib.dnsmon("ingest", "--db", db, *INGEST, "--public-suffixes", tmp / "suffixes", asking.capture(tmp / name, rows))


def look(tmp, db, *words, **keywords):
    return analyze(db, "--suffixes", tmp / "suffixes", *words, **keywords)


def test_late_message(tmp):
    """In an hour of a period that is still open, which was walked already: it is walked again, and rows are superseded."""
    db, rows = tmp / "db", small_network(hours=125, since=116, every=5)
    feed(tmp, db, "on-time.pcap", rows)
    look(tmp, db)
    before = ledger.parts(db)
    step = max(row[3] for row in before["evidence"])
    assert (step - 1) // 6 == (START // HOUR + 124) // 6, "the hour is of the open period"
    feed(tmp, db, "late.pcap", [asks((step - 1) * HOUR + 7 * n, f"10.1.0.{n % 8 + 1}", f"h{n}.next.example") for n in range(400)])
    feed(tmp, db, "later.pcap", [asks(rows[-1][0] + n * HOUR, "10.1.0.3", "www.site3.example") for n in range(1, 9)])
    look(tmp, db)
    after = ledger.parts(db)
    for part in ("evidence", "verdict"):
        assert set(map(repr, before[part])) <= set(map(repr, after[part])), f"{part}: rows are gone"
    assert ledger.query(db, "SELECT count(*) FROM evidence WHERE supersedes IS NOT NULL AND step = ?", step) != [(0,)]
    fresh = tmp / "fresh"
    shutil.copytree(db, fresh, ignore=lambda _, names: [n for n in names if n.startswith(("knowledge", "analysis"))])
    look(tmp, fresh)
    ledger.assert_same(holds(fresh), holds(db), "late data, and all at once")
    lib.dnsmon("fsck", "--db", db)


def test_clock_jump(tmp):
    """One packet of the year 2090 and one of 2023 amid the traffic: what comes after it is judged all the same."""
    middle = START + 3 * 86400 + 1800
    wild = [asks(3786912000, "10.1.0.7", "www.site2.example"), asks(1672531200, "10.1.0.7", "www.site2.example")]
    rows, db = small_network(), tmp / "db"
    feed(tmp, db, "a.pcap", [row for row in rows if row[0] < middle])
    feed(tmp, db, "wild.pcap", wild)
    feed(tmp, db, "b.pcap", [row for row in rows if row[0] >= middle])
    done = look(tmp, db, "--as-of", rows[-1][0])
    assert "nothing new" not in done.stdout, done
    names = {row[0] for row in ledger.parts(db, "standing")["standing"]}
    assert "next.example" in names, names
    until, = ledger.query(db, "SELECT analysed_until FROM analysis")[0]
    assert until * HOUR < time.time(), "analysed beyond now"
    fresh = tmp / "fresh"
    shutil.copytree(db, fresh, ignore=lambda _, names: [n for n in names if n.startswith(("knowledge", "analysis"))])
    look(tmp, fresh)
    until, = ledger.query(fresh, "SELECT analysed_until FROM analysis")[0]
    assert START < until * HOUR < time.time(), until


# ---- what can be wrong ----

def refused(db, *said, status=1, **keywords):
    done = analyze(db, check=False, **keywords)
    assert done.returncode == status and done.stderr.startswith("dnsmon: ") and done.stderr.count("\n") == 1, done
    for text in said:
        assert text in done.stderr, (text, done.stderr)
    return done


def test_nothing_to_analyse(tmp):
    refused(tmp / "absent", "absent")
    db = tmp / "empty"
    lib.dnsmon("ingest", "--db", db, *INGEST, asking.capture(tmp / "none.pcap", []))
    refused(db, "no activity")
    lib.dnsmon("ingest", "--db", db, "--no-activity", asking.capture(tmp / "some.pcap", small_network(48)))
    refused(db, "no activity")
    lib.dnsmon("ingest", "--db", tmp / "short", *INGEST, asking.capture(tmp / "short.pcap", small_network()[:4]))
    assert "nothing new" in analyze(tmp / "short").stdout


def state_file(db):
    return next(p for p in db.iterdir() if p.name.startswith("analysis-") and p.name.endswith(".mtbl"))


def test_damaged_state(tmp):
    db = analysed(made()["db"], tmp / "half", "--as-of", str(START + 100 * HOUR))
    before, path = ledger.parts(db), state_file(db)
    whole = path.read_bytes()
    chance = random.Random(exactly.SEED)
    for at in [0, len(whole) - 1, *chance.sample(range(len(whole)), 25)]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1:])
        done = analyze(db, check=False)
        if done.returncode != 0:
            assert done.returncode == 1 and path.name in done.stderr, (at, done)
            ledger.assert_same(before, ledger.parts(db), f"byte {at} damaged")
        else:
            raise AssertionError(f"byte {at} of the state file is damaged and nobody says so")
    path.write_bytes(whole[:len(whole) // 2])
    refused(db, path.name)
    path.unlink()
    refused(db, path.name, "missing", "--again")
    ledger.assert_same(before, ledger.parts(db), "state missing")
    analyze(db, "--again")
    same(db, "again without the state file")


@lib.long
def test_damaged_knowledge(tmp):
    db = analysed(made()["db"], tmp / "half", "--as-of", str(START + 100 * HOUR))
    path = db / "knowledge.db"
    whole = path.read_bytes()
    chance = random.Random(exactly.SEED)
    for n in range(1000 if lib.LONG else 20):
        (db / "knowledge.db-wal").unlink(missing_ok=True)
        (db / "knowledge.db-shm").unlink(missing_ok=True)
        damaged = bytearray(whole)
        for at in chance.sample(range(len(whole)), 1 + n % 3 * 50):
            damaged[at] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        done = subprocess.run([lib.dnsmon_path(), "analyze", "--db", db], capture_output=True, errors="replace", timeout=60 * lib.SLOWER)
        assert done.returncode in (0, 1) and (done.returncode == 0) == (done.stderr == ""), (n, done)
    path.write_bytes(b"")
    refused(db, "knowledge.db")
    path.write_bytes(whole)
    for name in ("knowledge.db-wal", "knowledge.db-shm"):
        (db / name).unlink(missing_ok=True)
    with sqlite3.connect(path) as k:
        version, = k.execute("PRAGMA user_version").fetchone()
        k.execute(f"PRAGMA user_version = {version + 1}")
    refused(db, "newer")
    with sqlite3.connect(path) as k:
        k.execute(f"PRAGMA user_version = {version}")
        for kind, key in (("docket", "lablane.top"), ("pending", "x"), ("campaigns", "set")):
            k.execute("INSERT OR REPLACE INTO memo VALUES (?, ?, '{')", (kind, key))
    refused(db, "--again")
    analyze(db, "--again")
    same(db, "again over damaged memos")


def test_full_disk(tmp):
    """No file may grow beyond a limit; then there is room."""
    db, limit, failures = unanalysed(tmp), 4096, 0
    while True:
        def limited(limit=limit):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        done = subprocess.run([lib.dnsmon_path(), "analyze", "--db", str(db)], capture_output=True, text=True, preexec_fn=limited,
                              stdin=subprocess.DEVNULL, timeout=60 * lib.SLOWER)
        if done.returncode == 0:
            break
        assert done.returncode == 1 and done.stderr.startswith("dnsmon: ") and str(db) in done.stderr, (limit, done)
        failures += 1
        limit *= 3
    assert failures >= 3, failures
    same(db, f"after {failures} limits")


def test_two_at_once(tmp):
    """Both look at the same hours; one writes them, the other says so or finds nothing new."""
    db, said = unanalysed(tmp), []
    for hour in range(20, HOURS, 20):
        runs = [lib.start(lib.dnsmon_path(), "analyze", "--db", db, "--as-of", START + hour * HOUR, log=tmp / f"log{i}") for i in (0, 1)]
        ends = [run.wait() for run in runs]
        said += [run.output() for run, end in zip(runs, ends) if end]
        assert 0 in ends and set(ends) <= {0, 1}, [run.output() for run in runs]
    analyze(db)
    assert said and all("another analysis is running" in text for text in said), said
    same(db, "two at once")
