"""Simulated traffic: the same bytes twice, and ingest sees in it what the truth says."""
import hashlib
import json
import random
import subprocess

import lib

SMALL = lib.SOURCE / "tests/scenarios/small.yaml"


def simulate(scenario, capture, *words):
    return lib.dnsmon("simulate", scenario, "--write", capture, *words, timeout=300)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def truth_of(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def total(database, name, how, *counters):
    hours = lib.dnsmon_lines("activity", "--db", database, how, name)
    return sum(hour["counters"].get(counter, 0) for hour in hours for counter in counters)


def test_same_bytes(tmp):
    simulate(SMALL, tmp / "one.pcap", "--truth", tmp / "one.jsonl")
    simulate(SMALL, tmp / "two.pcap", "--truth", tmp / "two.jsonl")
    assert digest(tmp / "one.pcap") == digest(tmp / "two.pcap")
    assert digest(tmp / "one.jsonl") == digest(tmp / "two.jsonl")
    piped = lib.dnsmon("simulate", SMALL, text=False).stdout
    assert hashlib.sha256(piped).hexdigest() == digest(tmp / "one.pcap")
    simulate(SMALL, tmp / "other.pcap", "--seed", 8)
    assert digest(tmp / "one.pcap") != digest(tmp / "other.pcap")


def test_truth_is_what_ingest_sees(tmp):
    said = simulate(SMALL, tmp / "small.pcap", "--truth", tmp / "truth.jsonl").stderr
    queries, responses = int(said.split()[1]), int(said.split()[3])
    report = lib.dnsmon("ingest", "--db", tmp / "db", "--activity", "--vantage", "client", tmp / "small.pcap", "--json").stdout
    counts = json.loads(report)
    assert counts["queries"] == queries and counts["responses"] == responses, counts
    assert counts["unmatched_responses"] == 0 and counts["transactions"] == responses, counts
    assert not any(key.startswith("skipped") and value for key, value in counts.items()), counts

    truth = truth_of(tmp / "truth.jsonl")
    about = [line for line in truth if line["class"] != "benign"]
    kinds = {line["class"] for line in about}
    assert {"worked_example", "dga", "twin", "victim", "tunnel"} <= kinds, kinds
    benign = [line for line in truth if line["class"] == "benign"]
    assert len(benign) > 1000
    for line in about[:60] + random.Random(1).sample(benign, 60):
        how = "--host" if line["scope"] == "host" else "--domain"
        assert total(tmp / "db", line["name"], how, "queries") == line["queries"], line

    # Demand before registration: the registry, not the zone, said no.
    never = [line for line in about if line["class"] == "worked_example" and line["registered_at"] is None]
    assert never
    for line in never:
        name = line["name"]
        assert total(tmp / "db", name, "--domain", "nx_domain") > 0.9 * line["queries"], line
        assert total(tmp / "db", name, "--domain", "nx_host", "noerror") == 0, line
    # A victim exists; what is asked for below it does not.
    flooded = max((line for line in about if line["class"] == "victim"), key=lambda line: line["queries"])
    assert total(tmp / "db", flooded["name"], "--domain", "nx_host") > 0.8 * flooded["queries"], flooded


def test_dnstap(tmp):
    """The same messages in another form: the same records, and another reader sees as many."""
    simulate(SMALL, tmp / "small.pcap")
    said = simulate(SMALL, tmp / "small.fstrm", "--format", "dnstap").stderr
    dumps = []
    for form in "pcap", "fstrm":
        lib.dnsmon("ingest", "--db", tmp / form, "--vantage", "client", tmp / f"small.{form}")
        dumps.append(lib.dnsmon("dump", "--db", tmp / form, "--kind", "rr").stdout)
    assert dumps[0] == dumps[1] and len(dumps[0].splitlines()) > 1000
    read = subprocess.run(["dnstap-read", tmp / "small.fstrm"], capture_output=True, text=True, check=True, timeout=120).stdout
    assert len(read.splitlines()) == int(said.split()[1]) + int(said.split()[3])


def test_options(tmp):
    simulate(SMALL, tmp / "a.pcap", "--days", "1.5", "--clients", 80, "--start", "2025-01-01")
    lib.dnsmon("ingest", "--db", tmp / "db", tmp / "a.pcap")
    times = [line for line in lib.dnsmon("stat", "--db", tmp / "db").stdout.splitlines() if line.split()[:1] in (["first"], ["last"])]
    assert "2025-01-01 00:" in times[0] and "2025-01-02 11:" in times[1], times
    for words in (["--days", "0"], ["--clients", "3"], ["--seed", "x"], []):
        scenario = [SMALL] if words else []
        done = lib.dnsmon("simulate", *scenario, "--write", tmp / "b.pcap", *words, check=False)
        assert done.returncode == 2 and done.stderr.startswith("dnsmon: "), (words, done)
    done = lib.dnsmon("simulate", tmp / "absent.yaml", "--write", tmp / "b.pcap", check=False)
    assert done.returncode == 1 and "absent.yaml" in done.stderr, done


def test_every_scenario_is_one(tmp):
    """Each file in tests/scenarios loads; ten clients for a moment are enough to know."""
    paths = sorted((lib.SOURCE / "tests/scenarios").glob("*.yaml"))
    assert len(paths) >= 18
    for path in paths:
        done = lib.dnsmon("simulate", path, "--days", "0.001", "--write", "/dev/null", check=False)
        # A campaign that would begin after the end is the one thing to object to.
        assert done.returncode == 0 or "begins on day" in done.stderr, (path, done.stderr)


@lib.long
def test_reports_compare(tmp):
    """The captures of the reporting scenarios, byte by byte those that results were reported by."""
    digests = dict(line.split()[::-1] for line in (lib.SOURCE / "tests/scenarios/digests.txt").read_text().splitlines())
    captures = sorted(name for name in digests if name.endswith(".pcap"))
    assert len(captures) >= 3
    for name in captures if lib.LONG else captures[:1]:
        simulate(lib.SOURCE / "tests/scenarios" / name.replace(".pcap", ".yaml"), tmp / name)
        assert digest(tmp / name) == digests[name], f"{name}: the traffic has changed"
        (tmp / name).unlink()
