"""What is said of one source holds for that one: sensor, vantage, ports, and what it leaves out."""
import os
import time

import lib
import traffic
from live import capture, finish, may_capture

START = 1704067200 * 1000000
OTHER_CLIENT = bytes([10, 9, 9, 10])


def exchange(when, ident, name, address, port=53, client=traffic.CLIENT):
    question = traffic.udp(20000 + ident, port, traffic.message(ident, name, 1))
    answer = traffic.udp(port, 20000 + ident, traffic.message(ident, name, 1, [(1, 60, bytes(address))], response=True))
    return [(when, traffic.ipv4(client, traffic.SERVER, 17, question, ident)),
            (when + 1000, traffic.ipv4(traffic.SERVER, client, 17, answer, ident))]


def make_file(path, last):
    """Names of every kind of exclusion, two clients, two ports; `last` tells the file's answers from others'."""
    packets = []
    for i, (name, port, client) in enumerate([
            ("www.keep.example", 53, traffic.CLIENT), ("www.own.example", 53, traffic.CLIENT),
            ("www.all.example", 53, traffic.CLIENT), ("other.keep.example", 53, OTHER_CLIENT),
            ("www.keep.example", 5354, traffic.CLIENT), ("www.own.example", 5354, traffic.CLIENT),
            ("www.all.example", 5354, traffic.CLIENT), ("other.keep.example", 5354, OTHER_CLIENT)]):
        packets += exchange(START + i * 10000, 100 * last + i, name, [192, 0, port != 53, last], port, client)
    path.write_bytes(traffic.pcap_bytes(packets))
    return path


def known(database):
    """(name, data, sensors, at the client side, upstream) of every record."""
    found = lib.dnsmon_lines("lookup", "--db", database, "--json", "--verbose", "--limit", 0, "rrset", "*.example")
    return sorted((r["rrname"], *r["rdata"], *r["sensors"], r["count_client"], r["count_upstream"]) for r in found)


FILES = """inputs:
  - file: {0}
    sensor: one
    vantage: client
    exclude: {{zones: [own.example]}}
  - file: {1}
    sensor: two
    vantage: upstream
    ports: [5354]
    exclude: {{clients: [10.9.9.10/32]}}
  - file: {2}
exclude: {{zones: [all.example]}}
"""
OF_FILES = [
    ("other.keep.example.", "192.0.0.1", "one", 1, 0), ("other.keep.example.", "192.0.0.3", "all", 1, 0),
    ("www.keep.example.", "192.0.0.1", "one", 1, 0), ("www.keep.example.", "192.0.0.3", "all", 1, 0),
    ("www.keep.example.", "192.0.1.2", "two", 0, 1), ("www.own.example.", "192.0.0.3", "all", 1, 0),
    ("www.own.example.", "192.0.1.2", "two", 0, 1),
]


def test_files_of_the_configuration(tmp):
    """Each file as is said of it; the same by a run for each with options; again it adds nothing."""
    one, two, three = (make_file(tmp / f"{i}.pcap", i) for i in (1, 2, 3))
    config = tmp / "dnsmon.yaml"
    config.write_text(FILES.format(one, two, three))
    for _ in range(2):
        lib.dnsmon("ingest", "--db", tmp / "config", "--config", config, "--sensor", "all")
        assert known(tmp / "config") == OF_FILES, known(tmp / "config")
    every = ["ingest", "--db", tmp / "options", "--exclude-zone", "all.example"]
    lib.dnsmon(*every, "--sensor", "one", "--vantage", "client", "--exclude-zone", "own.example", one)
    lib.dnsmon(*every, "--sensor", "two", "--vantage", "upstream", "--port", 5354, "--exclude-client", "10.9.9.10", two)
    lib.dnsmon(*every, "--sensor", "all", three)
    assert known(tmp / "options") == OF_FILES, known(tmp / "options")


def test_files_of_the_command_line(tmp):
    """They stand in place of the configured ones, of which nothing holds for them."""
    one, two, three = (make_file(tmp / f"{i}.pcap", i) for i in (1, 2, 3))
    config = tmp / "dnsmon.yaml"
    config.write_text(FILES.format(one, two, tmp / "absent.pcap"))
    lib.dnsmon("ingest", "--db", tmp / "db", "--config", config, "--sensor", "all", three)
    assert known(tmp / "db") == [row for row in OF_FILES if "all" in row], known(tmp / "db")
    config.write_text("inputs:\n  - interface: lo\n")
    done = lib.dnsmon("ingest", "--db", tmp / "db", "--config", config, check=False)
    assert done.returncode == 2 and "no file" in done.stderr, done.stderr


def test_a_stream_between_sources(tmp):
    """What begins in one file and ends in another is whole, and the other's."""
    before, after = traffic.stream(START, START + 1000, 30000, 7, "border.example")
    paths = traffic.make_files(tmp / "parts", [before, after], forms=("",))
    config = tmp / "dnsmon.yaml"
    config.write_text(f"inputs:\n  - {{file: {paths[0]}, sensor: one}}\n  - {{file: {paths[1]}, sensor: two}}\n")
    lib.dnsmon("ingest", "--db", tmp / "db", "--config", config)
    found = lib.dnsmon_lines("lookup", "--db", tmp / "db", "--json", "--verbose", "rrset", "*.example")
    assert len(found) == 2 and all(r["sensors"] == ["two"] for r in found), found


ZONES = {"keep.example.": "www A 192.0.2.1", "own.example.": "www A 192.0.2.2", "all.example.": "www A 192.0.2.3"}
INTERFACES = """inputs:
  - {{interface: lo, sensor: one, vantage: client, ports: [{0}], exclude: {{zones: [own.example]}}}}
  - {{interface: any, sensor: two, vantage: upstream, ports: [{1}], exclude: {{clients: [127.0.0.2]}}}}
exclude: {{zones: [all.example]}}
"""
OF_INTERFACES = [
    ("www.keep.example.", "192.0.2.1", "one", "two", 1, 1), ("www.own.example.", "192.0.2.2", "two", 0, 1),
]


def test_interfaces(tmp):
    """By options, and by the configuration: one interface a server, seen side by side."""
    may_capture()
    one, two = lib.knot(tmp, ZONES), lib.knot(tmp, ZONES)
    config = tmp / "dnsmon.yaml"
    config.write_text(("user: root\n" if os.geteuid() == 0 else "") + INTERFACES.format(one.port, two.port))
    by_config = capture(tmp, "config", "--config", config)
    by_options = capture(tmp, "options", "--exclude-zone", "all.example",
                         "-i", f"lo,port={one.port},sensor=one,vantage=client,exclude-zone=own.example",
                         "-i", f"any,port={two.port},sensor=two,vantage=upstream,exclude-client=127.0.0.2")
    time.sleep(0.5)
    for server in (one, two):
        for zone in ZONES:
            lib.dig(server.port, "www." + zone, "A")
    lib.dig(two.port, "www.keep.example", "A", "-b", "127.0.0.2")
    time.sleep(0.8)
    for process in (by_config, by_options):
        finish(process, "two interfaces")
    for database in (tmp / "config", tmp / "options"):
        assert known(database) == OF_INTERFACES, (database.name, known(database))


def test_mistakes_in_an_input(tmp):
    for words in ("lo,colour=red", "lo,port=x", "lo,sensor"):
        done = lib.dnsmon("capture", "--db", tmp / "db", "-i", words, check=False)
        assert done.returncode == 2 and words in done.stderr, done.stderr
