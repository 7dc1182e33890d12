"""What dnsmon explain and dnsmon demand tell, of a small network in which a program asks for its next domain."""
import json
import sqlite3

import asking
import lib

START, HOUR = 1704067200, 3600  # 2024-01-01T00:00:00Z
A = asking.TYPES["A"]


def answered(name):
    return lambda ident: asking.response(ident, name, A, answers=[asking.record(name, A, 300, bytes([192, 0, 2, 1]))])


def missing(name, zone):
    return lambda ident: asking.missing(ident, name, A, zone)


def database(tmp, analysed=True):
    """10 days; from the sixth on three hosts ask for a domain that is not there."""
    asks = [(START + hour * HOUR + n, f"10.1.0.{n}", f"www.site{n % 5}.example", A, answered(f"www.site{n % 5}.example"))
            for hour in range(240) for n in range(1, 9)]
    asks += [(START + minutes * 60 + n, f"10.1.0.{n}", "rctl.next.example", A, missing("rctl.next.example", "example"))
             for minutes in range(6 * 1440, 10 * 1440, 30) for n in (1, 2, 3)]
    asks += [(START + 7 * 24 * HOUR + n, f"10.1.0.{n}", "www.stie1.example", A, missing("www.stie1.example", "example"))
             for n in range(1, 9)]
    asks += [(START + 200 * HOUR, "10.1.0.4", "printer.lan", A, missing("printer.lan", "lan"))]
    (tmp / "suffixes").write_text("example\n")
    lib.dnsmon("ingest", "--db", tmp / "db", "--activity", "--vantage", "client", "--slot", "3600", "--public-suffixes",
               tmp / "suffixes", asking.capture(tmp / "asks.pcap", asks))
    if analysed:
        lib.dnsmon("analyze", "--db", tmp / "db", "--suffixes", tmp / "suffixes")
    return tmp / "db"


def explain(tmp, *words, **keywords):
    return lib.dnsmon("explain", "--db", tmp / "db", "--public-suffixes", tmp / "suffixes", *words, **keywords)


def test_explain(tmp):
    database(tmp)
    told = json.loads(explain(tmp, "--json", "rctl.next.example").stdout)
    assert told["name"] == "next.example" and told["verdicts"][0]["level"] != "benign", told
    sizes = [abs(row["weight"]) for row in told["evidence"]]
    assert sizes == sorted(sizes, reverse=True) and "demand" in [row["group"] for row in told["evidence"]], told
    times = [row["at"] for row in told["history"]]
    assert times == sorted(times) and len(told["history"]) >= len(told["evidence"]) > 0, told
    assert len({json.dumps(row) for row in told["evidence"]}) == len(told["evidence"]), "nothing is said twice"
    assert told["verdicts"][0]["reason"]["decided"] and told["would_change"], told
    early = json.loads(explain(tmp, "--json", "--as-of", str(START + 6 * 24 * HOUR), "next.example").stdout)
    assert early["evidence"] == [] and early["verdicts"] == [] and early["history"] == [], early
    assert early["undecided"] == {}, early
    text = explain(tmp, "rctl.next.example").stdout
    for part in ["rctl.next.example belongs to next.example", "What decided", "What speaks for harm", "times likelier",
                 "How it came", "What would change it", "Blocking it would have hit",
                 "missing first 2024-01-07 00:00", "exists first never", "hours over"]:  # facts have their units
        assert part in " ".join(text.split()), (part, text)
    whats = [(row["at"], row["what"]) for row in told["history"]]
    assert whats == sorted(whats), "of one hour what was said comes before what was made of it"
    assert max(len(line) for line in text.splitlines()) <= 100, text


def test_explain_what_was_not_decided(tmp):
    db = database(tmp)
    cases = {"www.site1.example": "Screening leaves it out (database too young to tell)", "stie1.example": "nothing was decided",
             "never.example": "It was never seen"}
    for name, said in cases.items():
        text = " ".join(explain(tmp, name).stdout.split())
        assert said in text, (name, text)
    lib.dnsmon("allow", "--db", db, "--public-suffixes", tmp / "suffixes", "--reason", "ours", "site2.example")
    assert "ours" in explain(tmp, "site2.example").stdout
    done = explain(tmp, "example", check=False)
    assert done.returncode == 2 and "public suffix" in done.stderr, done


def test_explain_without_a_ledger(tmp):
    db = database(tmp, analysed=False)
    done = explain(tmp, "next.example", check=False)
    assert done.returncode == 1 and "knowledge.db" in done.stderr and done.stdout == "", done
    for bytes_ in [b"", b"not a database " * 100]:
        (db / "knowledge.db").write_bytes(bytes_)
        done = explain(tmp, "next.example", check=False)
        assert done.returncode == 1 and "knowledge.db" in done.stderr and done.stdout == "", done


def test_explain_does_not_trust_the_ledger(tmp):
    """Texts of the file may hold anything: terminals get none of it, and what is no JSON is nothing."""
    db = database(tmp, analysed=False)
    lib.dnsmon("allow", "--db", db, "--public-suffixes", tmp / "suffixes", "--reason", "x", "other.example")
    with sqlite3.connect(db / "knowledge.db") as knowledge:
        facts = '{"hourly":{"from":473352,"values":[1,2,"x",-5,1e300,4]},"a":[[[[[1]]]]],"from":{"from":-1,"values":[1]}}'
        for detector, text in [("d1", facts), ("d2", "no json"), ("d3", "[1]")]:
            row = knowledge.execute("INSERT INTO evidence (name, scope, detector, grp, step, known_at, weight, summary, facts) VALUES "
                                    "('odd.example', 'domain', ?, 'rhythm', 473352, 1, 3.0, 'red \x1b[31m\n' || ?, ?)",
                                    (detector, "x" * 200, text))
            knowledge.execute("INSERT INTO standing (name, scope, detector, evidence) VALUES ('odd.example', 'domain', ?, ?)",
                              (detector, row.lastrowid))
        knowledge.execute("INSERT INTO verdict (name, scope, level, score, decided_at, known_at, reason) VALUES "
                          "('odd.example', 'domain', 'watch', 0.1, 473352, 1, '{\"groups\":7,\"hosts\":{},\"families\":[1]}')")
    text = explain(tmp, "odd.example").stdout
    assert "\x1b" not in text and "?[31m" in text and "hourly from" in text, text
    assert len(json.loads(explain(tmp, "--json", "odd.example").stdout)["evidence"]) == 3


def test_demand(tmp):
    db = database(tmp, analysed=False)
    listed = lib.dnsmon_lines("demand", "--db", db, "--public-suffixes", tmp / "suffixes", "--min-days", "1")
    assert [name["name"] for name in listed] == ["next.example.", "stie1.example."], listed
    first = listed[0]
    assert first["clients"] == 3 and first["days"] == 4 and first["queries"] == 4 * 48 * 3 and first["past"] == "never registered", first
    assert first["first"] == START + 6 * 24 * HOUR and first["last"] == START + (10 * 24 - 1) * HOUR, first
    assert [n["name"] for n in lib.dnsmon_lines("demand", "--db", db, "--public-suffixes", tmp / "suffixes")] == ["next.example."]
    done = lib.dnsmon("demand", "--db", db, "--limit", "0", check=False)
    assert done.returncode == 2 and "--limit" in done.stderr, done
