"""What others wrote reads what we write: tables with MTBL's tools, look-ups with dnsdbq."""
import json
import re

import lib
import traffic


def database(tmp):
    capture = traffic.generate(tmp / "traffic.pcap", "--transactions", 2000, "--seconds", 9000, "--seed", 4)
    lib.dnsmon("ingest", "--db", tmp / "db", "--slot", 1800, capture)
    return tmp / "db"


def test_mtbl_tools(tmp):
    """Every table of every tier, and as many entries as `stat` says."""
    folder = database(tmp)
    kinds = json.loads(lib.dnsmon("stat", "--db", folder, "--json").stdout)["kinds"]
    for kind, tiers in kinds.items():
        for tier, about in tiers.items():
            tables = sorted(folder.glob(f"{kind}-{tier}-*.mtbl"))
            assert len(tables) == about["tables"], (kind, tier, tables, about)
            entries = 0
            for table in tables:
                told = lib.run(lib.program("mtbl_info"), table).stdout
                dumped = lib.run(lib.program("mtbl_dump"), table).stdout.count("\n")
                assert int(re.search(r"entry count: +([\d,]+)", told)[1].replace(",", "")) == dumped, told
                entries += dumped
            assert entries == about["entries"], (kind, tier, entries, about)
    assert {"slot", "hour"} <= set(kinds["rr"]), kinds


def test_dnsdbq(tmp):
    """It prints again the JSON lines that it read, and knows them as text."""
    folder = database(tmp)
    lines = lib.dnsmon("lookup", "--db", folder, "--json", "--limit", 0, "rrset", "*.com").stdout
    (tmp / "lines").write_text(lines)
    def dnsdbq(form):  # it wants a key even where it asks nobody
        return lib.run(lib.program("dnsdbq"), "-J", tmp / "lines", "-p", form,
                       env={"DNSDB_API_KEY": "none", "HOME": str(tmp)}).stdout
    ours = [json.loads(line) for line in lines.splitlines()]
    assert len(ours) > 100
    assert [json.loads(line) for line in dnsdbq("json").splitlines()] == ours
    text = dnsdbq("text")
    for record in ours:
        for data in record["rdata"]:
            assert f"{record['rrname']}  {record['rrtype']}  {data}\n" in text, record
