"""The records that we keep of a capture's answers are those that tshark reads in them.

Compared are owner, type and data of A, AAAA, CNAME, NS, PTR, MX, TXT, SOA and SRV. Messages that the
program sets aside are set aside here too, by its own counts (tshark.classify); so are records of
another class and answers without a question, but for multicast DNS. An owner with very many records keeps a part of
them and counts the rest (docs/format/records.md): then the sums must agree.
"""
import collections
import re

import lib
import tshark

ANSWER, OTHER_SECTIONS = 1, 2 | 4
CODES = {name: code for code, name in tshark.TYPES.items()}
KEPT_RECORDS = 1024  # of one owner and type; the rest are collapsed


def theirs(path, found, counts, keep_multicast, tmp):
    """Counter of (owner, type, data) in answers that dnsmon should have recorded."""
    causes = tshark.classify(path, found, counts, keep_multicast, tmp)
    assert not tshark.disagreements(causes, counts), (path.name, tshark.disagreements(causes, counts))
    records = collections.Counter()
    for message in found:
        if message in causes or not tshark.is_recorded(message):
            continue
        for record in message.records:
            if record.section == "answer" and tshark.is_data(message, record) and record.type in tshark.TYPES:
                assert record.data is not None, (path.name, message.frame, record.owner, record.type)
                records[record.owner, tshark.TYPES[record.type], record.data] += 1
    return records


def strings(text):
    """The bytes of each "quoted" string of presentation form."""
    out = []
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', text):
        unescaped = re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], quoted)
        out.append(unescaped.encode("latin-1"))
    return tuple(out)


def plain(name):
    """A name as tshark shows it: bytes that are ASCII text without a backslash."""
    return re.sub(r"\\(\d{3}|.)", lambda m: chr(int(m[1])) if len(m[1]) == 3 else m[1], name)


def data_of(kind, text):
    return strings(text) if kind == "TXT" else tuple(plain(word) for word in text.split(" "))


class Ours:
    """From `dnsmon dump`: counts of records seen in answers, whether seen elsewhere too, and what was collapsed."""

    def __init__(self, database):
        self.counts, self.elsewhere, self.collapsed = collections.Counter(), set(), collections.Counter()
        for line in lib.dnsmon("dump", "--db", database, timeout=120).stdout.splitlines():
            owner, kind, text, _, _, count, upstream, _, _, flags = line.split("\t")[:10]
            kind = kind.removeprefix("OUTSIDE:")
            number, flags = int(count) + int(upstream), int(flags)
            if kind == "RDATA":
                self.collapsed[plain(owner), text] += number
            elif kind in CODES and flags & ANSWER:
                key = (plain(owner), kind, data_of(kind, text))
                self.counts[key] += number
                if flags & OTHER_SECTIONS:
                    self.elsewhere.add(key)


def sums(records, keys):
    out = collections.Counter()
    for (owner, kind, _), number in records.items():
        if (owner, kind) in keys:
            out[owner, kind] += number
    return out


def compare(name, expected, ours):
    """Lines that tell what differs."""
    whole = set(ours.collapsed)
    faults = []
    for key in sorted(set(expected) | set(ours.counts), key=str):
        want, have = expected[key], ours.counts[key]
        if key[:2] in whole and have == 0:
            continue
        if want != have and not (want < have and want > 0 and key in ours.elsewhere):
            faults.append(f"{name}: {key}: tshark {want}, dnsmon {have}")
    total, kept = sums(expected, whole), sums(ours.counts, whole)
    for key in whole:
        distinct = sum(k[:2] == key for k in ours.counts)
        if total[key] != kept[key] + ours.collapsed[key] or distinct != KEPT_RECORDS:
            faults.append(f"{name}: {key}: tshark {total[key]} in all, dnsmon {kept[key]} of {distinct} records "
                          f"and {ours.collapsed[key]} collapsed")
    return faults


def check(path, found, tmp, *options):
    database = tmp / "records"
    counts = tshark.ingest(database, path, *options)
    expected = theirs(path, found, counts, bool(options), tmp)
    return compare(path.name, expected, Ours(database)), len(expected)


def test_answers_are_those_of_tshark(tmp):
    folder = lib.shared("data/captures")
    lib.program("tshark")
    lib.program("editcap")
    faults, records = [], 0
    for path in sorted(p for p in folder.iterdir() if ".pcap" in p.name):
        found = tshark.messages(path, tmp)
        for options in [(), ("--keep-multicast",)] if any(m.proto != "dns" for m in found) else [()]:
            more, number = check(path, found, tmp, *options)
            faults += more
            records += number
    assert not faults, f"{len(faults)} differ:\n" + "\n".join(faults[:40])
    assert records > 1000, records


def test_answers_of_the_demo_are_those_of_tshark(tmp):
    lib.program("tshark")
    path = lib.SOURCE / "tests/data/demo.pcap"
    faults, records = check(path, tshark.messages(path, tmp), tmp)
    assert not faults, "\n".join(faults)
    assert records > 40, records
