"""From a verdict or an operator's word to what is blocked, through the real commands: the life cycle, its words, its guards."""
import json
import sqlite3

import lib
import traffic
from test_policy import exchange
from test_words import DAY, Network

VIEWS = """
  views:
    - {zone: rpz.ours.example, actions: [{category: operator, action: garden 192.0.2.80}]}
    - {zone: shadow.ours.example, stages: [shadow]}
"""


class Published(Network):
    """The network of test_words, with a configuration."""

    def __init__(self, tmp, protect=""):
        super().__init__(tmp)
        self.config = tmp / "dnsmon.yaml"
        self.configure(protect)

    def configure(self, protect):
        self.config.write_text(f"public_suffixes: {self.suffixes}\nprotect:\n  infrastructure: 0\n{protect}{VIEWS}")

    def run(self, *words, check=True):
        return lib.dnsmon(*words, "--db", self.db, "--config", self.config, env={"USER": "ann", "SUDO_USER": ""}, check=check)

    def lines(self, *words, check=True):
        return [json.loads(line) for line in self.run(*words, check=check).stdout.splitlines()]

    def publish(self, *words):
        done, = self.lines("publish", *words)
        return done

    def listed(self, name):
        told, = self.lines("listed", name)
        return told

    def stages(self):
        return {name: stage for name, stage in self.query("SELECT name, stage FROM publication")}

    def query(self, text):
        with sqlite3.connect(self.db / "knowledge.db") as c:
            rows = c.execute(text).fetchall()
        c.close()
        return rows


def test_verdicts_are_published(tmp):
    n = Published(tmp)
    n.analyze(13)
    done = n.publish()
    assert (done["published"], done["sizes"]["published"], done["jump"]) == (2, 2, None), done
    again = n.publish()
    assert again["version"] is None and again["looked_at"] == 0, again
    told = n.listed("www.firstgate.example")
    assert told["listed"] and told["entries"][0]["name"] == "firstgate.example" and told["entries"][0]["approved_by"] == "dnsmon", told
    assert told["entries"][0]["views"] == [{"zone": "rpz.ours.example", "action": "nxdomain"}], told
    other = n.listed("site01.example")
    assert not other["listed"] and other["entries"] == [], other
    n.analyze(16)  # renewed
    assert n.publish()["renewed"] == 2
    n.run("allow", "firstgate.example", "--reason", "a customer of ours", "--public-suffixes", n.suffixes)
    done = n.publish()
    assert done["out"] == 1 and done["version"], done
    told = n.listed("firstgate.example")
    assert not told["listed"] and told["word"]["action"] == "allow" and told["entries"][0]["stage"] == "out", told
    lib.dnsmon("fsck", "--db", n.db)


def test_withdrawn_and_approved(tmp):
    n = Published(tmp)
    n.analyze(13)
    n.publish()
    n.say("block", "bad.example", "--reason", "seen in a report")
    n.publish()
    assert n.listed("bad.example")["entries"][0]["views"] == [{"zone": "rpz.ours.example", "action": "garden 192.0.2.80"}]
    done, = n.lines("withdraw", "bad.example", "--reason", "a slip")
    assert done["out"] == 1 and done["version"], done
    assert n.lines("block", "--list") == [] and not n.listed("bad.example")["listed"]
    n.run("withdraw", "firstgate.example", "--reason", "complaints")
    assert n.stages() == {"bad.example": "out", "firstgate.example": "out", "secondgate.example": "published"}, n.stages()
    n.analyze(16)
    n.publish()
    told = n.listed("firstgate.example")
    assert not told["listed"] and told["entries"][0]["reason"] == "withdrawn by ann: complaints", told
    check = n.run("policy", "check")
    assert '"firstgate.example"' in check.stdout and '"view":"rpz.ours.example","enforced":1' in check.stdout, check.stdout
    n.run("approve", "firstgate.example", "--reason", "it is what it is")
    assert n.listed("firstgate.example")["entries"][0]["approved_by"] == "ann"
    done = n.run("approve", "firstgate.example", "--reason", "again", check=False)
    assert done.returncode == 1 and "waits" in done.stderr, done
    campaign = n.query("SELECT identity FROM campaign c JOIN indicator i ON i.campaign = c.id LIMIT 1")
    if campaign:
        n.run("withdraw", "--campaign", campaign[0][0], "--reason", "the whole of it")
    n.run("block", "bad.example", "--reason", "after all", "--public-suffixes", n.suffixes)
    n.publish()
    n.run("withdraw", "--all", "--reason", "everything is broken")
    assert set(n.stages().values()) == {"out"}, n.stages()
    actions = [(row["author"], row["action"]) for row in n.lines("audit")]
    assert ("ann", "withdraw") in actions and ("ann", "approve") in actions, actions
    lib.dnsmon("fsck", "--db", n.db)


def test_a_jump_is_held(tmp):
    n = Published(tmp, "  jump: {add: 10, drop: 10, least: 1}\n")
    n.analyze(13)
    done = n.run("publish")
    held = json.loads(done.stdout)
    assert held["sizes"] == {"published": 0, "shadow": 0, "held_in": 2, "held_out": 0} and "dnsmon publish --confirm" in done.stderr, done
    check = n.run("policy", "check", check=False)
    assert check.returncode == 1 and "part of a jump" in check.stdout and "would be published" in check.stdout, check
    n.say("block", "bad.example", "--reason", "seen in a report")
    assert n.publish()["sizes"]["published"] == 1 and n.listed("bad.example")["listed"]
    assert n.publish("--confirm")["sizes"] == {"published": 3, "shadow": 0, "held_in": 0, "held_out": 0}
    assert n.run("policy", "check").returncode == 0
    assert [row["action"] for row in n.lines("audit")] == ["block", "confirm"]


def test_shadow_and_review(tmp):
    n = Published(tmp, "  shadow: 1d\n")
    n.analyze(13)
    assert n.publish()["shadow"] == 2
    entry, = n.listed("firstgate.example")["entries"]
    assert entry["stage"] == "shadow" and entry["views"] == [{"zone": "shadow.ours.example", "action": "passthru"}], entry
    n.run("approve", "firstgate.example", "--reason", "sure")
    assert n.stages() == {"firstgate.example": "published", "secondgate.example": "shadow"}
    n.configure("  approve: {clients: 0}\n")
    assert n.publish()["published"] == 1  # the shadow is over, and what was approved stays so
    (tmp / "top").write_text("1,www.secondgate.example\n2,firstgate.example\n")
    n.configure(f"  top_list: {{file: {tmp / 'top'}}}\n")
    assert n.publish()["review"] == 1  # not what a person approved
    assert n.stages() == {"firstgate.example": "published", "secondgate.example": "review"}
    assert "top list" in n.listed("secondgate.example")["entries"][0]["reason"]


def test_before_anything_is_known(tmp):
    db = tmp / "db"
    (tmp / "traffic.pcap").write_bytes(traffic.pcap_bytes([]))
    lib.dnsmon("ingest", "--db", db, tmp / "traffic.pcap")
    for words in ["policy", "check"], ["receipts"], ["receipts", "--blocked"]:
        done = lib.dnsmon(*words, "--db", db)
        assert done.stdout == "" and done.stderr == "", words
    told, = lib.dnsmon_lines("listed", "a.example", "--db", db)
    assert told == {"name": "a.example", "listed": False, "entries": [], "word": None, "verdict": None}, told
    assert not (db / "knowledge.db").exists()
    done = lib.dnsmon("withdraw", "a.example", "--reason", "x", "--db", db, check=False)
    assert done.returncode == 1 and "nothing of it" in done.stderr, done
    assert json.loads(lib.dnsmon("publish", "--db", db).stdout)["version"] is None
    for words in ["publish"], ["policy", "check"], ["listed", "a.example"], ["receipts"], ["approve", "a.example", "--reason", "x"]:
        done = lib.dnsmon(*words, "--db", tmp / "none", check=False)
        assert done.returncode == 1 and not (tmp / "none").exists(), words


def test_what_is_refused(tmp):
    (tmp / "keys").write_text("transfer hmac-sha256 c2VjcmV0\n")
    (tmp / "keys").chmod(0o644)
    config = tmp / "dnsmon.yaml"
    config.write_text(f"protect:\n  server:\n    keys: {tmp / 'keys'}\n")
    done = lib.dnsmon("policy", "check", "--db", tmp, "--config", config, check=False)
    assert done.returncode == 1 and "chmod 600" in done.stderr and "c2Vj" not in done.stderr, done
    config.write_text("protect:\n  top_list:\n    file: /does/not/exist\n")
    done = lib.dnsmon("policy", "check", "--db", tmp, "--config", config, check=False)
    assert done.returncode == 1, done
    config.write_text("protect:\n  views:\n    - {zone: a.example, ttl: 600}\n")
    done = lib.dnsmon("publish", "--db", tmp, "--config", config, check=False)
    assert done.returncode != 0 and "dnsmon.yaml:3: ttl" in done.stderr, done
    for words, said in (
        (["withdraw", "--reason", "x"], "which NAME"),
        (["withdraw", "--all", "a.example", "--reason", "x"], "one of NAME"),
        (["withdraw", "a.example"], "--reason TEXT is needed"),
        (["approve", "a..b", "--reason", "x"], "not a domain name"),
        (["policy"], "dnsmon policy check"),
        (["listed"], "which NAME"),
        (["publish", "now"], "one word too many"),
        (["receipts", "--history", "--blocked"], "not both"),
        (["receipts", "--from", "-7d"], "for --blocked"),
    ):
        done = lib.dnsmon(*words, "--db", tmp, check=False)
        assert done.returncode == 2 and said in done.stderr, (words, done)


def test_receipts(tmp):
    n = Published(tmp)
    n.say("block", "bad.example", "--reason", "seen in a report")
    n.publish()
    with sqlite3.connect(n.db / "knowledge.db") as c:
        c.execute("INSERT INTO receipt (at, secondary, zone, serial, kind, records, bytes, ms, outcome)"
                  " VALUES (1700000000, '192.0.2.53', 'rpz.ours.example', 5, 'axfr', 10, 999, 3, ''),"
                  " (1700000009, '192.0.2.53', 'rpz.ours.example', 6, 'ixfr', 1, 99, 1, ''),"
                  " (1700000019, '192.0.2.53', 'rpz.ours.example', 7, 'ixfr', 0, 0, 1, 'reset')")
    c.close()
    latest, = n.lines("receipts")
    assert (latest["secondary"], latest["serial"], latest["kind"]) == ("192.0.2.53", 6, "ixfr"), latest
    assert [r["outcome"] for r in n.lines("receipts", "--history")] == ["", "", "reset"]
    packets = [p for second, name in enumerate(["bad.example", "www.bad.example", "good.example"]) for p in exchange(second, name)]
    (tmp / "blocked.pcap").write_bytes(traffic.pcap_bytes(packets))
    (tmp / "policy").write_text("*.bad.example\nbad.example\n")
    lib.dnsmon("ingest", "--db", n.db, "--policy", tmp / "policy", "--public-suffixes", n.suffixes, tmp / "blocked.pcap")
    blocked, = n.lines("receipts", "--blocked")
    assert (blocked["name"], blocked["stage"], blocked["queries"], blocked["clients"]) == ("bad.example", "published", 2, 1), blocked
    assert n.lines("receipts", "--blocked", "--from", blocked["last"] + DAY) == []
    lib.dnsmon("fsck", "--db", n.db)
