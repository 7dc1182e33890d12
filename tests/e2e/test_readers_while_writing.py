"""Readers beside a writer: no errors, and what was there once never grows less."""
import json
import subprocess
import threading

import lib
import traffic

KEY = ("rrname", "rrtype", "rdata")


def key_of(record):
    return tuple(json.dumps(record[k], sort_keys=True) for k in KEY)


class Watcher:
    """Remembers counts per record and that they only grow."""

    def __init__(self):
        self.seen, self.answers, self.grew = {}, 0, 0

    def take(self, records):
        now = {key_of(r): (r["count"], r["time_first"], r["time_last"]) for r in records}
        assert len(now) == len(records), "a record twice in one answer"
        for key, (count, first, last) in self.seen.items():
            assert key in now, f"{key} is gone"
            assert now[key][0] >= count and now[key][1] <= first and now[key][2] >= last, (key, now[key], (count, first, last))
        self.grew += sum(now[k][0] > self.seen.get(k, (0,))[0] for k in now)
        self.seen, self.answers = now, self.answers + 1


def popular():
    """The most asked domains of the generator, some of each."""
    names = lib.run(lib.built("bench/generate"), "--show", 4).stdout.split()
    return [("rrset", f"*.{name}") for name in names] + [("rdata", "20.0.0.0/7"), ("rrset", "*.uk", "A")]


def test_lookups_while_ingesting(tmp):
    capture = traffic.generate(tmp / "traffic.pcap", "--transactions", 600000, "--seconds", 10 * 3600, "--names", 2000)
    database = tmp / "db"
    first = traffic.generate(tmp / "first.pcap", "--transactions", 2000, "--seconds", 60, "--names", 2000)
    lib.dnsmon("ingest", "--db", database, "--slot", 60, first)
    writer = lib.start(lib.dnsmon_path(), "ingest", "--db", database, "--slot", 60, "--threads", 2, capture,
                       log=tmp / "writer.log")
    failures, watchers = [], {query: Watcher() for query in popular()}

    def reader(queries):
        try:
            alive = True
            while alive:
                alive = writer.alive()  # one more round after its end
                for query in queries:
                    watchers[query].take(lib.dnsmon_lines("lookup", "--db", database, "--limit", 0, "--json", *query))
        except Exception as failure:
            failures.append(f"{failure!r}")
    queries = list(watchers)
    threads = [threading.Thread(target=reader, args=(queries[i::2],)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(300 * lib.SLOWER)
    assert not failures, failures[0]
    assert writer.wait(300) == 0, writer.output()
    answers = sum(w.answers for w in watchers.values())
    print(f"# {answers} answers, {sum(w.grew for w in watchers.values())} counts grown while reading", flush=True)
    assert all(w.answers >= 2 and w.grew > len(w.seen) for w in watchers.values()), \
        {q: (w.answers, w.grew, len(w.seen)) for q, w in watchers.items()}
    lib.dnsmon("fsck", "--db", database, timeout=120)


def test_a_long_reader(tmp):
    """One process that answers a batch all the while that tables are merged away under it."""
    capture = traffic.generate(tmp / "traffic.pcap", "--transactions", 400000, "--seconds", 8 * 3600, "--names", 2000)
    database = tmp / "db"
    first = traffic.generate(tmp / "first.pcap", "--transactions", 2000, "--seconds", 60, "--names", 2000)
    lib.dnsmon("ingest", "--db", database, "--slot", 60, first)
    reader = subprocess.Popen([lib.dnsmon_path(), "lookup", "--db", database, "--limit", "0", "--json", "--batch", "-"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        writer = lib.start(lib.dnsmon_path(), "ingest", "--db", database, "--slot", 60, capture, log=tmp / "writer.log")
        watchers, alive = {query: Watcher() for query in popular()}, True
        while alive:
            alive = writer.alive()
            for query, watcher in watchers.items():
                reader.stdin.write(" ".join(query) + "\n")
                reader.stdin.flush()
                records = []
                while True:
                    line = reader.stdout.readline()
                    assert line, f"the reader ended: {reader.stderr.read()}"
                    record = json.loads(line)
                    if "query" in record:
                        assert "error" not in record and record["results"] == len(records), record
                        break
                    records.append(record)
                watcher.take(records)
        reader.stdin.close()
        assert reader.wait(60 * lib.SLOWER) == 0, reader.stderr.read()
    finally:
        reader.kill()
        reader.communicate() if not reader.stdin.closed else reader.wait()
    assert writer.wait(300) == 0, writer.output()


def test_one_writer(tmp):
    """A second writer is told so, and harms nothing."""
    capture = traffic.generate(tmp / "traffic.pcap", "--transactions", 300000, "--seconds", 5 * 3600)
    database = tmp / "db"
    writer = lib.start(lib.dnsmon_path(), "ingest", "--db", database, "--slot", 60, capture, log=tmp / "writer.log")
    lib.wait_for_path(database / "MANIFEST")
    second = lib.dnsmon("ingest", "--db", database, capture, check=False)
    if writer.alive():
        assert second.returncode == 1 and second.stderr.strip(), (second.returncode, second.stderr)
    assert writer.wait(300) == 0, writer.output()
    lib.dnsmon("fsck", "--db", database, timeout=120)
