"""Feeds: each format loaded by the program it is for, which then refuses what is listed and nothing beside it.

Suricata and Zeek are no packages of Debian 12, and blockers of adblock rules are not either: these three formats are held against what
their documentation says of the syntax.
"""
import hashlib
import http.client
import json
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time
import uuid

import lib
import stix
import test_knowledge as known
import test_policy as blocking
import traffic

LONG_NAME = ".".join([letter * 60 for letter in "abcd"]) + ".exam.ple"  # 254 bytes in wire form, 2 below the limit
ODD_NAMES = [r"semi\;colon\"quote.example", r"a\010new\032line.example", r"\035hash.example", r"sl/ash|pipe^.example"]
DOMAINS = ["bad.example", "xn--bcher-kva.example", "under_score.example"]
HOSTS = ["host.shop.example", "inner.bad.example"]
BELOW = ["www.bad.example", "deep.www.bad.example", "x.inner.bad.example", "a.xn--bcher-kva.example", "b.under_score.example"]
PASSED = ["good.example", "notbad.example", "bad.example.good.example", "shop.example", "other.shop.example", "x.host.shop.example"]
ZONE = {"example.": "* A 192.0.2.80\n* AAAA 2001:db8::80\n"}
NOBODY = {"0.0.0.0", "::"}
FILES = ["rpz", "hosts", "adblock", "dnsmasq", "unbound", "suricata", "zeek", "stix", "policy", "jsonl", "csv"]


def database(tmp):
    """What operators block, odd names among them; and what analysis found: two names of a campaign and of a family, and a lure."""
    db = known.database(tmp)
    for name in DOMAINS:
        known.say(db, "block", name, "--reason", f"is; \"bad\"")
    for name in HOSTS + ODD_NAMES + [LONG_NAME]:
        known.say(db, "block", name, "--scope", "host", "--reason", "is bad")
    with sqlite3.connect(db / "knowledge.db") as c:
        c.execute("INSERT INTO campaign (id, identity, born, title) VALUES (7, 'c-7', ?, 'two names')", (known.STEP,))
        for name, categories, family, campaign in (("c2a.example", ["malware"], "qak bot", 7), ("c2b.example", ["malware", "tunnel"], "qak bot", 7),
                                                   ("lure.example", ["phishing"], "", None)):
            known.verdict(c, name, "high_risk", .9, known.STEP, None, campaign)
            known.evidence(c, name, "curve", 1.5, known.STEP - 2)
            c.execute("INSERT INTO indicator VALUES (?, 'domain', 'high_risk', .9, ?, ?, ?, ?, ?, ?, 'active', '')",
                      (name, json.dumps(categories), family, campaign, known.SECONDS - 99, known.STEP, known.SECONDS + 99))
    c.close()
    return db


def write(db, name, path):
    return known.say(db, "indicators", "--format", name, "--out", path)


def text(db, name):
    return known.say(db, "indicators", "--format", name).stdout


def withdraw(db, name):
    known.say(db, "block", "--revoke", name)


def answer(port, name, kind="A"):
    """Status and addresses."""
    said = lib.dig(port, name, kind, "+noedns")
    status = re.search(r"status: (\w+)", said)
    return status[1] if status else "", set(re.findall(rf"^[^;\s]\S*\s+\d+\s+IN\s+{kind}\s+(\S+)", said, re.M))


def refused(port, name):
    return all(answer(port, name, kind)[1] <= NOBODY for kind in ("A", "AAAA"))


def resolves(port, name):
    return answer(port, name) == ("NOERROR", {"192.0.2.80"}) and answer(port, name, "AAAA") == ("NOERROR", {"2001:db8::80"})


def check(port, blocked=DOMAINS + HOSTS + BELOW, passed=PASSED):
    for name in blocked + [blocked[0].upper()]:
        assert refused(port, name), (name, answer(port, name))
    for name in passed:
        assert resolves(port, name), (name, answer(port, name))


def write_items(name, path, items, *words):
    """A feed of items that no command gives yet: what views choose."""
    (path.parent / "items").write_text("".join(f"{item}\n" for item in items))
    with open(path.parent / "items") as lines:
        done = subprocess.run([lib.built("tests/feed_items"), name, path, *words], stdin=lines, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    return int(done.stdout)


# ---- resolvers ----

def test_rpz_in_bind(tmp):
    """And a name that is withdrawn resolves again when the file has been read anew."""
    db, origin, path = database(tmp), lib.knot(tmp, ZONE), tmp / "rpz.zone"
    write(db, "rpz", path)
    said = lib.run(lib.program("named-checkzone"), "-i", "none", "rpz.test", path).stdout
    assert "loaded serial" in said and said.rstrip().endswith("OK"), said
    server = lib.bind(tmp, forward_to=origin.port, options='response-policy { zone "rpz.test"; } qname-wait-recurse no;',
                      extra=f'zone "rpz.test" {{ type primary; file "{path}"; }};')
    check(server.port)
    assert answer(server.port, "bad.example")[0] == "NXDOMAIN"
    assert answer(server.port, ODD_NAMES[0])[0] == "NXDOMAIN" and answer(server.port, ODD_NAMES[2])[0] == "NXDOMAIN"
    log = server.process.output()
    assert not re.search(r"rpz.*(invalid|error|ignor)|out-of-zone", log), log
    withdraw(db, "bad.example")
    write(db, "rpz", path)
    server.process.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: resolves(server.port, "www.bad.example"), what="BIND to load the zone again")
    assert refused(server.port, "host.shop.example") and refused(server.port, "inner.bad.example")


def test_rpz_in_knot_resolver(tmp):
    db, origin, path, port = database(tmp), lib.knot(tmp, ZONE), tmp / "rpz.zone", lib.free_port()
    write(db, "rpz", path)
    folder = tmp / "kresd"
    folder.mkdir()
    (folder / "kresd.conf").write_text(f"""
net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
trust_anchors.remove('.')
cache.size = 10 * MB
modules.unload('priming')
policy.add(policy.rpz(policy.DENY, '{path}', true))
policy.add(policy.suffix(policy.FORWARD('127.0.0.1@{origin.port}'), policy.todnames({{'example.'}})))
""")
    process = lib.start(lib.program("kresd"), "-n", "-c", folder / "kresd.conf", folder, log=folder / "log", cwd=folder)
    server = lib.Server(process, port, folder)
    check(port)
    assert answer(port, "bad.example")[0] == "NXDOMAIN"
    assert "RPZ" not in process.output(), process.output()
    withdraw(db, "bad.example")
    write(db, "rpz", path)
    lib.wait_until(lambda: resolves(port, "www.bad.example"), what="Knot Resolver to see that the file is another")
    assert refused(port, "host.shop.example")
    server.stop()


def test_rpz_in_unbound(tmp):
    db, origin, path = database(tmp), lib.knot(tmp, ZONE), tmp / "rpz.zone"
    write(db, "rpz", path)
    server = lib.unbound(tmp, stubs={"example": origin.port}, extra=f"""server:
    module-config: "respip iterator"
rpz:
    name: "rpz.test."
    zonefile: "{path}"
""")
    check(server.port)
    assert answer(server.port, "bad.example")[0] == "NXDOMAIN" and answer(server.port, ODD_NAMES[0])[0] == "NXDOMAIN"


def test_rpz_in_powerdns(tmp):
    db, origin, path, port = database(tmp), lib.knot(tmp, ZONE), tmp / "rpz.zone", lib.free_port()
    write(db, "rpz", path)
    folder = tmp / "powerdns"
    folder.mkdir()
    (folder / "rpz.lua").write_text(f"rpzFile('{path}', {{ policyName = 'rpz.test' }})\n")
    (folder / "recursor.conf").write_text(f"""local-address=127.0.0.1
local-port={port}
socket-dir={folder}
lua-config-file={folder / "rpz.lua"}
forward-zones=example=127.0.0.1:{origin.port}
dont-query=
dnssec=off
threads=1
security-poll-suffix=
hint-file=no
""")
    process = lib.start(lib.program("pdns_recursor"), f"--config-dir={folder}", "--daemon=no", "--write-pid=no", log=folder / "log")
    lib.Server(process, port, folder)
    check(port)
    assert answer(port, "bad.example")[0] == "NXDOMAIN", process.output()


def test_unbound(tmp):
    db, origin, path = database(tmp), lib.knot(tmp, ZONE), tmp / "feed.conf"
    write(db, "unbound", path)
    (tmp / "check.conf").write_text(f'server:\n    chroot: ""\n    username: ""\ninclude: "{path}"\n')
    lib.run(lib.program("unbound-checkconf"), tmp / "check.conf")
    server = lib.unbound(tmp, stubs={"example": origin.port}, extra=f'include: "{path}"\n')
    check(server.port)
    assert answer(server.port, "www.bad.example")[0] == "NXDOMAIN" and answer(server.port, "host.shop.example")[0] == "NOERROR"
    withdraw(db, "bad.example")
    write(db, "unbound", path)
    server.process.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: resolves(server.port, "www.bad.example"), what="Unbound to read it again")
    assert refused(server.port, "host.shop.example")


ACTIONS = ["domain nodata empty.example", "domain drop silent.example", "domain garden walled.example 192.0.2.66 2001:db8::66",
           "domain garden named.example garden.safe.example", "domain passthru shadow.example", "host garden one.example 192.0.2.66",
           "host nodata www.walled.example", "host nxdomain www.shadow.example"]
GARDEN = {"192.0.2.66"}


def test_actions_in_bind(tmp):
    """Each action, and addresses and networks; name servers are loaded, for a resolver that forwards meets none."""
    zones = {"example.": ZONE["example."] + "evil4 A 192.0.2.99\nevil6 AAAA 2001:db8:dead::1\ncompat AAAA 2001:db8:0:1:0:0:0:1\n"
             "net A 198.51.100.77\n"}
    origin, path = lib.knot(tmp, zones), tmp / "rpz.zone"
    items = ACTIONS + ["address nxdomain 192.0.2.99", "address nxdomain 198.51.100.64/26", "address nxdomain 2001:db8:dead::/48",
                       "address nxdomain 2001:db8:0:1::1", "address nxdomain ::", "address nxdomain ::ffff:192.0.2.1", "nameserver nxdomain ns.evilns.example"]
    assert write_items("rpz", path, items, "rpz.test") == len(items) - 1  # www.walled.example is covered
    lib.run(lib.program("named-checkzone"), "-i", "none", "rpz.test", path)
    server = lib.bind(tmp, forward_to=origin.port, options='response-policy { zone "rpz.test"; } qname-wait-recurse no;',
                      extra=f'zone "rpz.test" {{ type primary; file "{path}"; }};')
    log = server.process.output()
    assert not re.search(r"rpz.*(invalid|error|ignor)|out-of-zone", log), log
    assert answer(server.port, "www.empty.example") == ("NOERROR", set())
    assert answer(server.port, "www.walled.example") == answer(server.port, "one.example") == ("NOERROR", GARDEN)
    assert answer(server.port, "named.example") == ("NOERROR", {"192.0.2.80"})
    assert "garden.safe.example." in lib.dig(server.port, "x.named.example", "A")
    assert resolves(server.port, "shadow.example") and resolves(server.port, "x.shadow.example") and resolves(server.port, "x.one.example")
    assert answer(server.port, "www.shadow.example")[0] == "NXDOMAIN"
    for name, kind in ("evil4", "A"), ("net", "A"), ("evil6", "AAAA"), ("compat", "AAAA"):
        assert answer(server.port, f"{name}.example", kind)[0] == "NXDOMAIN", name


def test_actions_in_unbound(tmp):
    origin, path = lib.knot(tmp, ZONE), tmp / "feed.conf"
    write_items("unbound", path, ACTIONS)
    server = lib.unbound(tmp, stubs={"example": origin.port}, extra=f'include: "{path}"\n')
    assert answer(server.port, "www.empty.example") == ("NOERROR", set())
    assert answer(server.port, "www.walled.example")[0] == answer(server.port, "named.example")[0] == "NXDOMAIN"  # as it says
    assert answer(server.port, "one.example") == ("NOERROR", GARDEN) and resolves(server.port, "x.one.example")
    assert resolves(server.port, "shadow.example") and refused(server.port, "www.shadow.example")
    assert "blocked: malicious" in lib.dig(server.port, "one.example", "TXT")
    assert lib.run(lib.program("kdig"), "@127.0.0.1", "-p", server.port, "+timeout=1", "+retry=0", "silent.example", check=False).returncode != 0


def test_actions_in_dnsmasq(tmp):
    origin, path = lib.knot(tmp, ZONE), tmp / "feed.conf"
    write_items("dnsmasq", path, ACTIONS)
    server = dnsmasq(tmp, origin, f"--conf-file={path}")
    assert answer(server.port, "www.walled.example") == answer(server.port, "one.example") == ("NOERROR", GARDEN)
    assert answer(server.port, "x.walled.example", "AAAA") == ("NOERROR", {"2001:db8::66"})
    assert answer(server.port, "named.example")[0] == "NXDOMAIN" and resolves(server.port, "x.one.example")
    assert resolves(server.port, "shadow.example") and refused(server.port, "www.shadow.example")


ALLOWED = ["domain nxdomain bad.example", "domain nxdomain covered.bad.example", "domain nxdomain evil.www.bad.example",
           "host nxdomain www.shop.bad.example", "domain allow www.bad.example bad.example nxdomain",
           "domain allow deep.a.b.bad.example bad.example nxdomain", "domain allow also.a.b.bad.example bad.example nxdomain"]
ALLOWED_HOSTS = ["host allow one.bad.example bad.example nxdomain", "host allow b.bad.example bad.example nxdomain"]
LET_THROUGH = ["www.bad.example", "x.www.bad.example", "x.y.www.bad.example", "deep.a.b.bad.example", "x.deep.a.b.bad.example", "also.a.b.bad.example"]
STAYS = ["bad.example", "other.bad.example", "x.one.bad.example", "a.b.bad.example", "x.a.b.bad.example", "y.b.bad.example", "x.y.b.bad.example",
         "covered.bad.example", "x.covered.bad.example", "evil.www.bad.example", "x.evil.www.bad.example", "www.shop.bad.example", "shop.bad.example"]
ONE = ["one.bad.example", "b.bad.example"]


def test_exceptions_in_bind(tmp):
    """What is allowed below a domain resolves; its siblings, and the names between the two, stay refused."""
    origin, path = lib.knot(tmp, ZONE), tmp / "rpz.zone"
    assert write_items("rpz", path, ALLOWED + ALLOWED_HOSTS, "rpz.test") == 7
    lib.run(lib.program("named-checkzone"), "-i", "none", "rpz.test", path)
    server = lib.bind(tmp, forward_to=origin.port, options='response-policy { zone "rpz.test"; } qname-wait-recurse no;',
                      extra=f'zone "rpz.test" {{ type primary; file "{path}"; }};')
    check(server.port, STAYS, LET_THROUGH + ONE + PASSED[:2])


def test_exceptions_in_rpz_of_unbound(tmp):
    origin, path = lib.knot(tmp, ZONE), tmp / "rpz.zone"
    write_items("rpz", path, ALLOWED + ALLOWED_HOSTS, "rpz.test")
    server = lib.unbound(tmp, stubs={"example": origin.port}, extra=f"""server:
    module-config: "respip iterator"
rpz:
    name: "rpz.test."
    zonefile: "{path}"
""")
    check(server.port, STAYS, LET_THROUGH + ONE + PASSED[:2])


def test_exceptions_in_unbound(tmp):
    """Single hosts cannot be said, and stay refused."""
    origin, path = lib.knot(tmp, ZONE), tmp / "feed.conf"
    assert write_items("unbound", path, ALLOWED + ALLOWED_HOSTS) == 5
    assert "2 left out that are allowed below a listed domain" in path.read_text()
    server = lib.unbound(tmp, stubs={"example": origin.port}, extra=f'include: "{path}"\n')
    check(server.port, STAYS + ONE, LET_THROUGH + PASSED[:2])


def test_exceptions_in_dnsmasq(tmp):
    origin, path = lib.knot(tmp, ZONE), tmp / "feed.conf"
    assert write_items("dnsmasq", path, ALLOWED + ALLOWED_HOSTS) == 5
    server = dnsmasq(tmp, origin, f"--conf-file={path}")
    check(server.port, STAYS + ONE, LET_THROUGH + PASSED[:2])


def dnsmasq(tmp, origin, *words):
    port = lib.free_port()
    folder = tmp / f"dnsmasq-{port}"
    folder.mkdir()
    process = lib.start(lib.program("dnsmasq"), "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces", "--no-daemon",
                        "--listen-address=127.0.0.1", f"--port={port}", f"--server=127.0.0.1#{origin.port}", "--pid-file", "--user=",
                        "--cache-size=0", *words, log=folder / "log")
    return lib.Server(process, port, folder)


def test_dnsmasq(tmp):
    db, origin, path = database(tmp), lib.knot(tmp, ZONE), tmp / "feed.conf"
    write(db, "dnsmasq", path)
    assert "syntax check OK" in lib.run(lib.program("dnsmasq"), "--test", f"--conf-file={path}").stderr
    server = dnsmasq(tmp, origin, f"--conf-file={path}")
    check(server.port)
    assert answer(server.port, "bad.example")[0] == "NXDOMAIN"
    server.stop()
    withdraw(db, "bad.example")
    write(db, "dnsmasq", path)
    server = dnsmasq(tmp, origin, f"--conf-file={path}")
    assert resolves(server.port, "www.bad.example") and refused(server.port, "host.shop.example")


def test_hosts(tmp):
    """Without wildcards: what is below a domain passes, as the file says."""
    db, origin, path = database(tmp), lib.knot(tmp, ZONE), tmp / "hosts"
    write(db, "hosts", path)
    server = dnsmasq(tmp, origin, f"--addn-hosts={path}")
    check(server.port, DOMAINS + HOSTS, PASSED + ["www.bad.example"])
    said = path.read_text()
    assert re.search(r"^# items: 9, 6 of them without what is below the name, 4 left out for their name$", said, re.M), said[-300:]
    withdraw(db, "bad.example")
    write(db, "hosts", path)
    server.process.send_signal(signal.SIGHUP)
    lib.wait_until(lambda: resolves(server.port, "bad.example"), what="dnsmasq to read it again")


def test_cdb_in_dnsdist(tmp):
    db, origin, path, port = database(tmp), lib.knot(tmp, ZONE), tmp / "dnsdist.cdb", lib.free_port()
    done = write(db, "cdb", path)
    assert "cdb cannot express 4 indicators" in done.stderr, done.stderr
    config = tmp / "dnsdist.conf"
    config.write_text(f"""
setSecurityPollSuffix('')
setLocal('127.0.0.1:{port}')
newServer({{ address = '127.0.0.1:{origin.port}', healthCheckMode = 'up' }})
feed = newCDBKVStore('{path}', 1)
addAction(KeyValueStoreLookupRule(feed, KeyValueLookupKeySuffix(1, true)), RCodeAction(DNSRCode.NXDOMAIN))
addAction(KeyValueStoreLookupRule(feed, KeyValueLookupKeyQName(false)), RCodeAction(DNSRCode.NXDOMAIN))
""")
    lib.run(lib.program("dnsdist"), "--check-config", "-C", config)
    process = lib.start(lib.program("dnsdist"), "--supervised", "--disable-syslog", "-C", config, log=tmp / "dnsdist.log")
    lib.Server(process, port, tmp)
    check(port)
    assert answer(port, "HOST.shop.EXAMPLE")[0] == "NXDOMAIN"
    withdraw(db, "bad.example")
    write(db, "cdb", path)
    # it looks at the file once a second, and only at its time in seconds
    lib.wait_until(lambda: resolves(port, "www.bad.example"), what="dnsdist to see that the file is another")
    assert refused(port, "host.shop.example") and refused(port, "inner.bad.example")


def test_policy(tmp):
    """What is enforced is recognised when its traffic comes back."""
    db, path = database(tmp), tmp / "policy"
    write(db, "policy", path)
    packets = [p for second, name in enumerate(["bad.example", "www.bad.example", "good.example", "host.shop.example", "shop.example"])
               for p in blocking.exchange(second, name)]
    (tmp / "traffic.pcap").write_bytes(traffic.pcap_bytes(packets))
    run = json.loads(lib.dnsmon("ingest", "--db", tmp / "seen", "--json", "--policy", path, tmp / "traffic.pcap").stdout)
    assert run["skipped"] == {"policy_answer": 3}, run
    assert len([line for line in path.read_text().splitlines() if line and line[0] != "#"]) == 12  # odd names as well


def test_nothing_is_listed(tmp):
    """Feeds of nothing are loaded as well."""
    db = known.database(tmp)
    known.say(db, "allow", "good.example", "--reason", "ours")
    for name in FILES + ["cdb", "misp"]:
        write(db, name, tmp / name)
    lib.run(lib.program("named-checkzone"), "-i", "none", "rpz.test", tmp / "rpz")
    (tmp / "check.conf").write_text(f'server:\n    chroot: ""\n    username: ""\ninclude: "{tmp / "unbound"}"\n')
    lib.run(lib.program("unbound-checkconf"), tmp / "check.conf")
    lib.run(lib.program("dnsmasq"), "--test", f"--conf-file={tmp / 'dnsmasq'}")
    (tmp / "dnsdist.conf").write_text(f"feed = newCDBKVStore('{tmp / 'cdb'}', 1)\n")
    lib.run(lib.program("dnsdist"), "--check-config", "-C", tmp / "dnsdist.conf")
    assert [o["type"] for o in json.loads((tmp / "stix").read_text())["objects"]] == ["identity"]
    assert json.loads((tmp / "misp/manifest.json").read_text()) == {} and (tmp / "misp/hashes.csv").read_text() == ""
    assert (tmp / "jsonl").read_text() == "" and (tmp / "csv").read_text().count("\n") == 1


# ---- by their documentation ----

PLAIN = r"[a-z0-9_.-]+"


def lines_of(said, sign):
    lines = said.splitlines()
    assert lines[0].startswith(sign + " ") and lines[-1].startswith(sign + " items: "), said
    return [line for line in lines if not line.startswith(sign)]


def test_adblock_syntax(tmp):
    """Each rule is ||name^, the name and all below it, or |name^, the name alone, of AdGuard's syntax for filters of DNS."""
    rules = lines_of(text(database(tmp), "adblock"), "!")
    assert all(re.fullmatch(rf"\|\|?{PLAIN}\^", rule) for rule in rules), rules
    assert {f"||{name}^" for name in DOMAINS} | {"|host.shop.example^"} <= set(rules) and len(rules) == 8, rules


def suricata_options(rule):
    """(keyword, value or None) of a rule: header, then options that end with ';', which in values is escaped."""
    head, body = re.fullmatch(r"(alert (?:dns|ip) any any -> \S+ any) \((.*)\)", rule).groups()
    options = re.findall(r'\s*([a-z_.]+)(?::((?:"(?:[^"\\;]|\\.)*"|[^";])*))?;', body)
    assert "".join(f"{k}:{v};" if v else f"{k};" for k, v in options) == re.sub(r"; ", ";", body), rule
    return head, options


def test_suricata_syntax(tmp):
    """Rules as the manual's chapters on the format, on dns.query, on dotprefix, on content and on meta keywords have them."""
    db = database(tmp)
    rules, sids, contents = lines_of(text(db, "suricata"), "#"), {}, set()
    for rule in rules:
        head, options = suricata_options(rule)
        said = dict(options)
        assert [k for k, v in options][-2:] == ["sid", "rev"] and options[0][0] == "msg", rule
        assert head == "alert dns any any -> any any"
        content = re.fullmatch(rf'"({PLAIN})"', said["content"])[1]
        assert len(content) <= 255 and "nocase" in said and "endswith" in said and "dns.query" in said, rule
        assert ("dotprefix" in said) == content.startswith(".") and ("startswith" in said) != content.startswith("."), rule
        assert list(said).index("dns.query") < list(said).index("content"), rule
        assert re.fullmatch(r"[a-z_]+ [\w.-]+(, [a-z_]+ [\w.-]+)*", said["metadata"]), rule
        assert 0 < int(said["sid"]) < 2 ** 32 and int(said["rev"]) > 0, rule
        sids[content] = said["sid"]
        contents.add(content)
    assert len(set(sids.values())) == len(rules) == 9, rules
    assert {"." + name for name in DOMAINS} | set(HOSTS) <= contents, contents
    withdraw(db, "bad.example")
    assert {f"sid:{sid};" for content, sid in sids.items() if content != ".bad.example"} == \
        set(re.findall(r"sid:\d+;", text(db, "suricata"))), "numbers change when another name goes"


def test_zeek_syntax(tmp):
    """A line of fields, each line as many, none empty, types of Intel::Type."""
    said = text(database(tmp), "zeek")
    head, *rows = lines_of(said.replace("#fields", "fields"), "#")
    assert head.split("\t") == ["fields", "indicator", "indicator_type", "meta.source", "meta.desc", "meta.url"], head
    rows = [row.split("\t") for row in rows]
    assert all(len(row) == 5 and all(row) for row in rows), rows
    assert {row[1] for row in rows} == {"Intel::DOMAIN"} and set(DOMAINS + HOSTS) <= {row[0] for row in rows} and len(rows) == 9, rows
    assert all(re.fullmatch(r"[ -~]+", row[3]) for row in rows), rows


def test_stix(tmp):
    db = database(tmp)
    first = text(db, "stix")
    objects = stix.check_bundle(json.loads(first))
    indicators = {o["name"]: o for o in objects["indicator"]}
    assert set(indicators) == set(DOMAINS + HOSTS + ["c2a.example", "c2b.example", "lure.example"]) | {LONG_NAME}, indicators.keys()
    assert indicators["bad.example"]["pattern"] == "[domain-name:value = 'bad.example' OR domain-name:value LIKE '%.bad.example']"
    assert indicators["host.shop.example"]["pattern"] == "[domain-name:value = 'host.shop.example']"
    lure = indicators["lure.example"]
    assert (lure["valid_from"], lure["valid_until"], lure["created"]) == \
        ("2023-11-15T00:00:00.000Z", "2023-11-15T00:01:39.000Z", "2023-11-14T23:58:21.000Z"), lure
    assert lure["confidence"] == 90 and lure["labels"] == ["phishing"] and "curve +1.5" in lure["description"], lure
    assert [(m["name"], m["is_family"]) for m in objects["malware"]] == [("qak bot", True)]
    of_campaign = [i for i in objects["infrastructure"] if i["name"] == "campaign c-7"]
    assert sorted(i["infrastructure_types"][0] for i in of_campaign) == ["command-and-control", "exfiltration"], of_campaign
    for o in objects["domain-name"]:  # 2.9
        canonical = json.dumps({"value": o["value"]}, separators=(",", ":"))
        assert o["id"] == f"domain-name--{uuid.uuid5(uuid.UUID('00abedb4-aa42-466c-9c01-fed23315a9b7'), canonical)}", o
    assert text(db, "stix") == first
    withdraw(db, "bad.example")
    again = stix.check_bundle(json.loads(text(db, "stix")))
    assert {o["id"]: o for o in again["indicator"]} == {o["id"]: o for o in objects["indicator"] if o["name"] != "bad.example"}


def misp_feed(folder):
    """A feed as MISP's own generator lays it out: {event uuid: event}."""
    manifest = json.loads((folder / "manifest.json").read_text())
    events = {path.stem: json.loads(path.read_text())["Event"] for path in folder.glob("*-*.json")}
    assert set(events) == set(manifest), (events.keys(), manifest.keys())
    hashes, attributes = set(), set()
    for name, event in events.items():
        assert event["uuid"] == name == str(uuid.UUID(name)) and event["published"] is True, event
        for key in "info", "Orgc", "analysis", "Tag", "timestamp", "date", "threat_level_id":
            assert manifest[name][key] == event[key], key
        assert set(event["Orgc"]) == {"name", "uuid"} and uuid.UUID(event["Orgc"]["uuid"]), event["Orgc"]
        assert event["threat_level_id"] in "1234" and event["analysis"] in "012" and re.fullmatch(r"\d{4}-\d\d-\d\d", event["date"]), event
        for a in event["Attribute"]:
            assert a["type"] in ("domain", "hostname", "ip-dst") and a["category"] == "Network activity" and a["to_ids"] is True, a
            assert a["timestamp"].isdigit() and int(a["timestamp"]) <= int(event["timestamp"]), a
            assert a["uuid"] not in attributes, a
            attributes.add(a["uuid"])
            hashes.add(f"{hashlib.md5(a['value'].encode()).hexdigest()},{name}")
    assert set((folder / "hashes.csv").read_text().split()) == hashes
    return events


def test_misp(tmp):
    db, folder = database(tmp), tmp / "misp"
    write(db, "misp", folder)
    events = misp_feed(folder)
    campaign, = (e for e in events.values() if e["info"] == "DNSMon: campaign c-7")
    assert [a["value"] for a in campaign["Attribute"]] == ["c2a.example", "c2b.example"] and campaign["date"] == "2023-11-15", campaign
    assert {(t["name"]) for a in campaign["Attribute"] for t in a["Tag"]} == {'dnsmon:category="malware"', 'dnsmon:category="tunnel"'}
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*.json")}
    (folder / ".new").mkdir()
    (folder / ".new" / f"{campaign['uuid']}.json").write_text("of one that was killed")
    write(db, "misp", folder)
    assert not (folder / ".new").exists()
    assert {path: path.stat().st_mtime_ns for path in folder.glob("*.json")} == before
    with sqlite3.connect(db / "knowledge.db") as c:
        c.execute("UPDATE indicator SET state = 'expired' WHERE campaign = 7")
    c.close()
    write(db, "misp", folder)
    assert set(misp_feed(folder)) == set(events) - {campaign["uuid"]}


# ---- files, and HTTP ----

def test_files(tmp):
    """The same is left alone; no half file is ever there; what cannot be written is told, and the former file stays."""
    db, folder = database(tmp), tmp / "feeds"
    folder.mkdir()
    for name in FILES + ["cdb"]:
        path = folder / name
        write(db, name, path)
        assert name == "cdb" or path.read_text() == text(db, name), name
        before = path.stat()
        write(db, name, path)
        assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns), name
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES + ["cdb"] + [f".{n}.digest" for n in FILES + ["cdb"]])
    withdraw(db, "bad.example")
    for name in FILES + ["cdb"]:
        before = (folder / name).read_bytes()
        (folder / f"{name}.tmp").write_text("of one that was killed")
        write(db, name, folder / name)
        assert (folder / name).read_bytes() != before, name
    assert not list(folder.glob("*.tmp"))
    with open("/dev/full", "w") as full:
        done = subprocess.run([lib.dnsmon_path(), "indicators", "--db", db, "--format", "rpz"], stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1 and b"standard output" in done.stderr, done
    for words, code in ((["--format", "cdb"], 2), (["--format", "misp"], 2), (["--format", "table", "--out", "x"], 2), (["--format", "xml"], 2),
                        (["--format", "rpz", "--out", tmp / "nowhere/rpz"], 1), (["--format", "misp", "--out", folder / "rpz"], 1)):
        done = known.say(db, "indicators", *words, check=False)
        assert done.returncode == code and done.stderr and not done.stdout, (words, done)


class Web:
    """The HTTP server of feeds, as a program of its own."""

    def __init__(self, folder):
        self.child = subprocess.Popen([lib.built("tests/feeds"), folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.child.stdout.readline())

    def ask(self, path, method="GET", headers={}):
        """Status, headers with small letters, content."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        reply = connection.getresponse()
        said = reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
        connection.close()
        return said

    def stop(self):
        self.child.stdin.close()
        counts = json.loads(self.child.stdout.read())
        assert self.child.wait(10) == 0
        return counts


def test_http_hostile(tmp):
    """What is being sent stays whole while the feed becomes another; those who only hold connections keep nobody out; rubbish is refused."""
    folder, old, new = tmp / "feeds", b"0.0.0.0 old.example\n" * 2_000_000, b"0.0.0.0 new.example\n"
    folder.mkdir()
    (folder / "hosts.txt").write_bytes(old)
    web = Web(folder)
    try:
        slow = socket.create_connection(("127.0.0.1", web.port))
        slow.settimeout(20)
        slow.sendall(b"GET /hosts.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        got = slow.recv(100)
        (folder / "new").write_bytes(new)
        (folder / "new").rename(folder / "hosts.txt")
        assert web.ask("/hosts.txt")[2] == new
        while piece := slow.recv(1 << 20):
            got += piece
        assert got.split(b"\r\n\r\n", 1)[1] == old
        slow.close()

        idle = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(40)]  # 16 of an address are served
        time.sleep(0.2)
        for connection in idle[:20]:
            connection.close()
        lib.wait_until(lambda: served(web, "/hosts.txt"), what="a place to be free")
        for rubbish in b"\0" * 100, b"GET\r\n\r\n", b"GET /hosts.txt HTTP/9.9\r\n\r\n", b"GET /" + b"x" * 40000, b"A" * 20000 + b"\r\n\r\n", b"":
            with socket.create_connection(("127.0.0.1", web.port)) as connection:
                connection.settimeout(0.3)
                try:
                    connection.sendall(rubbish)
                    connection.shutdown(socket.SHUT_WR)
                    said = connection.recv(1000)
                except OSError:
                    said = b""  # the server ended it
                assert b" 200 " not in said, rubbish
        for connection in idle[20:]:
            connection.close()
        lib.wait_until(lambda: served(web, "/hosts.txt"), what="a place to be free")
    finally:
        web.stop()


def served(web, path):
    try:
        return web.ask(path)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_http(tmp):
    db, folder = database(tmp), tmp / "feeds"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    for name, file in (("hosts", "hosts.txt"), ("stix", "stix.json"), ("misp", "misp")):
        write(db, name, folder / file)
    web = Web(folder)
    try:
        status, head, content = web.ask("/hosts.txt")
        assert status == 200 and content == (folder / "hosts.txt").read_bytes(), (status, head)
        tag = head["etag"]
        assert re.fullmatch(r'"[0-9a-f]{32}"', tag) and head["content-type"] == "text/plain; charset=utf-8", head
        assert head["cache-control"] == "no-cache" and int(head["content-length"]) == len(content), head
        assert web.ask("/view/hosts.txt")[2] == content

        time.sleep(max(0, int((folder / "hosts.txt").stat().st_mtime) + 1.05 - time.time()))  # what is younger has no date yet
        status, head, content = web.ask("/hosts.txt", "HEAD")
        assert status == 200 and content == b"" and head["etag"] == tag and int(head["content-length"]) > 0, (status, head)
        changed = head["last-modified"]
        for headers, want in (({"If-None-Match": tag}, 304), ({"If-None-Match": f'"x", W/{tag}'}, 304), ({"If-None-Match": "*"}, 304),
                              ({"If-None-Match": '"x,y"'}, 200), ({"If-None-Match": tag.strip('"')}, 200), ({"If-None-Match": ""}, 200),
                              ({"If-Modified-Since": changed}, 304), ({"If-Modified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, 200),
                              ({"If-Modified-Since": "yesterday"}, 200), ({"If-None-Match": '"x"', "If-Modified-Since": changed}, 200)):
            for method in "GET", "HEAD":
                status, head, content = web.ask("/hosts.txt", method, headers)
                assert (status, head["etag"]) == (want, tag), (headers, status, head)
                assert bool(content) == (want == 200 and method == "GET"), (headers, method)

        status, head, content = web.ask("/stix.json")
        assert head["content-type"] == "application/stix+json;version=2.1" and stix.check_bundle(json.loads(content))
        manifest = json.loads(web.ask("/misp/manifest.json")[2])
        for event in manifest:
            status, head, content = web.ask(f"/misp/{event}.json")
            assert status == 200 and json.loads(content)["Event"]["uuid"] == event and head["content-type"] == "application/json", head
            assert web.ask(f"/misp/{event}.json", headers={"If-None-Match": head["etag"]})[0] == 304
        assert web.ask("/misp/hashes.csv")[0] == 200

        wrong = ["/", "//", "/secret.txt", "/.hosts.txt.digest", "/adblock.txt", "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/misp/../hosts.txt",
                 "/misp/", "/misp", "/misp/..%2fsecret.txt", "/view", "/view/", "/viewhosts.txt", "/view//hosts.txt", "/HOSTS.TXT",
                 "/hosts.txt/", "/misp/00000000-0000-5000-8000-000000000000.json", "/" + "x" * 5000]
        for path in wrong:
            assert web.ask(path)[0] == 404, path
        for method in "POST", "PUT", "DELETE", "OPTIONS":
            status, head, _ = web.ask("/hosts.txt", method, {"Content-Length": "0"})
            assert status == 405 and head["allow"] == "GET, HEAD", (method, status, head)

        write(db, "hosts", folder / "hosts.txt")  # nothing changed
        assert web.ask("/hosts.txt", headers={"If-None-Match": tag})[0] == 304
        withdraw(db, "bad.example")
        write(db, "hosts", folder / "hosts.txt")
        status, head, content = web.ask("/hosts.txt", headers={"If-None-Match": tag})
        assert status == 200 and head["etag"] != tag and b" bad.example\n" not in content, head
        kept = head["etag"]
        (folder / ".hosts.txt.digest").unlink()  # it is found out without
        assert web.ask("/hosts.txt")[1]["etag"] == kept
        (folder / "hosts.txt").write_text("0.0.0.0 other.example\n")  # by somebody else's hand
        shutil.copy(folder / ".stix.json.digest", folder / ".hosts.txt.digest")
        assert web.ask("/hosts.txt")[1]["etag"] not in (kept, tag)
    finally:
        counts = web.stop()
    assert counts["absent"] == len(wrong) and counts["refused"] == 4 and counts["unchanged"] > 10 and counts["bytes"] > 1000, counts
