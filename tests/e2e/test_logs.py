"""Every shared log goes through ingest: read with plausible counts, or refused with a reason."""
import gzip
import json

import lib
import tshark

LOOKED_AT = ("not_dns_record", "no_message", "mdns", "llmnr", "other_port", "bad_line")  # causes of whole records
OF_USED = ("dns_trailing_bytes", "record_left_out")  # of messages that are used


def lines_of(path):
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("latin-1").split("\n")


def logs(folder):
    return sorted(path for path in lib.shared("data/logs/" + folder).iterdir() if path.is_file())


def show(path, counts):
    """On standard output as a TAP comment: what became of each file."""
    causes = {**counts["skipped"], **counts["malformed"]}
    print(f"# {path.parent.name}/{path.name}: {counts['packets']} records, {counts['queries']} queries, "
          f"{counts['responses']} responses, {counts['rr_observed']} answers and more"
          + "".join(f", {cause} {number}" for cause, number in causes.items()))


def plausible(path, counts):
    """Each record is set aside whole or gives a query, a response or both; each message is accounted for."""
    causes = {**counts["skipped"], **counts["malformed"]}
    used = counts["packets"] - sum(causes.get(cause, 0) for cause in LOOKED_AT)
    assert 0 <= used <= counts["messages"] <= 2 * used, (path.name, counts)
    inside = sum(number for cause, number in causes.items() if cause not in LOOKED_AT + OF_USED)
    assert counts["queries"] + counts["responses"] + inside == counts["messages"], (path.name, counts)
    assert counts["transactions"] + counts["unanswered"] <= counts["queries"], (path.name, counts)  # some still wait
    assert counts["transactions"] + counts["unmatched_responses"] == counts["responses"], (path.name, counts)
    assert counts["sources_failed"] == 0, (path.name, counts)


# ---- Zeek: what its lines hold, read here a second time ----

def zeek_rows(lines):
    """A dict of strings a line, of tab-separated or JSON logs; None values are absent."""
    fields = None
    for line in lines:
        if line.startswith("#fields"):
            fields = line.split("\t")[1:]
        elif line.startswith("{"):
            yield {key: value for key, value in json.loads(line).items() if value != ""}
        elif fields and line and not line.startswith("#"):
            yield {key: value for key, value in zip(fields, line.split("\t")) if value not in ("-", "(empty)")}


def zeek_messages(lines):
    """How many queries and responses Zeek tells of, on port 53, with a time."""
    queries = responses = 0
    for row in zeek_rows(lines):
        if int(row.get("id.resp_p", 53)) != 53 or str(row["ts"]).startswith("X"):
            continue
        response = bool("rcode" in row or row.get("answers") or row.get("rejected") in ("T", True))
        responses += response
        queries += "query" in row and (not response or row.get("RD") in ("T", True)
                                       or any(field in row for field in ("qtype", "qclass", "rtt")))
    return queries + responses


def is_zeek_log(lines):
    return any(line.startswith("#fields") for line in lines) or '"id.orig_h"' in lines[0]


def test_zeek_logs(tmp):
    read = 0
    for path in logs("zeek"):
        lines = lines_of(path)
        if not is_zeek_log(lines):
            continue
        counts = tshark.ingest(tmp / "db", path)
        show(path, counts)
        plausible(path, counts)
        assert counts["packets"] == len(lines) - (lines[-1] == ""), (path.name, counts)
        assert counts["messages"] == zeek_messages(lines), (path.name, zeek_messages(lines), counts)
        read += counts["messages"]
    assert read > 500, read


def test_zeek_lines_without_a_type(tmp):
    """What is not known is neither made up nor a reason to forget the rest, and what is left out is said."""
    fields = "ts id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id query qtype rcode rejected answers".split()
    rows = [("gone.example", "-", "3", "F", "-"), ("quiet.example", "-", "0", "F", "-"), ("-", "-", "2", "T", "-"),
            ("www.example", "-", "0", "F", "cdn.example,192.0.2.1"), ("mail.example", "-", "0", "F", "mx1.example,mx2.example"),
            ("quiet.example", "1", "0", "F", "-"), ("-", "-", "-", "F", "-")]
    lines = ["#path\tdns", "#fields\t" + "\t".join(fields)]
    lines += [f"170000000{i}\t10.0.0.1\t1024\t10.0.0.2\t53\tudp\t{i}\t" + "\t".join(row) for i, row in enumerate(rows)]
    log = tmp / "dns.log"
    log.write_text("\n".join(lines) + "\n")
    done = lib.dnsmon("ingest", "--db", tmp / "db", log)
    assert "7 messages: 1 queries, 6 responses" in done.stdout, done.stdout
    assert "(not_dns_record 2, no_message 1, record_left_out 2)" in done.stdout, done.stdout
    records = [line.split("\t")[:3] for line in lib.dnsmon("dump", "--db", tmp / "db").stdout.splitlines()]
    assert sorted(records) == [["cdn.example.", "A", "192.0.2.1"], ["gone.example.", "NXDOMAIN", ""],
                               ["quiet.example.", "NODATA", "A"], ["www.example.", "CNAME", "cdn.example."]], records


def test_dnstap_files(tmp):
    """As many messages as BIND's dnstap-read prints lines, for what both can open."""
    lib.program("dnstap-read")
    read = 0
    for path in logs("dnstap"):
        printed = lib.run("dnstap-read", path, check=False)
        if not printed.stdout:
            continue
        counts = tshark.ingest(tmp / "db", path)
        show(path, counts)
        plausible(path, counts)
        assert counts["messages"] == len(printed.stdout.splitlines()), (path.name, counts, printed.stdout)
        read += counts["messages"]
    assert read > 100, read


def eve_lines(path):
    """Suricata's events: lines, or inside the test cases of another project's parser."""
    text = path.read_text()
    try:
        return [json.loads(text)["input"]["message"]]
    except ValueError:
        return text.splitlines()


def test_eve_lines(tmp):
    read = 0
    for path in logs("suricata"):
        lines = [line for line in eve_lines(path) if line]
        eve = tmp / "eve.json"
        eve.write_text("\n".join(lines) + "\n")
        counts = tshark.ingest(tmp / "db", eve)
        show(path, counts)
        plausible(path, counts)
        about_dns = [event for event in map(json.loads, lines) if event["event_type"] == "dns"]
        assert counts["packets"] == len(lines), (path.name, counts)
        assert counts["messages"] >= len(about_dns) > 0, (path.name, counts)
        read += counts["rr_observed"]
    assert read > 0, read


def test_every_file_is_read_or_refused(tmp):
    """No crash, no hang; what is not read leaves a line that says so, and an empty database."""
    read, refused = 0, 0
    (tmp / "db").mkdir()
    for folder in sorted(lib.shared("data/logs").iterdir()):
        for path in logs(folder.name):
            done = lib.dnsmon("ingest", "--json", "--db", tmp / "db" / path.name, path, check=False)
            counts = json.loads(done.stdout)
            if done.returncode == 0:
                plausible(path, counts)
                read += 1
                continue
            assert done.returncode == 1 and "no known input format" in done.stderr, (path.name, done.returncode, done.stderr)
            assert counts["messages"] == 0 and counts["sources_failed"] == 1, (path.name, counts)
            refused += 1
    print(f"# {read} files read, {refused} of formats that are not")
    assert read >= 20, read
