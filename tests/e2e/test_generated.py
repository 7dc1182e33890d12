"""Generated traffic through the whole program: the same records however it is read."""
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
