"""dnsmon serve: from an operator's word or a verdict to what real resolvers refuse, over restarts, restored backups and feeds."""
import getpass
import http.client
import re
import shutil
import time

import lib
import rpz
import test_feeds as feeds
import traffic
from test_policy import START, exchange
from test_publish import Published
from test_words import DAY

PROTECT = """
  jump: {{add: 10, drop: 10, least: 100}}
  server:
    listen: ["127.0.0.1:{port}"]
    allow: [{{address: 127.0.0.1, key: dnsmon}}, {{address: 127.0.0.2}}, {{address: 127.0.0.0/8}}]
    keys: {keys}
    secondaries: [{secondaries}]
  feeds: {{dir: {feeds}, listen: "127.0.0.1:{http}", formats: [hosts, rpz, jsonl, unbound, dnsmasq]}}
"""
VIEWS = """
  views:
    - {zone: rpz.dnsmon}
    - {zone: shadow.dnsmon, stages: [shadow]}
"""


class Served(Published):
    """A network whose verdicts are served; `bind` and `unbound` are ports of secondaries to be."""

    def __init__(self, tmp):
        self.tmp, self.names = tmp, lib.knot(tmp, rpz.NAMES)
        self.bind, self.unbound = lib.free_port(), lib.free_port()
        self.port, self.http = lib.free_port(), lib.free_port()
        keys = tmp / "keys"
        keys.touch(mode=0o600)
        keys.write_text(rpz.KEY + "\n")
        self.protect = PROTECT.format(port=self.port, http=self.http, keys=keys, feeds=tmp / "feeds", secondaries=", ".join(
            (f'{{address: "127.0.0.1:{self.bind}", key: dnsmon}}', f'{{address: "127.0.0.1:{self.unbound}"}}')))
        super().__init__(tmp, self.protect)

    def configure(self, protect):
        self.config.write_text(f"public_suffixes: {self.suffixes}\nprotect:\n{protect}{VIEWS}")

    def serve(self):
        self.server = lib.start(lib.dnsmon_path(), "serve", "--db", self.db, "--config", self.config, "--user", getpass.getuser(),
                                log=self.tmp / f"serve-{time.monotonic_ns()}.log")
        lib.wait_until(lambda: self.server.expect_alive() or "answers on" in self.server.output(), 20, "dnsmon serve to answer")
        return self.server

    def say(self, word, name, *more):
        return self.run(word, name, "--reason", "a test", *more)

    def block(self, name):
        return self.say("block", name, "--public-suffixes", self.suffixes)

    def serial(self, zone="rpz.dnsmon"):
        text = lib.dig(self.port, zone, "SOA")
        return int(re.search(r"\sSOA\s+\S+\s+\S+\s+(\d+)", text)[1])

    def get(self, path, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=10)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer, body


def refused_by_all(*resolvers, name):
    return all(rpz.is_refused(r.port, name) for r in resolvers)


def follows(n, resolvers, names, limit=2):
    """Two words in a row, and their withdrawal: each is kept by all within `limit` seconds, the command included."""
    took = []

    def measure(say, kept, what):
        begun = time.monotonic()
        say()
        lib.wait_until(kept, 30, what)
        took.append(time.monotonic() - begun)
    for name in names:
        measure(lambda: n.block(name), lambda: refused_by_all(*resolvers, name=name), f"{name} to be refused")
    for name in names:
        measure(lambda: n.say("withdraw", name), lambda: all(rpz.resolves(r.port, name) for r in resolvers), f"{name} to resolve")
    print("# seconds: " + ", ".join(f"{s:.2f}" for s in took))
    assert max(took) < limit * lib.SLOWER, took


def test_words_in_bind_and_unbound(tmp):
    n = Served(tmp)
    n.block("bad.example")
    n.serve()
    resolvers = [rpz.bind(tmp, n.port, n.names.port, port=n.bind), rpz.unbound(tmp, n.port, n.names.port, port=n.unbound)]
    lib.wait_until(lambda: refused_by_all(*resolvers, name="www.bad.example"), 20, "the zone in both")
    for r in resolvers:
        assert rpz.resolves(r.port, "neighbour.example") and rpz.ask(r.port, "example", "SOA")[0] == "NOERROR"
    follows(n, resolvers, ("next.example", "second.example"))
    why = lib.dig(n.port, "www.bad.example._why.rpz.dnsmon", "TXT")
    assert "domain bad.example" in why and "a test" in why, why
    lib.wait_until(lambda: {r["kind"] for r in n.lines("receipts", "--history")} >= {"axfr", "ixfr", "notify"}, 10, "receipts")
    held = {r["serial"] for r in n.lines("receipts") if r["zone"] == "rpz.dnsmon"}
    assert held == {n.serial()}, (held, n.serial(), n.run("receipts", "--history").stdout)
    assert n.server.stop() == 0, n.server.output()
    for r in resolvers:  # they go on without us
        assert rpz.is_refused(r.port, "bad.example") and rpz.resolves(r.port, "neighbour.example")
    lib.dnsmon("fsck", "--db", n.db)


def test_allowed_below_a_blocked_domain(tmp):
    """It resolves, and so does nothing beside it: not the names between the two either, which exist in the zone for its sake."""
    n = Served(tmp)
    n.block("bad.example")
    n.serve()
    resolvers = [rpz.bind(tmp, n.port, n.names.port, port=n.bind), rpz.unbound(tmp, n.port, n.names.port, port=n.unbound)]
    lib.wait_until(lambda: refused_by_all(*resolvers, name="deep.www.bad.example"), 20, "the zone in both")
    n.say("allow", "deep.www.bad.example", "--public-suffixes", n.suffixes)
    for r in resolvers:
        lib.wait_until(lambda: rpz.resolves(r.port, "deep.www.bad.example"), 20, "what is allowed to resolve")
        for name in ("bad.example", "www.bad.example", "other.www.bad.example", "other.bad.example"):
            assert rpz.is_refused(r.port, name), (name, rpz.ask(r.port, name, "A"))
    assert not n.listed("deep.www.bad.example")["listed"] and n.listed("www.bad.example")["listed"]
    n.run("allow", "--revoke", "deep.www.bad.example", "--public-suffixes", n.suffixes)
    lib.wait_until(lambda: refused_by_all(*resolvers, name="deep.www.bad.example"), 20, "what is allowed no more")


def test_verdicts_in_bind_and_unbound(tmp):
    n = Served(tmp)
    n.analyze(2)
    n.serve()
    resolvers = [rpz.bind(tmp, n.port, n.names.port, port=n.bind), rpz.unbound(tmp, n.port, n.names.port, port=n.unbound)]
    for r in resolvers:
        lib.wait_until(lambda: rpz.resolves(r.port, "firstgate.example"), 20, "the resolver")
    n.analyze(13)
    took = rpz.seconds_until(lambda: refused_by_all(*resolvers, name="firstgate.example"), 30, "the verdict to be enforced")
    print(f"# {took:.2f} seconds from the end of analyze")
    assert took < 2 * lib.SLOWER, took
    assert all(rpz.resolves(r.port, "site01.example") for r in resolvers)


def test_restarts(tmp):
    """kill -9 and a new start: secondaries follow with differences, and serials rise."""
    n = Served(tmp)
    n.block("bad.example")
    server = n.serve()
    resolver = rpz.bind(tmp, n.port, n.names.port, port=n.bind)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 20, "the zone")
    for name in ("next.example", "second.example"):
        before = n.serial()
        server.kill()
        n.block(name)
        server = n.serve()
        assert n.serial() > before
        lib.wait_until(lambda: rpz.is_refused(resolver.port, name), 30, f"{name} to be refused")
    taken = [r["kind"] for r in n.lines("receipts", "--history") if r["zone"] == "rpz.dnsmon" and r["kind"] in ("axfr", "ixfr")]
    assert taken[0] == "axfr" and "axfr" not in taken[1:], taken
    assert rpz.is_refused(resolver.port, "bad.example")


def test_restored_backup(tmp):
    """What came after the backup is forgotten by us, and then by secondaries; the serial goes on above theirs."""
    n = Served(tmp)
    n.block("bad.example")
    server = n.serve()
    resolver = rpz.bind(tmp, n.port, n.names.port, port=n.bind)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 20, "the zone")
    assert server.stop() == 0
    shutil.copytree(n.db, tmp / "backup")
    server = n.serve()
    n.block("next.example")
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "next.example"), 20, "the change")
    before = n.serial()
    server.kill()
    time.sleep(3)  # so many versions more than seconds there were
    shutil.rmtree(n.db)
    shutil.move(tmp / "backup", n.db)
    n.serve()
    assert n.serial() > before, (n.serial(), before)
    lib.wait_until(lambda: rpz.resolves(resolver.port, "next.example"), 30, "what is not known any more to resolve")
    assert rpz.is_refused(resolver.port, "bad.example")


def test_feeds(tmp):
    """By HTTP, with tags; they follow, and stay as they are when nothing of theirs changed."""
    n = Served(tmp)
    n.block("bad.example")
    n.serve()

    def hosts():
        answer, body = n.get("/rpz.dnsmon/hosts.txt")
        return (answer, body) if answer.status == 200 else None
    answer, body = lib.wait_until(hosts, 20, "the first feeds")
    assert "bad.example" in body and "next.example" not in body, body
    same, _ = n.get("/rpz.dnsmon/hosts.txt", **{"If-None-Match": answer.getheader("ETag")})
    assert same.status == 304, same.status
    n.block("next.example")
    lib.wait_until(lambda: "next.example" in hosts()[1], 20, "the feed to follow")
    assert hosts()[0].getheader("ETag") != answer.getheader("ETag")
    zone = tmp / "feeds/rpz.dnsmon"
    files = sorted(path.name for path in zone.iterdir() if not path.name.startswith(".") and path.suffix != ".tmp")
    assert files == ["dnsmasq.conf", "hosts.txt", "indicators.jsonl", "rpz.zone", "unbound.conf"], files
    shadow, text = n.get("/shadow.dnsmon/hosts.txt")
    assert shadow.status == 200 and "bad.example" not in text
    assert n.get("/rpz.dnsmon/../../dnsmon.yaml")[0].status == 404


def test_exceptions_in_feeds(tmp):
    """An operator's allow below a blocked domain is in the files: it resolves, its siblings stay refused, also beside the name between; what is blocked
    below it is refused again. It is no indicator."""
    n = Served(tmp)
    n.block("bad.example")
    for name in ("www.bad.example", "a.b.bad.example", "x.a.b.bad.example", "shop.bad.example"):
        n.say("allow", name)
    n.block("deep.www.bad.example")
    n.say("block", "shop.bad.example", "--scope", "host", "--public-suffixes", n.suffixes)
    n.run("publish")
    zone = tmp / "feeds/rpz.dnsmon"
    resolvers = [
        lib.bind(tmp, forward_to=n.names.port, options='response-policy { zone "rpz.dnsmon"; } qname-wait-recurse no;',
                 extra=f'zone "rpz.dnsmon" {{ type primary; file "{zone}/rpz.zone"; }};'),
        lib.unbound(tmp, stubs={"example": n.names.port}, extra=f'include: "{zone}/unbound.conf"\n'),
        feeds.dnsmasq(tmp, n.names, f"--conf-file={zone}/dnsmasq.conf"),
    ]
    for r in resolvers:
        for name in ("www.bad.example", "a.b.bad.example", "neighbour.example"):
            assert rpz.resolves(r.port, name), (r, name, lib.dig(r.port, name, "A"))
        for name in ("bad.example", "other.bad.example", "c.b.bad.example", "deep.www.bad.example"):
            assert feeds.refused(r.port, name), (r, name, lib.dig(r.port, name, "A"))
    assert rpz.is_refused(resolvers[0].port, "shop.bad.example") and rpz.resolves(resolvers[0].port, "x.shop.bad.example")
    assert "www.bad.example" not in re.sub(r"deep\.www\.bad\.example", "", (zone / "indicators.jsonl").read_text())
    n.say("allow", "www.bad.example", "--revoke")
    n.run("publish")
    assert "\nwww.bad.example" not in (zone / "rpz.zone").read_text()


def test_feeds_stay(tmp):
    """Another view's change, and a version of nothing, leave the file of a zone as it is; its own change makes its serial rise."""
    n = Served(tmp)
    n.block("bad.example")
    n.run("publish")
    files = {view: tmp / f"feeds/{view}.dnsmon/rpz.zone" for view in ("rpz", "shadow")}

    def serial(view):
        return int(re.search(r"SOA localhost\. root\.localhost\. (\d+)", files[view].read_text())[1])
    before = {view: (path.stat().st_ino, serial(view)) for view, path in files.items()}
    time.sleep(1.1)
    n.block("next.example")
    n.run("publish")
    assert serial("rpz") > before["rpz"][1]
    assert (files["shadow"].stat().st_ino, serial("shadow")) == before["shadow"]
    kept = files["rpz"].stat().st_ino
    n.serve()  # makes a version
    time.sleep(1)
    assert files["rpz"].stat().st_ino == kept
    n.say("allow", "else.where.example")  # below nothing
    time.sleep(1)
    assert files["rpz"].stat().st_ino == kept
    n.say("allow", "www.next.example")
    lib.wait_until(lambda: "www.next.example CNAME rpz-passthru." in files["rpz"].read_text(), 20, "the exception")


def seen_at(n, address, *names):
    """Traffic of the last day in which names are at an address."""
    later = (n.start + 20 * DAY - START) * 1000000
    packets = [(micros + later, packet) for i, name in enumerate(names) for micros, packet in exchange(i, name, address)]
    capture = n.tmp / f"{'-'.join(names)}.pcap"
    capture.write_bytes(traffic.pcap_bytes(packets))
    lib.dnsmon("ingest", "--db", n.db, "--public-suffixes", n.suffixes, capture)


def test_infrastructure(tmp):
    """An address at which blocked names alone are is refused, with a name of it that nobody has heard of; until that is known for harmless, too."""
    n, address = Served(tmp), "192.0.2.66"
    blocked = ("bad.example", "next.example", "second.example")
    seen_at(n, bytes([192, 0, 2, 66]), *blocked)
    for name in blocked:
        n.block(name)
    n.configure("  infrastructure: 3" + n.protect.split("  feeds:")[0])  # which but one may write
    server = n.serve()
    resolver = rpz.bind(tmp, n.port, n.names.port, port=n.bind)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "host.example"), 20, "a new name at the address to be refused")
    assert rpz.resolves(resolver.port, "neighbour.example")
    entry, = n.listed(address)["entries"]
    assert (entry["trigger"], entry["stage"], entry["approved_by"]) == ("address", "published", "dnsmon"), entry
    assert entry["reason"] == "3 hosts of 3 registered domains point at it, all of them published", entry
    assert "3 hosts" in lib.dig(n.port, "32.66.2.0.192.rpz-ip._why.rpz.dnsmon", "TXT")

    n.say("withdraw", "second.example")  # which is at that address
    lib.wait_until(lambda: rpz.resolves(resolver.port, "host.example"), 20, "the address to be free again")
    n.block("second.example")
    n.publish()
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "host.example"), 20, "it to be refused again")
    n.say("withdraw", address)
    lib.wait_until(lambda: rpz.resolves(resolver.port, "host.example"), 20, "the withdrawal")
    assert rpz.is_refused(resolver.port, "bad.example")
    n.publish()
    told = n.listed(address)
    assert not told["listed"] and told["entries"][0]["reason"].startswith("withdrawn by "), told
    n.say("approve", address)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "host.example"), 20, "the approval")

    seen_at(n, bytes([192, 0, 2, 66]), "harmless.example")
    assert "1 out" in n.run("publish").stderr
    lib.wait_until(lambda: rpz.resolves(resolver.port, "host.example"), 20, "the address to be free of what is harmless")
    assert ("withdraw", f"address {address}") in [(row["action"], row["subject"]) for row in n.lines("audit")]
    assert server.stop() == 0, server.output()
    lib.dnsmon("fsck", "--db", n.db)


def test_infrastructure_when_policy_says_no(tmp):
    n = Served(tmp)
    seen_at(n, bytes([192, 0, 2, 66]), "bad.example", "next.example")
    n.block("bad.example")
    n.block("next.example")
    n.publish()
    assert n.listed("192.0.2.66")["entries"] == []
    n.configure("  infrastructure: 2" + n.protect)
    n.publish()
    assert n.listed("192.0.2.66")["listed"]
    n.configure("  infrastructure: 0" + n.protect)
    n.serve()
    resolver = rpz.bind(tmp, n.port, n.names.port, port=n.bind)
    lib.wait_until(lambda: rpz.is_refused(resolver.port, "bad.example"), 20, "the zone")
    assert rpz.resolves(resolver.port, "host.example")
    lib.wait_until(lambda: n.listed("192.0.2.66")["entries"][0]["stage"] == "out", 20, "it to be taken out")


def test_what_is_refused(tmp):
    n = Served(tmp)
    n.config.write_text("protect:\n  infrastructure: 0\n")
    done = n.run("serve", check=False)
    assert done.returncode == 2 and "no view" in done.stderr, done
    n.configure('  server: {listen: ["127.0.0.1:notaport"]}\n')
    done = n.run("serve", check=False)
    assert done.returncode in (1, 2) and "notaport" in done.stderr, done
