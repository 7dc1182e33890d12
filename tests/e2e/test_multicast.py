"""Multicast DNS: left out, or recorded as what a link may say of itself."""
import json
import struct

import lib
import traffic

WHEN = 1700000000 * 1000000
MDNS, CACHE_FLUSH, UNICAST_WANTED = 5353, 0x8000, 0x8000
A, PTR, TXT, SRV, NSEC = 1, 12, 16, 33, 47


def record(owner, kind, data, cls=1):
    return traffic.wire_name(owner) + struct.pack(">HHIH", kind, cls, 120, len(data)) + data


def response(answers, additional=()):
    return struct.pack(">HHHHHH", 0, 0x8400, 0, len(answers), 0, len(additional)) + b"".join([*answers, *additional])


def frame(payload, source_port=MDNS, target_port=MDNS, ident=1):
    return traffic.ipv4(bytes([192, 168, 1, 7]), bytes([224, 0, 0, 251]), 17, traffic.udp(source_port, target_port, payload), ident)


def capture(path):
    printer = "Printer._ipp._tcp.local"
    service = response(
        [record("_ipp._tcp.local", PTR, traffic.wire_name(printer)),
         record("printer.local", A, bytes([192, 168, 1, 7]), 1 | CACHE_FLUSH),
         record("7.1.168.192.in-addr.arpa", PTR, traffic.wire_name("printer.local"), 1 | CACHE_FLUSH),
         record("1.2.254.169.in-addr.arpa", PTR, traffic.wire_name("printer.local"), 1 | CACHE_FLUSH),
         record("www.bank.example", A, bytes([192, 168, 1, 7]), 1 | CACHE_FLUSH)],
        [record(printer, SRV, struct.pack(">HHH", 0, 0, 631) + traffic.wire_name("printer.local"), 1 | CACHE_FLUSH),
         record("printer.local", NSEC, b"\xc0\x0c\x00\x01\x40", 1 | CACHE_FLUSH),
         record("printer.local", TXT, b"\1x", 3)])
    question = struct.pack(">HHHHHH", 0, 0, 1, 0, 0, 0) + traffic.wire_name("_ipp._tcp.local") + struct.pack(">HH", PTR, 1 | UNICAST_WANTED)
    transfer = response([record("host.example", A, bytes([192, 0, 2, 1]))])
    packets = [frame(question), frame(service, ident=2), frame(transfer, 53, 40000, ident=3)]
    path.write_bytes(traffic.pcap_bytes([(WHEN + i, packet) for i, packet in enumerate(packets)]))
    return path


def ingest(tmp, *words):
    return json.loads(lib.dnsmon("ingest", "--json", "--db", tmp / "db", *words, capture(tmp / "mdns.pcap")).stdout)


def test_multicast_is_left_out(tmp):
    counts = ingest(tmp)
    assert counts["skipped"]["mdns"] == 2 and counts["responses"] == 1 and counts["rr_observed"] == 0, counts
    assert lib.dnsmon("dump", "--db", tmp / "db").stdout == ""


def test_multicast_is_recorded(tmp):
    counts = ingest(tmp, "--keep-multicast")
    assert counts["queries"] == 1 and counts["responses"] == 2 and counts["rr_observed"] == 6, counts
    assert not counts["skipped"] and not counts["malformed"], counts
    records = [line.split("\t")[:3] for line in lib.dnsmon("dump", "--db", tmp / "db").stdout.splitlines()]
    assert sorted(records) == sorted([
        ["_ipp._tcp.local.", "PTR", "printer._ipp._tcp.local."],
        ["printer._ipp._tcp.local.", "SRV", "0 0 631 printer.local."],
        ["printer.local.", "A", "192.168.1.7"],
        ["1.2.254.169.in-addr.arpa.", "PTR", "printer.local."],
        ["7.1.168.192.in-addr.arpa.", "OUTSIDE:PTR", "printer.local."],
        ["www.bank.example.", "OUTSIDE:A", "192.168.1.7"],
    ]), records
    found = lib.dnsmon("lookup", "--db", tmp / "db", "rdata", "printer.local").stdout  # by SRV and the inside PTR
    assert found.count("\n") == 2, found
