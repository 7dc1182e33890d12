"""Retention: what is too old by the hour is left by the day, the same days whenever and however often that happens."""
import collections
import json
import random
import time

import asking
import lib
from live import capture, finish
from test_servers import unbound_dnstap, with_dnstap_unbound

START, HOUR, DAY = 1704067200, 3600, 86400  # 2024-01-01T00:00:00Z
A = asking.TYPES["A"]
NAMES = ["www.one.example", "mail.one.example", "www.two.example", "three.example"]


def answered(name):
    return lambda ident: asking.response(ident, name, A, answers=[asking.record(name, A, 300, bytes([192, 0, 2, 1]))])


def asks(first, last, seed):
    """Some names by some clients at random times of these days of the year."""
    chance = random.Random(seed)
    rows = []
    for _ in range(400):
        name = chance.choice(NAMES)
        rows.append((START + chance.randrange(first * DAY, last * DAY), f"10.2.0.{chance.randrange(1, 60)}", name, A, answered(name)))
    return sorted(rows, key=lambda row: row[0])


def ingest(tmp, db, rows, name):
    (tmp / "suffixes").write_text("example\n")
    lib.dnsmon("ingest", "--db", db, "--vantage", "client", "--public-suffixes", tmp / "suffixes", asking.capture(tmp / name, rows))


def close(tmp, db):
    """What was read up to here is no open slot any more."""
    ingest(tmp, db, [(START + 60 * DAY, "10.2.0.1", "end.test", A, None)], "end.pcap")


def dump(db, kind):
    return [line.split("\t") for line in lib.dnsmon("dump", "--db", db, "--kind", kind).stdout.splitlines() if not line.startswith("end.test.")]


def expire(db, when, *words):
    lib.dnsmon("expire", "--db", db, "--as-of", when, *words)


def sums(rows, column):
    """Queries by name and day; `column` holds the counters."""
    found = collections.Counter()
    for row in rows:
        counters = dict(part.split("=") for part in row[column].split(","))
        found[row[0], int(row[1]) // DAY] += int(counters["queries"])
    return found


def hours_of(rows):
    """Which hours of a day a name was asked for in, as a day has them."""
    found = collections.defaultdict(set)
    for row in rows:
        found[row[0], int(row[1]) // DAY].add(int(row[1]) % DAY // HOUR)
    return {key: ",".join(str(hour) for hour in sorted(hours)) for key, hours in found.items()}


def test_days_are_what_hours_were(tmp):
    """January and February at once; and in pieces out of order, with expiry between, so that data come late for a month of days."""
    rows, late = asks(0, 31, 1) + asks(31, 45, 5), asks(0, 20, 2)
    whole, pieces = tmp / "whole", tmp / "pieces"
    ingest(tmp, whole, sorted(rows + late, key=lambda row: row[0]), "all.pcap")
    close(tmp, whole)
    hours = {kind: dump(whole, kind) for kind in ("host", "domain")}
    expire(whole, "2024-06-01")
    ingest(tmp, pieces, rows[:200], "a.pcap")
    ingest(tmp, pieces, rows[200:600], "b.pcap")
    expire(pieces, "2024-03-10")
    ingest(tmp, pieces, rows[600:], "c.pcap")
    ingest(tmp, pieces, late, "late.pcap")
    both = lib.dnsmon_lines("activity", "--db", pieces, "one.example", "--public-suffixes", tmp / "suffixes")
    assert {"day" in line for line in both} == {True, False}
    close(tmp, pieces)
    expire(pieces, "2024-06-01")
    for kind in ("host", "domain"):
        days = dump(whole, kind + "day")
        assert dump(whole, kind) == [] and dump(pieces, kind) == [], kind
        assert [row[:6] + row[7:] for row in dump(pieces, kind + "day")] == [row[:6] + row[7:] for row in days], kind  # ids have another key
        assert sums(days, 5) == sums(hours[kind], 4), kind
        assert {(row[0], int(row[1]) // DAY): row[2] for row in days} == hours_of(hours[kind]), kind
    for db in (whole, pieces):
        lib.dnsmon("fsck", "--db", db)
    seen = lib.dnsmon_lines("activity", "--db", whole, "--public-suffixes", tmp / "suffixes", "one.example")
    assert seen and all(day["kind"] == "domainday" and "hour" not in day for day in seen), seen
    lib.dnsmon("purge", "--db", whole, "--yes", "--subtree", "one.example")
    assert {row[0] for row in dump(whole, "domainday")} == {"two.example.", "three.example."}
    assert not any("one.example" in row[0] for row in dump(whole, "hostday"))
    expire(whole, "2028-01-01")
    assert dump(whole, "hostday") == [] and dump(whole, "name") != []
    lib.dnsmon("fsck", "--db", whole)


def test_analysis_says_what_is_gone(tmp):
    """Days do not make verdicts: analysis begins where the hours do, and says so."""
    db, suffixes = tmp / "db", ("--suffixes", tmp / "suffixes")
    ingest(tmp, db, asks(0, 31, 3), "january.pcap")
    ingest(tmp, db, asks(31, 45, 3), "february.pcap")
    close(tmp, db)
    expire(db, "2024-03-10")  # January
    told = lib.dnsmon("analyze", "--db", db, *suffixes, "--as-of", "2024-01-20").stdout
    assert "nothing to judge: hours before 2024-02-01 00:00 are no longer kept" in told, told
    told = lib.dnsmon("analyze", "--db", db, *suffixes).stdout
    assert told.startswith("hours before 2024-02-01 00:00 are no longer kept") and "2024-02-01 00:00 to 2024-02-29 23:00" in told, told
    told = lib.dnsmon("analyze", "--db", db, *suffixes, "--as-of", "2024-02-03").stdout
    assert "nothing to judge: analysis goes on from 2024-0" in told, told
    told = lib.dnsmon("analyze", "--db", db, *suffixes).stdout
    assert told.startswith("nothing new"), told
    told = json.loads(lib.dnsmon("analyze", "--db", db, *suffixes, "--again", "--json").stdout)
    assert told["earlier_hours_lost"] is True and told["from"] == START + 31 * DAY, told


def test_explain_knows_days(tmp):
    db, suffixes = tmp / "db", tmp / "suffixes"
    ingest(tmp, db, [(START, "10.2.0.1", "www.old.example", A, answered("www.old.example"))], "old.pcap")
    ingest(tmp, db, asks(50, 55, 6), "new.pcap")
    close(tmp, db)
    expire(db, "2024-03-10")
    lib.dnsmon("analyze", "--db", db, "--suffixes", suffixes)
    told = " ".join(lib.dnsmon("explain", "--db", db, "--public-suffixes", suffixes, "old.example").stdout.split())
    assert "known by the day alone: see dnsmon activity old.example" in told, told


def test_capture_expires(tmp):
    """While it runs nobody else can."""
    with_dnstap_unbound()
    db, path = tmp / "db", tmp / "tap"
    ingest(tmp, db, asks(0, 2, 4), "old.pcap")
    close(tmp, db)
    before = sums(dump(db, "domain"), 4)
    authority = lib.knot(tmp, {"example.": "www.now A 192.0.2.1"})
    process = capture(tmp, "db", "--dnstap", f"unix:{path}", "--public-suffixes", tmp / "suffixes")
    lib.wait_for_path(path)
    resolver = lib.unbound(tmp, stubs={"example.": authority.port}, extra=unbound_dnstap(path, "client-query", "client-response"))
    time.sleep(1.5)  # its writer connects
    assert "192.0.2.1" in lib.dig(resolver.port, "www.now.example", "A")
    time.sleep(2.5)  # and hands over once a second or so
    finish(process, "capture")
    names = {row[0] for row in dump(db, "domain")}
    assert "now.example." in names and not names & {"one.example.", "two.example.", "three.example."}, (names, process.output())
    assert sums(dump(db, "domainday"), 5) == before
    lib.dnsmon("fsck", "--db", db)
