"""Analysis beside blocking that is enforced, and beside a resolver that is asked right now."""
import json
import signal
import time

import asking
import ledger
import lib
import test_analyze
from live import capture, finish, may_capture
from test_servers import unbound_dnstap, with_dnstap_unbound

HOUR, DAY = 3600, 86400
A = asking.TYPES["A"]


def background(start, hours):
    """8 clients ask for 5 names all the time."""
    return [(start + hour * HOUR + n, f"10.1.0.{n}", f"www.site{n % 5}.example", A, answered(f"www.site{n % 5}.example"))
            for hour in range(hours) for n in range(1, 9)]


def answered(name):
    return lambda ident: asking.response(ident, name, A, answers=[asking.record(name, A, 300, bytes([192, 0, 2, 1]))])


def denied(name):
    return lambda ident: asking.missing(ident, name, A, "example")


def program(start, first, last, name, answer, every=600):
    """Two clients ask for a name every ten minutes."""
    return [(start + first * HOUR + at + n, f"10.1.0.{n}", name, A, answer(name)) for at in range(0, (last - first) * HOUR, every) for n in (3, 7)]


def ingest(tmp, db, name, rows, *words):
    (tmp / "suffixes").write_text("example\n")
    lib.dnsmon("ingest", "--db", db, "--activity", "--vantage", "client", "--public-suffixes", tmp / "suffixes", *words,
               asking.capture(tmp / name, sorted(rows, key=lambda row: row[0])))


def analyze(tmp, db, *words):
    return lib.dnsmon("analyze", "--db", db, "--suffixes", tmp / "suffixes", *words)


def counters(db, name):
    hours = lib.dnsmon_lines("activity", "--db", db, "--domain", name)
    return {key: sum(hour["counters"].get(key, 0) for hour in hours) for key in ("queries", "nx_domain", "nx_host", "policy", "noerror")}


# ---- our own blocking ----

def test_own_blocks_are_no_demand(tmp):
    """gate.example is blocked on the eighth day, early.example before anybody asks for it; programs go on asking. Whoever is told the policy
    concludes nothing from the denials; who is not takes early.example for a name that nobody has registered."""
    start, block, days = test_analyze.START, 7 * 24, 11
    before = background(start, block) + program(start, 4 * 24, block, "rctl.gate.example", answered)
    before += program(start, 5 * 24, block, "rctl.early.example", denied)
    after = [(t + block * HOUR, *rest) for t, *rest in background(start, (days - 7) * 24)]
    after += program(start, block, days * 24, "rctl.gate.example", denied)
    after += program(start, block, days * 24, "rctl.early.example", denied)
    (tmp / "policy").write_text("*.gate.example\n*.early.example\n")
    said = {}
    for name, words in (("told", ["--policy", tmp / "policy"]), ("untold", [])):
        db = tmp / name
        ingest(tmp, db, name + "-before.pcap", before, *words)
        analyze(tmp, db)
        found = {row[1:] for row in ledger.parts(db, "current")["current"] if row[0] == "gate.example"}
        ingest(tmp, db, name + "-after.pcap", after, *words)
        analyze(tmp, db)
        said[name] = {row[2] for row in ledger.parts(db, "evidence")["evidence"] if row[0].endswith(("gate.example", "early.example"))}
        levels = [row[3] for row in sorted(ledger.parts(db, "verdict")["verdict"], key=lambda row: row[2]) if row[0] == "gate.example"]
        assert found and levels, (name, found, levels)
        said[name + " level"] = levels[-1]
    told, untold = counters(tmp / "told", "gate.example"), counters(tmp / "untold", "gate.example")
    assert told["policy"] > 500 and told["nx_domain"] == 0 and untold["nx_domain"] > 500, (told, untold)
    assert "demand" not in said["told"], said
    assert "demand" in said["untold"], said
    assert said["told level"] != "benign", said
    lib.dnsmon("fsck", "--db", tmp / "told")


# ---- right now ----

def test_live(tmp):
    """Days of traffic up to now, then a real resolver, asked while capture writes and analysis runs. The ledger grows hour by hour of the
    past, whoever follows the verdicts hears of them, and the hour that is under way shows as activity while it is written, and is judged
    by nobody yet."""
    may_capture()
    with_dnstap_unbound()
    now = int(time.time())
    start = (now // HOUR - 6 * 24) * HOUR
    hours = 6 * 24
    db, path = tmp / "db", tmp / "tap"
    ingest(tmp, db, "past.pcap", background(start, hours) + program(start, 4 * 24, hours, "rctl.next.example", denied))
    heard = lib.start(lib.dnsmon_path(), "verdicts", "--follow", "--db", db, log=tmp / "heard.log")
    grown = []
    for hour in range(4 * 24, hours, 4):
        analyze(tmp, db, "--as-of", start + hour * HOUR)
        grown.append(len(ledger.parts(db, "evidence")["evidence"]))
    assert grown[0] == 0 and grown[-1] >= 2 and grown == sorted(grown), grown
    lib.wait_until(lambda: "next.example" in heard.output(), what="its verdict to be heard of")
    authority = lib.knot(tmp, {"example.": "\n".join(f"www.site{n} A 192.0.2.{n + 1}" for n in range(5))})
    process = capture(tmp, "db", "--dnstap", f"unix:{path}", "--activity", "--slot", "1", "--lateness", "1", "--public-suffixes", tmp / "suffixes")
    lib.wait_for_path(path)
    resolver = lib.unbound(tmp, stubs={"example.": authority.port}, extra=unbound_dnstap(path, "client-query", "client-response"))
    time.sleep(1.5)  # its writer connects

    def curve():
        return {h["hour"]: h["counters"]["queries"] for h in lib.dnsmon_lines("activity", "--db", db, "--domain", "next.example")}

    def shown():  # of what is asked right now
        assert "NXDOMAIN" in lib.dig(resolver.port, "rctl.next.example", "A")
        return sum(asked for hour, asked in curve().items() if hour >= now // HOUR * HOUR)
    for n in range(25):
        assert "NXDOMAIN" in lib.dig(resolver.port, "rctl.next.example", "A")
        assert "192.0.2." in lib.dig(resolver.port, f"www.site{n % 5}.example", "A")
        if n % 8 == 0:
            analyze(tmp, db)  # while it writes
    lib.wait_until(lambda: shown() >= 25, 30, "its questions to show while capture runs")
    finish(process, "capture")
    assert heard.stop(signal.SIGINT) == 0
    told = [json.loads(line) for line in heard.output().splitlines()]
    assert told and told[0]["evidence"] and told[0]["name"] == "next.example", told
    analyze(tmp, db)
    hours_of = curve()
    current = {hour: n for hour, n in hours_of.items() if hour >= now // HOUR * HOUR}
    assert sum(current.values()) >= 25, hours_of
    until, = ledger.query(db, "SELECT analysed_until FROM analysis")[0]
    assert now // HOUR - 2 <= until <= time.time() // HOUR - 1, (until, now)
    names = {row[0] for row in ledger.parts(db, "standing")["standing"]}
    assert "next.example" in names, names
    told = json.loads(lib.dnsmon("explain", "--db", db, "--public-suffixes", tmp / "suffixes", "--json", "next.example").stdout)
    assert told["verdicts"][0]["level"] != "benign", told
    lib.dnsmon("fsck", "--db", db)
