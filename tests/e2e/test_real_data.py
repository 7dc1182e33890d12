"""Real traffic through ingest, analyze and explain: nothing benign is blocked, nothing breaks. What is found is told as TAP comments."""
import csv
import gzip
import json
from collections import Counter

import ledger
import lib
import test_analyze
import traffic

BAD = ("suspicious", "high_risk", "malicious")
TYPES = {5: "CNAME", 16: "TXT", 25: "KEY"}
# Tunnels and the like, by the notes of where the captures are from; what is found of them may be blocked.
HARM = ("ggy666.tk", "friendsakka.xyz")


def sources():
    found = [path for path in sorted(lib.shared("data/captures").iterdir()) if path.suffix != ".tsv"]
    for folder in ("zeek", "suricata", "dnstap"):
        found += [path for path in sorted(lib.shared("data/logs/" + folder).iterdir()) if path.is_file()]
    return found


def ingest(db, path):
    return lib.dnsmon("ingest", "--db", db, "--activity", "--vantage", "client", path, check=False)


def analysed(db):
    """Whether there was anything to analyse."""
    done = lib.dnsmon("analyze", "--db", db, check=False)
    assert done.returncode == 0 or "no activity" in done.stderr, done.stderr
    return done.returncode == 0


def top_names(db, n):
    asked = Counter()
    for line in lib.dnsmon("dump", "--db", db, "--kind", "domain").stdout.splitlines():
        name, _, _, _, counters, *_ = line.split("\t")
        asked[name] += sum(int(c.split("=")[1]) for c in counters.split(",") if c.startswith("queries="))
    return [name for name, _ in asked.most_common(n)]


def explain_top(db, n):
    for name in top_names(db, n):
        done = lib.dnsmon("explain", "--db", db, "--", name, check=False)
        assert done.returncode in (0, 2), (name, done)
        assert done.returncode == 0 or "public suffix" in done.stderr or "not a" in done.stderr, (name, done.stderr)


def suspects(db):
    return [(name, level) for name, _, level, _ in ledger.parts(db, "current")["current"] if level in BAD]


@lib.long
def test_captures_and_logs(tmp):
    """Each alone, and all in one database, whose years lie apart."""
    together, read = tmp / "all", 0
    for number, path in enumerate(sources()):
        db = tmp / f"db{number}"
        if ingest(db, path).returncode != 0 or not analysed(db):
            continue
        read += 1
        assert not [s for s in suspects(db) if s[1] != "suspicious"], (path.name, suspects(db))
        if lib.LONG:
            explain_top(db, 5)
        ingest(together, path)
    assert read >= 40, read
    assert analysed(together)
    explain_top(together, 100 if lib.LONG else 20)
    for name, level in suspects(together):
        print(f"# {name}: {level}")
    assert not suspects(together), suspects(together)
    lib.dnsmon("fsck", "--db", together)


# ---- tunnels, amid a made-up office ----

def labels(name):
    """Wire form of a name as a table has it; bytes that are no ASCII were lost there."""
    parts = [label.encode("latin-1", "replace")[:63] for label in name.split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in parts)[:254] + b"\0"


def message(ident, row, response):
    flags = 0x8180 if response else 0x0100
    return ident.to_bytes(2, "big") + flags.to_bytes(2, "big") + b"\0\1\0\0\0\0\0\0" + labels(row["qname"]) + int(row["qtype"]).to_bytes(2, "big") + b"\0\1"


def rows_of(name):
    with gzip.open(lib.shared("data/tunnels/" + name), "rt", encoding="utf-8", errors="replace") as table:
        for row in csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE):
            if "ts" in row:
                row.update(epoch=row["ts"], qtype=row["qtype_raw"], is_response="", capture=row["capture"])
            if row["qname"] and row["qtype"].isdigit():
                yield row


def packets(name, client, begin_s):
    """A query, and 30 ms later an empty answer; the times of the table, begun anew at begin_s."""
    first, found = None, []
    for n, row in enumerate(r for r in rows_of(name) if not r["is_response"].strip("0")):
        when = float(row["epoch"])
        first = when if first is None or when < first else first
        found.append((when - first, n, row))
    span = max(when for when, _, _ in found)
    for when, n, row in sorted(found, key=lambda f: f[:2]):
        micros = int((begin_s + (when if span < 86400 else when * 86400 / span)) * 1e6)
        ident, port = n % 65535 + 1, 20000 + n % 40000
        yield micros, traffic.ipv4(client, traffic.SERVER, 17, traffic.udp(port, 53, message(ident, row, False)), ident)
        yield micros + 30000, traffic.ipv4(traffic.SERVER, client, 17, traffic.udp(53, port, message(ident, row, True)), ident)


def test_tunnels(tmp):
    """They get their evidence, and nothing else is blocked for them."""
    begin = test_analyze.START + 5 * 86400 + 9 * 3600
    frames = []
    for n, name in enumerate(("iodine_cname.tsv.gz", "dns2tcp_key.tsv.gz", "bonelee_queries.tsv.gz")):
        frames += packets(name, bytes([10, 0, 0, 40 + n]), begin + n * 7200)
    frames.sort(key=lambda f: f[0])
    (tmp / "tunnels.pcap").write_bytes(traffic.pcap_bytes(frames))
    scenario = tmp / "office.yaml"
    scenario.write_text("seed: 5\nclients: 30\ndays: 7\nmix: {sites: 150, vendors: 8, iot_vendors: 5, ad_networks: 2}\ncampaigns: []\n")
    lib.dnsmon("simulate", scenario, "--write", tmp / "office.pcap")
    merged = tmp / "both.pcap"
    lib.run(lib.program("mergecap"), "-F", "pcap", "-w", merged, tmp / "office.pcap", tmp / "tunnels.pcap")
    assert ingest(tmp / "db", merged).returncode == 0
    assert analysed(tmp / "db")
    for name in HARM:
        rows = ledger.query(tmp / "db", "SELECT detector, weight, summary FROM evidence WHERE name = ? OR name LIKE '%.' || ? ORDER BY step", name, name)
        hours = lib.dnsmon("dump", "--db", tmp / "db", "--kind", "domain").stdout.count(f"\n{name}.\t")
        print(f"# {name}: asked for in {hours} hours; {dict(Counter(row[0] for row in rows))}")
        assert [row for row in rows if row[0] == "tunnel" and row[1] >= 3], rows
    for name, level in suspects(tmp / "db"):
        print(f"# {name}: {level}")
    blocked = [s for s in suspects(tmp / "db") if s[1] != "suspicious" and not s[0].endswith(HARM)]
    assert not blocked, blocked
    explain_top(tmp / "db", 20)
