"""Policy zones in real resolvers: what is listed is refused, what is beside it is not, what is withdrawn resolves again;
and whatever is lost on the way, they converge."""
import re
import socket
import struct
import time

import lib
import rpz

FIRST = ["add domain bad.example nxdomain", "add host host.example nxdomain", "add address 203.0.113.9 nxdomain"]


def expect_first(port):
    """Of FIRST: the scope of each, and not more."""
    for name in ("bad.example", "www.bad.example", "deep.www.bad.example", "host.example"):
        assert rpz.is_refused(port, name), (name, rpz.ask(port, name, "A"))
    for name in ("neighbour.example", "www.host.example", "xbad.example", "next.example"):
        assert rpz.resolves(port, name), (name, rpz.ask(port, name, "A"))
    assert rpz.ask(port, "example", "SOA")[0] == "NOERROR"  # the parent
    assert rpz.is_refused(port, "infra.example"), rpz.ask(port, "infra.example", "A")  # by its address
    assert rpz.is_refused(port, "bad.example", "+dnssec")  # DO=1


def follow(server, resolver, limit):
    """Two changes in a row, a withdrawal; each takes less than `limit` seconds."""
    took = []
    assert rpz.resolves(resolver.port, "next.example") and rpz.resolves(resolver.port, "second.example")
    for serial, name in ((2, "next.example"), (3, "second.example")):
        server.version(serial, f"add domain {name} nxdomain")
        took.append(rpz.seconds_until(lambda: rpz.is_refused(resolver.port, name), 30, f"{name} to be refused"))
    server.version(4, "remove domain next.example")
    took.append(rpz.seconds_until(lambda: rpz.resolves(resolver.port, "next.example"), 45, "next.example to resolve"))
    assert rpz.is_refused(resolver.port, "second.example") and rpz.is_refused(resolver.port, "bad.example")
    assert max(took) < limit * lib.SLOWER, took
    assert [r[2:4] for r in server.receipts("ixfr", "done")][-3:] == [(2, 1), (3, 2), (4, 3)], server.output()


def gardens(server, resolver):
    """Other actions, and a name that leads to a listed one."""
    server.version(10, "add host second.example garden walled.example.", "add domain next.example garden 192.0.2.77",
                   "add host neighbour.example nodata")
    lib.wait_until(lambda: rpz.ask(resolver.port, "next.example", "A")[1] == ["192.0.2.77"], 15, "the garden")
    assert rpz.ask(resolver.port, "second.example", "A")[1][-1] == "192.0.2.99"
    lib.wait_until(lambda: rpz.ask(resolver.port, "neighbour.example", "A") == ("NOERROR", []), 15, "no data")
    server.version(11, "add domain bad.example passthru")
    lib.wait_until(lambda: rpz.resolves(resolver.port, "www.bad.example"), 15, "what is passed")


def test_bind(tmp):
    """AXFR, then IXFR when NOTIFY says so, all signed."""
    names, port = lib.knot(tmp, rpz.NAMES), lib.free_port()
    server = rpz.Rpzd(tmp, allow=["127.0.0.1 dnsmon"], notify=[f"127.0.0.1:{port} dnsmon"])
    server.version(1, *FIRST)
    resolver = rpz.bind(tmp, server.port, names.port, port=port)
    lib.wait_until(lambda: rpz.is_refused(port, "bad.example"), 15, "the zone")
    expect_first(port)
    assert rpz.is_refused(port, "alias.example")
    follow(server, resolver, 2)
    gardens(server, resolver)
    assert server.receipts("axfr", "done") and server.receipts("notify", "done"), server.output()
    assert not server.said_lines(), server.output()


def test_unbound(tmp):
    """The same by address alone."""
    names, port = lib.knot(tmp, rpz.NAMES), lib.free_port()
    server = rpz.Rpzd(tmp, allow=["127.0.0.1"], notify=[f"127.0.0.1:{port}"])
    server.version(1, *FIRST)
    resolver = rpz.unbound(tmp, server.port, names.port, port=port)
    lib.wait_until(lambda: rpz.is_refused(port, "bad.example"), 15, "the zone")
    expect_first(port)
    assert rpz.is_refused(port, "alias.example")
    follow(server, resolver, 2)
    gardens(server, resolver)
    assert server.receipts("notify", "done"), server.output()
    assert not server.said_lines(), server.output()


def test_powerdns(tmp):
    """Signed; it asks by itself."""
    names = lib.knot(tmp, rpz.NAMES)
    server = rpz.Rpzd(tmp, allow=["127.0.0.1 dnsmon"])
    server.version(1, *FIRST)
    resolver = rpz.powerdns(tmp, server.port, names.port)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 15, "the zone")
    expect_first(resolver.port)
    assert rpz.is_refused(resolver.port, "alias.example")
    follow(server, resolver, 8)
    gardens(server, resolver)
    assert not server.said_lines(), server.output()



def test_knot_resolver(tmp):
    """By file: what dig has of the zone, replaced as a whole."""
    names = lib.knot(tmp, rpz.NAMES)
    server = rpz.Rpzd(tmp)
    path = tmp / "rpz.zone"

    def write():
        text = lib.run(lib.program("dig"), "@127.0.0.1", "-p", server.port, rpz.ZONE, "AXFR", "+noall", "+answer", "+onesoa").stdout
        fresh = tmp / "rpz.zone.tmp"
        fresh.write_text(text)
        fresh.rename(path)
    server.version(1, "add domain bad.example nxdomain", "add host host.example nxdomain")
    write()
    resolver = rpz.kresd(tmp, path, names.port)
    for name in ("bad.example", "www.bad.example", "host.example"):
        assert rpz.is_refused(resolver.port, name), (name, rpz.ask(resolver.port, name, "A"), resolver.process.output()[-2000:])
    for name in ("neighbour.example", "www.host.example", "next.example"):
        assert rpz.resolves(resolver.port, name), name
    server.version(2, "add domain next.example nxdomain", "remove domain bad.example")
    write()
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "next.example"), 15, "the file to be read again")
    lib.wait_until(lambda: rpz.resolves(resolver.port, "bad.example"), 15, "bad.example to resolve")
