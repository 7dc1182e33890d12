"""Generated traffic through the whole program: the same records however it is read."""
import json

import lib


def traffic(tmp, *options):
    capture = tmp / "traffic.pcap"
    lib.run(lib.built("bench/generate"), "--names", 2000, *options, capture)
    return capture


def records(database):
    return lib.dnsmon("dump", "--db", database).stdout


def ingest(database, *words):
    return lib.dnsmon("ingest", "--db", database, *words, timeout=300)


def test_reading_twice_adds_nothing(tmp):
    capture = traffic(tmp, "--transactions", 20000, "--seconds", 150)
    ingest(tmp / "db", capture)
    once = records(tmp / "db")
    assert once.count("\n") > 1000, once[:500]
    copy = tmp / "another-name"
    copy.write_bytes(capture.read_bytes())
    ingest(tmp / "db", capture, copy)
    assert records(tmp / "db") == once
    lib.dnsmon("fsck", "--db", tmp / "db")


def test_the_summary(tmp):
    """All that is promised is there; distinct records are counted, or said to be estimated."""
    few = traffic(tmp, "--transactions", 20000, "--seconds", 150)
    run = json.loads(ingest(tmp / "few", "--json", few).stdout)
    named = "messages queries responses transactions unanswered malformed skipped rr_observed rr_distinct first last seconds " \
        "cpu_seconds"
    assert set(named.split()) <= set(run), run
    assert run["queries"] == run["transactions"] + run["unanswered"] + run["pair_evicted"] + run["waiting"], run
    there = [line.split("\t")[1] for line in records(tmp / "few").splitlines()]
    assert "NXDOMAIN" in there and run["rr_distinct_exact"], run
    assert run["rr_distinct"] == sum(kind not in ("NXDOMAIN", "NODATA") for kind in there) <= run["rr_observed"], run
    many = traffic(tmp, "--mode", "distinct", "--names", 300000, "--transactions", 300000, "--seconds", 600)
    run = json.loads(ingest(tmp / "many", "--json", many).stdout)
    there = sum(line.split("\t")[1] not in ("NXDOMAIN", "NODATA") for line in records(tmp / "many").splitlines())
    assert there > 200000 and not run["rr_distinct_exact"] and abs(run["rr_distinct"] - there) < there / 50, (run, there)


def test_threads_do_not_matter(tmp):
    capture = traffic(tmp, "--transactions", 20000, "--seconds", 150)
    ingest(tmp / "one", "--threads", 1, capture)
    ingest(tmp / "four", "--threads", 4, capture)
    assert records(tmp / "one") == records(tmp / "four")


def test_slots_do_not_matter_after_merging(tmp):
    """Every observation carries its own time, so the slot's length does not show."""
    capture = traffic(tmp, "--transactions", 5000, "--seconds", 300)
    ingest(tmp / "short", "--slot", "30s", capture)
    ingest(tmp / "long", "--slot", "300s", capture)
    assert records(tmp / "short") == records(tmp / "long")


def test_a_flood_is_collapsed(tmp):
    """Random sub-domains of one domain cost a bounded number of records."""
    capture = traffic(tmp, "--mode", "flood", "--transactions", 200000, "--seconds", 30)
    ingest(tmp / "db", capture)
    assert records(tmp / "db").count("\n") < 100000
