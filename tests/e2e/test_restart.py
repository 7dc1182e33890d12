"""Capture stops and starts again: what lay in between is lost, and nothing else is."""
import json
import socket
import struct
import time

import lib
import traffic
from live import capture, finish, may_capture

A = 1
START = 1704067200 * 1000000


def answer(ident, name):
    return traffic.message(ident, name, A, [(A, 60, bytes([192, 0, 2, ident]))], response=True)


def framed(message):
    return struct.pack(">H", len(message)) + message


class Talk:
    """A client and a server who keep a TCP connection, and sockets for UDP."""

    def __init__(self):
        self.port = lib.free_port()
        with socket.create_server(("127.0.0.1", self.port)) as listener:
            self.client = socket.create_connection(("127.0.0.1", self.port))
            self.server, _ = listener.accept()
        for end in (self.client, self.server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.asked = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.asker.bind(("127.0.0.1", 0))
        self.asked.bind(("127.0.0.1", self.port))

    def exchange(self, ident, name):
        self.client.sendall(framed(traffic.message(ident, name, A)))
        self.server.sendall(framed(answer(ident, name)))

    def ask_udp(self, ident, name):
        self.asker.sendto(traffic.message(ident, name, A), ("127.0.0.1", self.port))

    def answer_udp(self, ident, name):
        self.asked.sendto(answer(ident, name), self.asker.getsockname())

    def close(self):
        for end in (self.client, self.server, self.asker, self.asked):
            end.close()


def names(database):
    found = lib.dnsmon_lines("lookup", "--db", database, "--json", "rrset", "*.example")
    return {r["rrname"]: r["count"] for r in found}


def totals(database):
    return json.loads(lib.dnsmon("stat", "--db", database, "--json").stdout)["totals"]


def test_restart_of_two_interfaces(tmp):
    """A connection over the restart: whole messages of either run count, at once; one that was under way
    does not. A query that waits for its answer goes on waiting."""
    may_capture()
    talk, words = Talk(), []
    for interface in ("lo", "any"):
        words += ["-i", f"{interface},port={talk.port if interface == 'lo' else lib.free_port()}"]
    process = capture(tmp, "db", *words)
    talk.exchange(1, "before.example")
    half = framed(answer(2, "between.example"))
    talk.client.sendall(framed(traffic.message(2, "between.example", A)))
    talk.server.sendall(half[:20])
    talk.ask_udp(3, "over.example")
    time.sleep(0.8)
    finish(process, "the first run")
    talk.server.sendall(half[20:])
    talk.exchange(4, "missed.example")
    process = capture(tmp, "db", *words)
    talk.answer_udp(3, "over.example")
    talk.exchange(5, "after.example")
    time.sleep(0.8)
    finish(process, "the second run")
    talk.close()
    assert names(tmp / "db") == {"before.example.": 1, "over.example.": 1, "after.example.": 1}, names(tmp / "db")
    assert totals(tmp / "db")["transactions"] == 3, totals(tmp / "db")


def test_capture_keeps_open_files(tmp):
    """A file that stops within a TCP stream, capture, then the rest of the file: the stream is whole."""
    may_capture()
    before, after = traffic.stream(START, START + 1000, 30000, 7, "border.example")
    growing = tmp / "growing.pcap"
    growing.write_bytes(traffic.pcap_bytes(before))
    lib.dnsmon("ingest", "--db", tmp / "db", growing)
    assert not names(tmp / "db")
    finish(capture(tmp, "db", "-i", "lo", "--port", lib.free_port()), "capture")
    growing.write_bytes(traffic.pcap_bytes(before + after))
    lib.dnsmon("ingest", "--db", tmp / "db", growing)
    assert names(tmp / "db") == {"border.example.": 1, "second.border.example.": 1}, names(tmp / "db")
