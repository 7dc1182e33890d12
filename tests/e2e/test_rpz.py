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
    server.version(12)  # a version in which nothing changes is one, too
    lib.wait_until(lambda: server.receipts("ixfr", "done")[-1][2:4] == (12, 11), 15, "the empty version to be fetched")
    server.version(13, "remove domain bad.example")
    lib.wait_until(lambda: server.receipts("ixfr", "done")[-1][2:4] == (13, 12), 15, "the version after it")


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


# ---- exemptions, as docs/resolvers.md has them ----

def examples(section):
    """The indented texts below "**Exemptions**" of a resolver's section, for our client instead of theirs."""
    text = (lib.SOURCE / "docs/resolvers.md").read_text()
    text = text[text.index(f"## {section}"):]
    text = text[text.index("**Exemptions**"):text.index("\n## ")]
    blocks = [re.sub(r"^    ", "", block, flags=re.M).strip("\n") + "\n"
              for block in re.findall(r"\n\n((?:    .*\n|\n)+)", text + "\n")]
    ours = (("192.0.2.0/24", "127.0.0.0/8"), ("192.0.2.5", "127.0.0.5"), ("32.5.2.0.192", "32.5.0.0.127"))
    for theirs, our in ours:
        blocks = [block.replace(theirs, our) for block in blocks]
    return blocks


def expect_exempt(port):
    lib.wait_until(lambda: rpz.is_refused(port, "bad.example"), 15, "the zone")
    for name in ("bad.example", "www.bad.example"):  # one that was asked for before, one that the exempt asks for first
        for _ in range(2):
            assert rpz.ask(port, name, "A", "-b", "127.0.0.5") == ("NOERROR", ["192.0.2.66"])
            assert rpz.is_refused(port, name, "-b", "127.0.0.6")


def with_exemptions(tmp, start, **changes):
    names = lib.knot(tmp, rpz.NAMES)
    server = rpz.Rpzd(tmp, allow=["127.0.0.1", "127.0.0.1 dnsmon"])
    server.version(1, *FIRST)
    resolver = start(tmp, server.port, names.port, **changes)
    expect_exempt(resolver.port)
    return resolver


def test_exempt_in_bind(tmp):
    statements, zone = examples("BIND")
    policies, statements = statements.split("}\n\n")
    folder = tmp / "bind"
    folder.mkdir()
    (folder / "rpz.local.zone").write_text(zone)
    resolver = with_exemptions(tmp, rpz.bind, folder=folder, extra=statements,
                               changes=[('response-policy {\n        zone "rpz.dnsmon" log yes;\n    ', policies)])
    assert rpz.resolves(resolver.port, "host.example")


def test_exempt_in_unbound(tmp):
    (lines,) = examples("Unbound")
    server, zone = lines.split("rpz:\n")
    with_exemptions(tmp, rpz.unbound, extra=server, changes=[('    name: "rpz.dnsmon"\n', zone)])


def test_exempt_in_powerdns(tmp):
    (script,) = examples("PowerDNS")
    path = tmp / "exempt.lua"
    path.write_text(script)
    with_exemptions(tmp, rpz.powerdns, extra=f"lua-dns-script={path}\n")


def test_exempt_in_knot_resolver(tmp):
    (lines,) = examples("Knot Resolver")
    names = lib.knot(tmp, rpz.NAMES)
    path = tmp / "rpz.zone"
    path.write_text("rpz.dnsmon. 30 SOA localhost. hostmaster.localhost. 1 60 1 3600 30\n"
                    "bad.example.rpz.dnsmon. 30 CNAME .\n*.bad.example.rpz.dnsmon. 30 CNAME .\n")
    # Its own forwarding, which a client that passes all policies would miss, is the test's: it passes on to it instead.
    forward = f"policy.FORWARD('127.0.0.1@{names.port}')"
    resolver = rpz.kresd(tmp, path, names.port, before=lines.replace("policy.PASS", forward))
    expect_exempt(resolver.port)
    assert rpz.resolves(resolver.port, "alias.example")  # of the names on the way it asks for the first only


# ---- traps, as docs/resolvers.md names them: the same files without the lines that avoid them ----

def without(name, *words):
    """Changes that take the lines with these words out of a file."""
    lines = (lib.SOURCE / "packaging/resolvers" / name).read_text().splitlines(keepends=True)
    found = [line for line in lines if any(word in line for word in words)]
    assert len(found) == len(words), found
    return [(line, "") for line in found]


@lib.long
def test_traps(tmp):
    names = lib.knot(tmp, rpz.NAMES, extra="template:\n  - id: default\n    dnssec-signing: on\n")
    server = rpz.Rpzd(tmp, "--refresh", 1, allow=["127.0.0.1", "127.0.0.1 dnsmon"])
    server.version(1, *FIRST)
    whole = rpz.bind(tmp, server.port, names.port)
    bare = rpz.bind(tmp, server.port, names.port, changes=without("named.conf", "break-dnssec", "min-update-interval"))
    lib.wait_until(lambda: rpz.is_refused(whole.port, "bad.example") and rpz.is_refused(bare.port, "bad.example"), 15, "the zone")
    assert rpz.is_refused(whole.port, "bad.example", "+dnssec")
    assert not rpz.is_refused(bare.port, "bad.example", "+dnssec")  # break-dnssec
    server.version(2, "add domain next.example nxdomain")
    lib.wait_until(lambda: rpz.is_refused(whole.port, "next.example"), 15, "the second version")
    time.sleep(5)
    assert not rpz.is_refused(bare.port, "next.example")  # min-update-interval
    try:
        rpz.unbound(tmp, server.port, names.port, changes=[("respip validator", "validator")])
    except AssertionError as failure:
        assert "respip" in str(failure), failure
    else:
        raise AssertionError("Unbound starts without respip")


# ---- what is lost on the way ----

def test_journal_gap(tmp):
    """Who comes back after more versions than the journal holds gets the whole zone, and goes on by differences."""
    names = lib.knot(tmp, rpz.NAMES)
    server = rpz.Rpzd(tmp, "--journal", 3, "--refresh", 2, allow=["127.0.0.1", "127.0.0.1 dnsmon"])
    server.version(1, *FIRST)
    starts = (rpz.bind, rpz.unbound)
    before = [start(tmp, server.port, names.port) for start in starts]
    for resolver in before:
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 15, "the zone")
        resolver.stop()
    for serial in range(2, 12):
        server.version(serial, f"add host n{serial}.example nxdomain")
    server.version(12, "remove domain bad.example", "add domain next.example nxdomain")
    after = [start(tmp, server.port, names.port, resolver.port, resolver.folder) for start, resolver in zip(starts, before)]
    for resolver in after:
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "next.example"), 20, "the new version")
        lib.wait_until(lambda: rpz.resolves(resolver.port, "bad.example"), 20, "bad.example to resolve")
        for name in ("n2.example", "n11.example", "host.example"):
            assert rpz.is_refused(resolver.port, name), name
    assert [r[3] for r in server.receipts("ixfr", "whole")] == [1, 1], server.output()


def test_lost_notify(tmp):
    """Nobody is notified: the zone's refresh is what brings changes."""
    names = lib.knot(tmp, rpz.NAMES)
    server = rpz.Rpzd(tmp, "--refresh", 2, allow=["127.0.0.1"])
    server.version(1, *FIRST)
    resolvers = [rpz.bind(tmp, server.port, names.port), rpz.unbound(tmp, server.port, names.port)]
    for resolver in resolvers:
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 15, "the zone")
    server.version(2, "add domain next.example nxdomain")
    for resolver in resolvers:
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "next.example"), 20, "a refresh")


def test_notify_again(tmp):
    """A secondary that is not there is told again when it is, after 1, 2, 4 ... s."""
    port = lib.free_port()
    server = rpz.Rpzd(tmp, notify=[f"127.0.0.1:{port}"])
    server.version(1, *FIRST)
    time.sleep(0.5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as secondary:
        secondary.bind(("127.0.0.1", port))
        secondary.settimeout(8)
        first, peer = secondary.recvfrom(4096)
        heard = time.monotonic()
        second, _ = secondary.recvfrom(4096)
        assert 1.5 < time.monotonic() - heard < 5 * lib.SLOWER and first == second
        assert first[2] == 0x24 and peer == ("127.0.0.1", server.port)
        secondary.sendto(first[:2] + b"\xa4\0" + first[4:6] + bytes(6) + first[12:28], ("127.0.0.1", server.port))
        lib.wait_until(lambda: server.receipts("notify", "done"), 5, "the answer to be taken")
        server.version(2)
        third, _ = secondary.recvfrom(4096)
        assert third[:2] != first[:2]


def test_restarts(tmp):
    """DNSMon away: they keep protecting. DNSMon back, with its history: they go on by differences."""
    names = lib.knot(tmp, rpz.NAMES)
    ports = [lib.free_port(), lib.free_port()]
    options = dict(allow=["127.0.0.1", "127.0.0.1 dnsmon"], notify=[f"127.0.0.1:{port}" for port in ports])
    server = rpz.Rpzd(tmp, **options)
    server.version(1, *FIRST)
    resolvers = [rpz.bind(tmp, server.port, names.port, ports[0]), rpz.unbound(tmp, server.port, names.port, ports[1])]
    for port in ports:
        lib.wait_until(lambda: rpz.is_refused(port, "bad.example"), 15, "the zone")
    server.stop()
    for port in ports:
        assert rpz.is_refused(port, "bad.example")
    resolvers[0].stop()
    resolvers[0] = rpz.bind(tmp, server.port, names.port, ports[0], resolvers[0].folder)
    lib.wait_until(lambda: rpz.is_refused(ports[0], "bad.example"), 15, "the zone from its file")
    server = rpz.Rpzd(tmp, port=server.port, **options)
    server.version(1, *FIRST)
    server.version(7, "add domain next.example nxdomain", "remove domain bad.example")
    for port in ports:
        lib.wait_until(lambda: rpz.is_refused(port, "next.example"), 20, "the new version")
        lib.wait_until(lambda: rpz.resolves(port, "bad.example"), 20, "bad.example to resolve")
    assert {r[3] for r in server.receipts("ixfr", "done")} == {1}, server.output()
    assert not server.receipts("axfr"), server.output()


@lib.long
def test_cut_transfers(tmp):
    """The network ends the first transfers in their middle."""
    names = lib.knot(tmp, rpz.NAMES)
    for start in (rpz.bind, rpz.unbound, rpz.powerdns) if lib.LONG else (rpz.unbound,):
        server = rpz.Rpzd(tmp, "--refresh", 2, allow=["127.0.0.1", "127.0.0.1 dnsmon"])
        server.version(1, *FIRST)
        cutter = rpz.Cutter(server.port, cuts=2, bytes=1_000_000)
        resolver = start(tmp, cutter.port, names.port)
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 15, "the zone")
        server.version(2, "fill 300000")
        lib.wait_until(lambda: rpz.is_refused(resolver.port, "n299999.fill.example"), 40, f"{start.__name__}: the large version")
        expect_first(resolver.port)
        assert cutter.made >= 3, (start.__name__, cutter.made)
        assert len(server.receipts("ixfr", "cut")) + len(server.receipts("axfr", "cut")) >= 2, server.output()
        resolver.stop()
        server.stop()


# ---- who may not, and who means harm ----

def query(qtype, name="rpz.dnsmon", flags=0, body=b""):
    wire = b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"
    return struct.pack(">HHHHHH", 0x4711, flags, 1, 0, 0, 0) + wire + struct.pack(">HH", qtype, 1) + body


def udp(server, message, source="127.0.0.1", wait=2):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind((source, 0))
        s.settimeout(wait)
        s.sendto(message, ("127.0.0.1", server.port))
        try:
            return s.recv(65536)
        except TimeoutError:
            return b""


def tcp(server, source="127.0.0.1"):
    s = socket.create_connection(("127.0.0.1", server.port), timeout=10, source_address=(source, 0))
    return s


def exactly(s, n):
    data = b""
    while len(data) < n:
        more = s.recv(n - len(data))
        if not more:
            break
        data += more
    return data


def reply(s):
    return exactly(s, struct.unpack(">H", exactly(s, 2))[0])


def framed(message):
    return struct.pack(">H", len(message)) + message


def rcode(message):
    return message[3] & 15 if len(message) >= 12 else None


AXFR, SOA = 252, 6
FORMERR, NXDOMAIN, NOTIMP, REFUSED, NOTAUTH = 1, 3, 4, 5, 9


def test_refusals(tmp):
    """The right code for each, and one line for each source and reason."""
    server = rpz.Rpzd(tmp, allow=["127.0.0.1", "127.0.0.2 dnsmon"])
    server.version(1, *FIRST)
    for _ in range(3):
        assert rcode(udp(server, query(SOA), "127.0.0.9")) == REFUSED
        with tcp(server, "127.0.0.9") as s:
            s.sendall(framed(query(AXFR)))
            assert rcode(reply(s)) == REFUSED
        assert rcode(udp(server, query(SOA), "127.0.0.2")) == REFUSED
        assert rcode(udp(server, query(SOA) + b"\0")) == FORMERR
        assert rcode(udp(server, query(SOA, flags=0x2800))) == NOTIMP
        assert rcode(udp(server, query(SOA)[:12] + b"\x80")) == FORMERR
        assert rcode(udp(server, query(SOA, body=bytes(5000)))) == FORMERR
        assert udp(server, b"\x47\x11", wait=0.2) == b"" and udp(server, query(SOA, flags=0x8000), wait=0.2) == b""
        with tcp(server) as s:
            s.sendall(framed(query(AXFR, "other.zone")))
            assert rcode(reply(s)) == NOTAUTH
            s.sendall(framed(query(SOA, body=bytes(60000))))
            assert rcode(reply(s)) == FORMERR and s.recv(1) == b""
    kdig = lib.program("kdig")
    for key, source, error in ((f"hmac-sha256:dnsmon:{'A' * 43}=", "127.0.0.3", "BADSIG"),
                               (f"hmac-sha256:nobody:{'A' * 43}=", "127.0.0.4", "BADKEY"),
                               (f"hmac-sha512:dnsmon:{rpz.SECRET}", "127.0.0.5", "BADKEY")):
        server_of = rpz.Rpzd(tmp, allow=[source])
        server_of.version(1, *FIRST)
        for _ in range(2):
            done = lib.run(kdig, "@127.0.0.1", "-p", server_of.port, "-b", source, "-y", key, rpz.ZONE, "SOA", "+retry=0", "+time=2", check=False)
            assert error in done.stdout, done.stdout + done.stderr
        assert len(server_of.said_lines()) == 1, server_of.output()
        server_of.stop()
    said = server.said_lines()
    assert len(said) == len({re.sub(r": rpz.*| of 127.*", "", line) for line in said}) == 6, said


def test_questions(tmp):
    """dig and kdig agree on what is there: whole, difference, a name, why."""
    server = rpz.Rpzd(tmp, allow=["127.0.0.1", "127.0.0.1 dnsmon"])
    server.version(1, *FIRST, "fill 2000")
    server.version(2, "add host new.example passthru", "remove host host.example")
    at = ("@127.0.0.1", "-p", server.port)

    def records(text):
        return sorted(re.sub(r"\s+", " ", line) for line in text.splitlines() if line and not line.startswith(";") and " TSIG " not in line)
    dig, kdig = lib.program("dig"), lib.program("kdig")
    signed = ("-y", f"hmac-sha256:dnsmon:{rpz.SECRET}")
    whole = records(lib.run(dig, *at, rpz.ZONE, "AXFR", "+noall", "+answer").stdout)
    assert len(whole) == 2 + 2000 + 4 + 2 - 1 and whole == records(lib.run(kdig, *at, rpz.ZONE, "AXFR", "+noall", "+answer", *signed).stdout), len(whole)
    for transport in ("+tcp", "+notcp"):
        difference = records(lib.run(dig, *at, rpz.ZONE, "IXFR=1", transport, "+noall", "+answer", *signed).stdout)
        assert len(difference) == 6 and difference == records(lib.run(kdig, *at, rpz.ZONE, "IXFR=1", transport, "+noall", "+answer").stdout), difference
    for serial, n in ((2, 1), (3, 1), (77, 1)):
        assert len(records(lib.run(dig, *at, rpz.ZONE, f"IXFR={serial}", "+noall", "+answer").stdout)) == n
    why = lib.run(dig, *at, f"bad.example._why.{rpz.ZONE}", "TXT", "+short").stdout
    assert why == '"bad.example: listed by hand"\n', why
    assert rpz.ask(server.port, f"x.y.bad.example.{rpz.ZONE}", "A") == ("NOERROR", ["."])
    assert rpz.ask(server.port, f"good.example.{rpz.ZONE}", "A") == ("NXDOMAIN", [])


def test_knot_follows(tmp):
    """A strict secondary, which refuses a difference that takes what it does not have, has what we have, version by version."""
    port = lib.free_port()
    server = rpz.Rpzd(tmp, notify=[f"127.0.0.1:{port}"])
    server.version(1, *FIRST)
    folder = tmp / "secondary"
    folder.mkdir()
    (folder / "knot.conf").write_text(f"""server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}"
log:
  - target: stderr
    any: info
remote:
  - id: dnsmon
    address: 127.0.0.1@{server.port}
acl:
  - id: dnsmon
    address: 127.0.0.1
    action: [notify, transfer]
zone:
  - domain: {rpz.ZONE}
    master: dnsmon
    acl: dnsmon
    zonefile-sync: -1
""")
    secondary = lib.start(lib.program("knotd"), "-c", folder / "knot.conf", log=folder / "log")

    def records(at):
        text = lib.dig(at, rpz.ZONE, "AXFR", "+noall", "+answer", "+retry=0")
        return sorted(line.split() for line in text.splitlines() if line and not line.startswith(";"))
    lib.wait_for_dns(secondary, port)
    for serial, changes in enumerate([
            ["add host bad.example passthru"], ["add host bad.example drop", "add domain host.example nodata"],
            ["remove domain bad.example", "add address 2001:db8::/32 drop"], ["remove host bad.example", "remove domain host.example"],
            ["fill 3000"], ["add domain bad.example garden 192.0.2.7 2001:db8::7"], ["add domain bad.example garden 192.0.2.7"]], 2):
        server.version(serial, *changes)
        lib.wait_until(lambda: records(port) == records(server.port), 10, f"version {serial}")
    assert len(server.receipts("ixfr", "done")) >= 6, server.output()
    assert not re.search("IXFR, incoming.*(failed|fallback)", secondary.output()), secondary.output()


def test_several_at_once(tmp):
    """A reader that stands still, one that says half a request, and too many at once: the others have their zone meanwhile."""
    server = rpz.Rpzd(tmp, "--idle", 1500, "--clients", 8)
    server.version(1, *FIRST, "fill 400000")
    still = tcp(server)
    still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    still.sendall(framed(query(AXFR)))
    half = tcp(server)
    half.sendall(framed(query(AXFR))[:9])
    begun = time.monotonic()
    with tcp(server) as s:  # several requests in one connection, sent together
        s.sendall(framed(query(SOA)) * 3)
        assert [rcode(reply(s)) for _ in range(3)] == [0, 0, 0]
        s.sendall(framed(query(AXFR)))
        records = 0
        while records < 400007:
            message = reply(s)
            records += struct.unpack(">H", message[6:8])[0]
    assert time.monotonic() - begun < 5 * lib.SLOWER
    assert half.recv(1) == b""  # ended, since the rest does not come
    lib.wait_until(lambda: server.receipts("axfr", "slow"), 10, "the one that stands still to be ended")
    many = [tcp(server) for _ in range(20)]
    for s in many[12:]:
        s.settimeout(0.5)
    time.sleep(1.2)  # the first of them have been silent for a second
    with tcp(server) as s:
        s.sendall(framed(query(SOA)))
        assert rcode(reply(s)) == 0
    for s in [still, half, *many]:
        s.close()
    assert sum("no place" in line for line in server.said_lines()) == 1, server.said_lines()


def test_ipv6(tmp):
    """On all addresses of both kinds at one port; each is its own."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        lib.skip("no IPv6 here")
    port = lib.free_port()
    server = rpz.Rpzd(tmp, "--listen", f"[::]:{port}", "--listen", f"0.0.0.0:{port}", allow=["::1", "127.0.0.0/8"])
    server.version(1, *FIRST)
    for address in ("::1", "127.0.0.1", "127.0.0.3"):  # kdig takes answers from where it asked only
        for words in (["SOA"], ["AXFR"], ["SOA", "+tcp"]):
            text = lib.run(lib.program("kdig"), f"@{address}", "-p", port, "+retry=0", "+timeout=2", rpz.ZONE, *words).stdout
            assert "hostmaster.localhost. 1 60" in text, (address, words, text)
    assert {r[0] for r in server.receipts("axfr", "done")} == {"::1", "127.0.0.1"}, server.output()


def test_foreign_crowd(tmp):
    """However many connect who may not: those who may are served, at once."""
    server = rpz.Rpzd(tmp, "--clients", 8, allow=["127.0.0.1"])
    server.version(1, *FIRST)
    crowd = [tcp(server, "127.0.0.9") for _ in range(30)]
    for _ in range(6):
        begun = time.monotonic()
        s = tcp(server)
        s.sendall(framed(query(AXFR)))
        assert rcode(reply(s)) == 0 and time.monotonic() - begun < 0.5 * lib.SLOWER
        crowd.append(s)
    assert len(server.said_lines()) == 1, server.said_lines()
    for s in crowd:
        s.close()


def test_views(tmp):
    """Two zones with other contents for other addresses, on one port."""
    port = lib.free_port()
    server = rpz.Rpzd(tmp, "--listen", f"127.0.0.1:{port}", "--zone", "all.test.", "--allow", "127.0.0.2",
                      zone="high.test.", allow=["127.0.0.1"])
    server.tell("zone high.test.", "begin 1", "add host a.test nxdomain", "commit", "zone all.test.", "begin 5", "add host b.test nxdomain",
                "add host a.test passthru", "commit")
    for at in (port, server.port):
        for source, zone, count in (("127.0.0.1", "high.test", 4), ("127.0.0.2", "all.test", 5)):
            with socket.create_connection(("127.0.0.1", at), timeout=5, source_address=(source, 0)) as s:
                s.sendall(framed(query(AXFR, zone)))
                message = reply(s)
                assert (rcode(message), struct.unpack(">H", message[6:8])[0]) == (0, count)
                s.sendall(framed(query(AXFR, "all.test" if zone == "high.test" else "high.test")))
                assert rcode(reply(s)) == REFUSED
