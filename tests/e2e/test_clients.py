"""Which clients asked, their addresses for the holder of the key, and curves of several names."""
import json
import os
import sqlite3

import asking
import lib

START, HOUR = 1704067200, 3600  # 2024-01-01T00:00:00Z
A = asking.TYPES["A"]


def answered(name, address=bytes([192, 0, 2, 1])):
    return lambda ident: asking.response(ident, name, A, answers=[asking.record(name, A, 300, address)])


def database(tmp):
    """Two hosts ask hourly for one name, 100 once for another."""
    asks = [(START + hour * HOUR + 60 * n, f"10.1.0.{n}", "c2.steady.example", A, answered("c2.steady.example"))
            for hour in range(30) for n in (1, 2) if n == 1 or hour % 2 == 0]
    asks += [(START + 5 * HOUR + n, f"10.2.0.{n}", "www.broad.example", A, answered("www.broad.example")) for n in range(1, 101)]
    capture = asking.capture(tmp / "asks.pcap", asks)
    lib.dnsmon("ingest", "--db", tmp / "db", "--activity", "--vantage", "client", capture)
    return tmp / "db"


def clients(db, *words):
    return json.loads(lib.dnsmon("clients", "--db", db, "--json", *words).stdout)


def audited(db):
    with sqlite3.connect(db / "knowledge.db") as knowledge:
        return knowledge.execute("SELECT author, action, subject, detail FROM audit").fetchall()


def test_clients(tmp):
    db = database(tmp)
    steady = clients(db, "steady.example")
    assert steady["clients"] == 2 and steady["clients_exact"] and steady["kind"] == "domain", steady
    busy, other = steady["sample"]
    assert busy["asks"] == [START + hour * HOUR + 60 for hour in range(30)], busy
    assert other["hours"] == [START + hour * HOUR for hour in range(0, 30, 2)], other
    assert busy["first"] == START + 60 and other["last"] == START + 28 * HOUR + 120, steady
    part = clients(db, "c2.steady.example", "--from", str(START + 10 * HOUR), "--to", str(START + 12 * HOUR))
    assert part["kind"] == "host" and [len(c["hours"]) for c in part["sample"]] == [2, 1], part
    broad = clients(db, "broad.example")
    assert not broad["clients_exact"] and broad["hours_with_full_sample"] == 1 and len(broad["sample"]) == 64, broad
    assert 50 <= broad["clients"] <= 200 and broad["sample"][0]["asks"] == [], broad
    assert not (db / "knowledge.db").exists(), "looking at ids needs no audit"
    table = lib.dnsmon("clients", "--db", db, "--table", "broad.example").stdout
    assert "Incomplete" in table and "sample holds (64)" in table, table


def test_resolve(tmp):
    db = database(tmp)
    found = clients(db, "steady.example", "--resolve", "10.1.0.0/16")
    assert [c["address"] for c in found["sample"]] == ["10.1.0.1", "10.1.0.2"] and found["resolved"] == 2, found
    hosts = tmp / "hosts"
    hosts.write_text("# ours\n10.1.0.1\n\n2001:db8::7  # a router\n10.9.0.0-10.9.0.9\n")
    found = clients(db, "steady.example", "--resolve", hosts)
    assert [c.get("address") for c in found["sample"]] == ["10.1.0.1", None] and found["addresses_tried"] == 12, found
    rows = audited(db)
    assert [row[1:] for row in rows] == [
        ("resolve clients", "steady.example", "2 of 2 clients found among 65536 addresses"),
        ("resolve clients", "steady.example", "1 of 2 clients found among 12 addresses")], rows
    assert all(row[0] for row in rows), rows


def test_resolve_refuses(tmp):
    db = database(tmp)
    bad = tmp / "bad"
    bad.write_text("10.0.0.1\nfirewall\n")
    for words, code, text in [
            (["--resolve", "0.0.0.0/7"], 1, "more than 16777216 addresses"),
            (["--resolve", "10.0.0.0/8", "--resolve", "10.0.0.1"], 1, "more than 16777216"),
            (["--resolve", "2001:db8::/64"], 1, "more than 16777216"),
            (["--resolve", "nowhere"], 2, "no address, no network and no file"),
            (["--resolve", bad], 2, "line 2: 'firewall'")]:
        done = lib.dnsmon("clients", "--db", db, "steady.example", *words, check=False)
        assert done.returncode == code and text in done.stderr and done.stdout == "", (words, done)
    os.unlink(db / "client.key")
    done = lib.dnsmon("clients", "--db", db, "steady.example", "--resolve", "10.1.0.0/16", check=False)
    assert done.returncode == 1 and "client.key: is missing" in done.stderr, done


def test_curves_on_one_axis(tmp):
    db = database(tmp)
    chart = lib.dnsmon("activity", "--db", db, "--chart", "steady.example", "broad.example", "never.example",
                       env={"COLUMNS": "120"}).stdout.splitlines()
    assert "Each block is 1 hour" in chart[0], chart
    rows = {line.split()[0]: line.split() for line in chart[3:]}
    assert rows["steady.example."][1] == "█▄" * 15 and rows["steady.example."][2:] == ["2", "45", "2"], rows
    assert rows["broad.example."][1] == "·" * 5 + "█" + "·" * 24, rows
    assert set(rows["never.example."][1]) == {"·"}, rows
    narrow = lib.dnsmon("activity", "--db", db, "--chart", "steady.example", "broad.example", env={"COLUMNS": "60"}).stdout
    assert "Each block is 3 hours" in narrow and narrow.splitlines()[3].split()[1:] == ["█▇" * 5, "5", "45", "2"], narrow
    both = lib.dnsmon_lines("activity", "--db", db, "steady.example", "broad.example")
    assert [line["name"] for line in both] == ["steady.example."] * 30 + ["broad.example."], both


def test_curves_of_a_campaign(tmp):
    db = database(tmp)
    done = lib.dnsmon("activity", "--db", db, "--campaign", "7", check=False)
    assert done.returncode == 1 and "knowledge.db" in done.stderr, done
    lib.dnsmon("allow", "--db", db, "--reason", "makes the file", "other.example.com")
    with sqlite3.connect(db / "knowledge.db") as knowledge:
        for number, identity in [(1, "aa11"), (2, "aa22")]:
            knowledge.execute("INSERT INTO campaign (id, identity, born, title) VALUES (?, ?, 473352, 'made up')", (number, identity))
            for name in ["broad.example", "steady.example"] if number == 1 else ["else.example"]:
                knowledge.execute("INSERT INTO campaign_member (campaign, name, joined, why) VALUES (?, ?, 473352, 'made up')",
                                  (number, name))
    lines = lib.dnsmon_lines("activity", "--db", db, "--campaign", "aa1")
    assert [line["name"] for line in lines] == ["broad.example."] + ["steady.example."] * 30, lines
    for identity, said in [("aa", "several campaigns begin with 'aa'"), ("bb", "there is no campaign 'bb'")]:
        done = lib.dnsmon("activity", "--db", db, "--campaign", identity, check=False)
        assert done.returncode == 1 and said in done.stderr, done
