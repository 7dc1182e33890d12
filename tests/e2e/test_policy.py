"""What our own blocking answers is no record of the world: the question counts, the answer does not."""
import json
import time

import lib
import traffic
from live import capture, finish, may_capture
from test_restart import Talk, names

START, A = 1704067200, 1
GARDEN, ELSEWHERE = bytes([192, 0, 2, 66]), bytes([192, 0, 2, 1])
POLICY = "# enforced here\nbad.example\n*.tree.example\n@192.0.2.66\n"


def exchange(second, name, address=None):
    """A question and its answer; without an address it has no data."""
    micros, client, ident = (START + second) * 1000000, bytes([10, 0, 0, 1]), second + 1
    yield micros, traffic.ipv4(client, traffic.SERVER, 17, traffic.udp(20000, 53, traffic.message(ident, name, A)), ident)
    answer = traffic.message(ident, name, A, [(A, 300, address)] if address else [], response=True)
    yield micros + 1000, traffic.ipv4(traffic.SERVER, client, 17, traffic.udp(53, 20000, answer), ident)


def counters(database, name, *words):
    hour, = (json.loads(line) for line in lib.dnsmon("activity", "--db", database, *words, name).stdout.splitlines())
    return hour["counters"]


def test_blocked_answers(tmp):
    asked = [("bad.example", GARDEN), ("bad.example", None), ("bad.example", ELSEWHERE), ("www.bad.example", None),
             ("a.tree.example", None), ("tree.example", GARDEN), ("good.example", GARDEN), ("good.example", None)]
    packets = [p for second, (name, address) in enumerate(asked) for p in exchange(second, name, address)]
    (tmp / "traffic.pcap").write_bytes(traffic.pcap_bytes(packets))
    (tmp / "policy").write_text(POLICY)
    (tmp / "dnsmon.yaml").write_text(f"policy: {tmp / 'policy'}\n")
    for name, words in (("option", ["--policy", tmp / "policy"]), ("file", ["--config", tmp / "dnsmon.yaml"])):
        db = tmp / name
        run = json.loads(lib.dnsmon("ingest", "--db", db, "--json", *words, tmp / "traffic.pcap").stdout)
        assert run["skipped"] == {"policy_answer": 4} and run["responses"] == len(asked), run
        found = [(r["rrname"], r["rrtype"], r.get("rdata")) for r in lib.dnsmon_lines("lookup", "--db", db, "--json", "rrset", "*.example")]
        dumped = lib.dnsmon("dump", "--db", db, "--kind", "rr").stdout
        assert {name for name, _, _ in found} == {"bad.example.", "good.example."}, found
        assert "tree.example" not in dumped and "www.bad.example" in dumped, dumped
        bad = counters(db, "bad.example", "--host")
        assert (bad["queries"], bad["answered"], bad["policy"], bad["noerror"], bad["ttl"]) == (3, 3, 2, 1, 300), bad
        assert "nodata" not in bad, bad
        tree = counters(db, "tree.example", "--domain")
        assert tree == {"queries": 2, "answered": 2, "a": 2, "policy": 2, "query_bytes": tree["query_bytes"]}, tree
        good = counters(db, "good.example", "--host")
        assert good["noerror"] == 1 and good["nodata"] == 1 and "policy" not in good, good
        lib.dnsmon("fsck", "--db", db)
    (tmp / "policy").write_text("@garden\n")
    done = lib.dnsmon("ingest", "--db", tmp / "wrong", "--policy", tmp / "policy", tmp / "traffic.pcap", check=False)
    assert done.returncode == 1 and "policy:1:" in done.stderr, done


def test_capture_reads_it_again(tmp):
    may_capture()
    policy, talk = tmp / "policy", Talk()
    policy.write_text("@127.0.0.9\n")
    process = capture(tmp, "db", "-i", f"lo,port={talk.port}", "--policy", policy)

    def exchange(ident, name):
        talk.ask_udp(ident, name)
        reply = traffic.message(ident, name, A, [(A, 60, GARDEN)], response=True)
        talk.asked.sendto(reply, talk.asker.getsockname())

    exchange(1, "before.example")
    time.sleep(0.8)
    (tmp / "new").write_text("*.example\n@192.0.2.66\n")
    (tmp / "new").rename(policy)
    lib.wait_until(lambda: "read again" in process.output(), 10, "the policy to be read")
    exchange(2, "after.example")
    time.sleep(0.8)
    finish(process, "capture")
    talk.close()
    assert names(tmp / "db") == {"before.example.": 1}, names(tmp / "db")
    assert counters(tmp / "db", "after.example", "--host")["policy"] == 1
