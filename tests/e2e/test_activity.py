"""Activity: who asked for a name, hour by hour, comes out of ingest as it went in."""
import collections
import json

import lib
import traffic

START, HOUR = 1704067200, 3600  # 2024-01-01T00:00:00Z
A, AAAA, TXT = 1, 28, 16
DATA = {A: bytes([192, 0, 2, 1]), AAAA: bytes(15) + b"\1", TXT: b"\1x"}


def exchange(when, client, ident, name, qtype, answered):
    """A question, and 20 ms later its answer."""
    micros, source = int(when * 1000000), bytes([10, 8, 0, client])
    question = traffic.message(ident, name, qtype)
    yield micros, traffic.ipv4(source, traffic.SERVER, 17, traffic.udp(20000 + client, 53, question), ident)
    if answered:
        answer = traffic.message(ident, name, qtype, [(qtype, 300, DATA[qtype])], response=True)
        yield micros + 20000, traffic.ipv4(traffic.SERVER, source, 17, traffic.udp(53, 20000 + client, answer), ident)


def questions():
    """(time, client, name, type, answered): some of every hour, and an hour with many clients."""
    for hour in range(3):
        for client in range(1, 4 + hour):
            yield START + hour * HOUR + 10 * client, client, "www.example.com", A, True
            yield START + hour * HOUR + 10 * client + 0.2, client, "www.example.com", AAAA, True
            yield START + hour * HOUR + 10 * client + 1800, client, f"h{client}.example.com", TXT, client % 2 == 0
    for client in range(1, 101):
        yield START + 30 * HOUR + client, client, "www.example.com", A, True


def expected(name, domain):
    """Counters and clients an hour, counted here."""
    hours = collections.defaultdict(lambda: (collections.Counter(), set()))
    for when, client, asked, qtype, answered in questions():
        if asked != name and not domain:
            continue
        counters, clients = hours[int(when) // HOUR * HOUR]
        counters["queries"] += 1
        counters[{A: "a", AAAA: "aaaa", TXT: "txt"}[qtype]] += 1
        if answered:
            counters["answered"] += 1
            counters["noerror"] += 1
        clients.add(client)
    return hours


def hours_of(database, *words):
    return [json.loads(line) for line in lib.dnsmon("activity", "--db", database, *words).stdout.splitlines()]


def test_activity(tmp):
    packets = sorted(packet for ident, (when, client, name, qtype, answered) in enumerate(questions())
                     for packet in exchange(when, client, ident, name, qtype, answered))
    paths = traffic.make_files(tmp / "files", traffic.split(packets, 3), forms=("",))
    lib.dnsmon("ingest", "--db", tmp / "db", "--vantage", "client", *paths)
    seen = json.loads(lib.dnsmon("lookup", "--db", tmp / "db", "rrset", "www.example.com", "A").stdout)
    assert seen["count"] == sum(asked["a"] for asked, _ in expected("www.example.com", False).values()), seen
    lib.dnsmon("fsck", "--db", tmp / "db")
    for name, domain in [("example.com", True), ("www.example.com", False), ("h2.example.com", False)]:
        want = expected(name, domain)
        found = hours_of(tmp / "db", name)
        assert [hour["hour"] for hour in found] == sorted(want), (name, found)
        for hour in found:
            counters, clients = want[hour["hour"]]
            assert hour["counters"].get("ttl", 0) == (300 if counters["noerror"] else 0), hour
            is_ = {key: hour["counters"].get(key, 0) for key in counters}
            assert is_ == counters, (name, hour, counters)
            assert hour["kind"] == ("domain" if domain else "host"), hour
            if hour["clients_exact"]:
                assert hour["clients"] == len(clients), (name, hour)
            else:
                assert len(clients) >= 32 and 0.25 * len(clients) < hour["clients"] < 1.75 * len(clients), hour
    chart = lib.dnsmon("activity", "--db", tmp / "db", "--chart", "example.com").stdout
    assert "2024-01-01" in chart and "2024-01-02" in chart, chart
    assert hours_of(tmp / "db", "example.org") == []
