"""Look-ups with time fences in a database of many months: the same as all of it, sifted; and what is not needed is not read."""
import datetime
import itertools

import lib
import traffic

MONTHS = [datetime.datetime(2023 + m // 12, m % 12 + 1, 10, tzinfo=datetime.timezone.utc) for m in range(14)]
NEW = [700] * 13 + [4500]  # names that are new each month; in the last one more than is looked up before all is scanned


def exchange(when, ident, name, address, kind=1):
    ask = traffic.message(ident, name, kind)
    answer = traffic.message(ident, name, kind, [(kind, 60, bytes(address))], True)
    port = 1024 + ident
    return [(when, traffic.ipv4(traffic.CLIENT, traffic.SERVER, 17, traffic.udp(port, 53, ask), ident)),
            (when + 9, traffic.ipv4(traffic.SERVER, traffic.CLIENT, 17, traffic.udp(53, port, answer), ident))]


def month(m):
    """Names of this month alone, a few of every month, one of every other, and one that moves on."""
    begin = int(MONTHS[m].timestamp()) * 1000000
    named = [(f"m{m}-{i}.example.com", [10, m, i // 256, i % 256]) for i in range(NEW[m])]
    named += [(f"always{i}.example.com", [10, 100, 0, i]) for i in range(5)] + [("moves.example.com", [10, 101, 0, m])]
    named += [("sometimes.example.com", [10, 102, 0, 1])] if m % 2 else []
    return [p for i, (name, address) in enumerate(named) for p in exchange(begin + i * 100000, i, name, address)]


def database(tmp):
    paths = [tmp / f"{m:02}.pcap" for m in range(len(MONTHS))]
    for m, path in enumerate(paths):
        path.write_bytes(traffic.pcap_bytes(month(m)))
    lib.dnsmon("ingest", "--db", tmp / "db", *paths)
    return tmp / "db"


def found(db, *words):
    return lib.dnsmon_lines("lookup", "--db", db, "--json", "--limit", 0, *words)


def sifted(records, after, before, strict):
    after, before = after or 0, before or 1 << 40
    if strict:
        return [r for r in records if r["time_first"] >= after and r["time_last"] <= before]
    return [r for r in records if r["time_last"] >= after and r["time_first"] <= before]


def words_of(after, before, strict):
    words = ["--after", after] if after else []
    words += ["--before", before] if before else []
    return words + ["--strict"] * strict


def test_fences_are_exact(tmp):
    db = database(tmp)
    moments = [None] + [int((MONTHS[m] + datetime.timedelta(seconds=s)).timestamp()) for m, s in
                        [(0, 100), (1, 150), (6, 10**6), (12, 0), (13, 250)]]
    for query in (["rrset", "*.example.com"], ["rrset", "moves.*"], ["rdata", "10.100.0.0/14"], ["rdata", "10.13.0.0/16"]):
        everything = found(db, *query)
        for after, before, strict in itertools.product(moments, moments, (False, True)):
            is_ = found(db, *query, *words_of(after, before, strict))
            should = sifted(everything, after, before, strict)
            assert is_ == should, (query, after, before, strict, len(is_), len(should))


def test_tables_outside_are_left_alone(tmp):
    """Old tables are damaged: what is new is found all the same, since nobody looks there."""
    db = database(tmp)
    query = ["rdata", f"10.{len(MONTHS) - 1}.1.0/24"]
    new = found(db, *query)
    assert len(new) == 256, len(new)
    old = sorted(db.glob("inverse-month-*.mtbl"))
    assert len(old) >= len(MONTHS) - 2, old
    for path in old:
        data = bytearray(path.read_bytes())
        data[40:60] = bytes(20)
        path.write_bytes(data)
    assert found(db, *query, "--after", int(MONTHS[-1].timestamp())) == new
    done = lib.dnsmon("lookup", "--db", db, *query, check=False)
    assert done.returncode == 1 and "checksum" in done.stderr, done
