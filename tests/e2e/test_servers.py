"""The same traffic twice: as the resolver tells it by dnstap, and as it lies on the wire of the
loopback. Both databases say the same."""
import json
import re
import time

import lib
from live import capture, finish, may_capture

ZONES = {
    "example.com.": """www A 192.0.2.1
www A 192.0.2.2
www AAAA 2001:db8::1
alias CNAME www
deep.alias CNAME alias
@ MX 10 mail
mail A 192.0.2.25
_sip._tcp SRV 0 5 5060 www
big TXT "{0}" "{1}" "{2}" "{3}" "{4}" "{5}" "{6}" "{7}"
*.wild A 192.0.2.77""".format(*(chr(97 + i) * 200 for i in range(8))),
    "example.net.": "www CNAME www.example.com.\n@ TXT \"v=spf1 -all\"\nhost A 198.51.100.9",
    "2.0.192.in-addr.arpa.": "1 PTR www.example.com.\n25 PTR mail.example.com.",
}
QUESTIONS = [
    ("www.example.com", "A"), ("www.example.com", "AAAA"), ("WwW.ExAmPlE.cOm", "A"), ("deep.alias.example.com", "A"),
    ("example.com", "MX"), ("example.com", "NS"), ("example.com", "SOA"), ("_sip._tcp.example.com", "SRV"),
    ("a.wild.example.com", "A"), ("b.wild.example.com", "A"), ("none.example.com", "A"), ("mail.example.com", "AAAA"),
    ("www.example.net", "A"), ("example.net", "TXT"), ("host.example.net", "A"), ("1.2.0.192.in-addr.arpa", "PTR"),
    ("25.2.0.192.in-addr.arpa", "PTR"), ("big.example.com", "TXT"), ("www.example.com", "A"), ("www.example.com", "A"),
]
LOOKUPS = [
    ("rrset", "*.example.com"), ("rrset", "*.example.net"), ("rrset", "www.example.com"), ("rrset", "example.com", "MX"),
    ("rrset", "*.wild.example.com"), ("rrset", "*.arpa"), ("rrset", "www.*"), ("rrset", "*.example.com", "NXDOMAIN"),
    ("rrset", "*.example.com", "NODATA"), ("rdata", "192.0.2.0/24"), ("rdata", "2001:db8::/32"),
    ("rdata", "www.example.com"), ("rdata", "*.example.com"), ("rdata", "198.51.100.9"),
]


def ask_all(port):
    for name, qtype in QUESTIONS:
        lib.dig(port, name, qtype)
    lib.dig(port, "big.example.com", "TXT", "+tcp")
    lib.dig(port, "www.example.com", "A", "+tcp")


def records(database, *query):
    found = lib.dnsmon_lines("lookup", "--db", database, "--json", "--limit", 0, *query)
    return sorted((r["rrname"], r["rrtype"], json.dumps(r.get("rdata"), sort_keys=True), r["count"]) for r in found)


def dump(database):
    """Without the times of first and last, which the two see a little apart."""
    lines = lib.dnsmon("dump", "--db", database).stdout.splitlines()
    return [re.sub(r"(\t\d+\t\d+)(\t\d+\t\d+\t\d+\t\d+\t\d+\t[^\t]*\t\d+)$", r"\2", line) for line in lines]


def compare(dnstap, wire, least):
    assert len(dump(dnstap)) >= least, (dump(dnstap), dump(wire))
    for query in LOOKUPS:
        a, b = records(dnstap, *query), records(wire, *query)
        assert a == b, f"{query}: only by dnstap {sorted(set(a) - set(b))}, only on the wire {sorted(set(b) - set(a))}"
    assert sum(bool(records(dnstap, *query)) for query in LOOKUPS) >= 12, LOOKUPS
    a, b = dump(dnstap), dump(wire)
    assert a == b, f"only by dnstap {sorted(set(a) - set(b))[:5]}, only on the wire {sorted(set(b) - set(a))[:5]}"
    for database in (dnstap, wire):
        lib.dnsmon("fsck", "--db", database)
    known = {r["rdata"] if isinstance(r["rdata"], str) else tuple(r["rdata"])
             for r in lib.dnsmon_lines("lookup", "--db", wire, "--json", "rrset", "www.example.com", "A")}
    assert known & {"192.0.2.1", ("192.0.2.1", "192.0.2.2"), ("192.0.2.1",)}, known


def counted(database):
    return json.loads(lib.dnsmon("stat", "--db", database, "--json").stdout)["totals"]


def unbound_dnstap(path, *messages):
    lines = "".join(f"    dnstap-log-{message}-messages: yes\n" for message in messages)
    return f'dnstap:\n    dnstap-enable: yes\n    dnstap-socket-path: "{path}"\n{lines}'


def with_dnstap_unbound():
    if "--enable-dnstap" not in lib.run(lib.program("unbound"), "-V").stdout:
        lib.skip("unbound is built without dnstap")


def both(tmp, ports, make_resolver):
    """Runs the questions while both databases are written."""
    may_capture()
    path = tmp / "tap"
    by_dnstap = capture(tmp, "dnstap", "--dnstap", f"unix:{path}")
    lib.wait_for_path(path)
    by_wire = capture(tmp, "wire", "-i", "lo", *(w for port in ports for w in ("--port", port)))
    resolver = make_resolver(path)
    time.sleep(1.5)  # its writer connects
    ask_all(resolver.port)
    time.sleep(2.5)  # and hands over once a second or so
    finish(by_dnstap, "dnstap")
    finish(by_wire, "wire")
    resolver.stop()


# The harness asks each server one question until it is up: of the root's NS, an answer or not.

def test_unbound_clients(tmp):
    """What clients are told."""
    with_dnstap_unbound()
    authority, port = lib.knot(tmp, ZONES), lib.free_port()
    both(tmp, [port], lambda path: lib.unbound(
        tmp, stubs={zone: authority.port for zone in ZONES}, port=port,
        extra=unbound_dnstap(path, "client-query", "client-response")))
    compare(tmp / "dnstap", tmp / "wire", 15)
    a, b = counted(tmp / "dnstap"), counted(tmp / "wire")
    assert a["transactions"] == b["transactions"] > 20, (a, b)


def test_unbound_upstream(tmp):
    """What servers tell the resolver. It asks no other server, not for the root either."""
    with_dnstap_unbound()
    authority = lib.knot(tmp, ZONES)
    both(tmp, [authority.port], lambda path: lib.unbound(
        tmp, stubs={zone: authority.port for zone in [".", *ZONES]},
        extra=unbound_dnstap(path, "resolver-query", "resolver-response")))
    compare(tmp / "dnstap", tmp / "wire", 15)


def test_bind_clients(tmp):
    """BIND's dnstap, with its own way to the servers."""
    if "--enable-dnstap" not in lib.run(lib.program("named"), "-V").stdout:
        lib.skip("named is built without dnstap")
    authority = lib.knot(tmp, ZONES)
    behind = lib.unbound(tmp, stubs={zone: authority.port for zone in ZONES})
    port = lib.free_port()
    both(tmp, [port], lambda path: lib.bind(
        tmp, forward_to=behind.port, port=port,
        options=f'dnstap {{ client; }}; dnstap-output unix "{path}"; empty-zones-enable no;'))
    compare(tmp / "dnstap", tmp / "wire", 15)


def test_capture_ends_at_once_and_goes_on(tmp):
    """TERM without traffic ends it; a second run adds to the first."""
    may_capture()
    server = lib.knot(tmp, ZONES)
    for times in (1, 2):
        process = capture(tmp, "db", "-i", "lo", "--port", server.port)
        time.sleep(0.5)
        lib.dig(server.port, "www.example.com", "A")
        time.sleep(0.8)
        finish(process, f"run {times}")
        found = {r["rdata"] if isinstance(r["rdata"], str) else r["rdata"][0]: r["count"]
                 for r in lib.dnsmon_lines("lookup", "--db", tmp / "db", "--json", "rrset", "www.example.com", "A")}
        assert found and all(count == times for count in found.values()), found
    idle = capture(tmp, "idle", "-i", "lo", "--port", lib.free_port())
    begun = time.monotonic()
    finish(idle, "idle")
    assert time.monotonic() - begun < 5 * lib.SLOWER
