"""Exactly once: whatever kills ingest, and however the files are given, the database ends up
holding the same, byte for byte in `dnsmon dump`, and number for number in the totals."""
import collections
import functools
import gzip
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import lib
import traffic

KINDS = ("rr", "inverse", "name", "host", "domain")
TRANSACTIONS, SECONDS, SLOT, FILES = (400000, 26 * 3600, 1800, 6) if lib.LONG else (80000, 6 * 3600, 900, 6)
SEED = int(os.environ.get("DNSMON_E2E_SEED", "20240101"))


def dump(database):
    return {kind: lib.dnsmon("dump", "--db", database, "--kind", kind, timeout=120).stdout for kind in KINDS}


def totals(database):
    return json.loads(lib.dnsmon("stat", "--db", database, "--json").stdout)["totals"]


def sources(database):
    return json.loads(lib.dnsmon("stat", "--db", database, "--json").stdout)["sources"]


@functools.cache
def client_key():
    """The key that all databases here have: the same clients have the same ids in each."""
    with tempfile.TemporaryDirectory(prefix="dnsmon-e2e-") as tmp:
        lib.dnsmon("ingest", "--db", Path(tmp) / "db", "/dev/null")
        return (Path(tmp) / "db/client.key").read_bytes()


def with_client_key(database):
    if not (Path(database) / "client.key").exists():
        Path(database).mkdir(mode=0o700, parents=True, exist_ok=True)
        (Path(database) / "client.key").write_bytes(client_key())
        (Path(database) / "client.key").chmod(0o600)


def ingest_words(database, *words, slot=SLOT, threads=2):
    with_client_key(database)
    return ["ingest", "--db", database, "--slot", str(slot), "--threads", str(threads), *words]


def ingest(database, *words, **how):
    return json.loads(lib.dnsmon(*ingest_words(database, "--json", *words, **how), timeout=300).stdout)


def difference(is_, was):
    """The first lines that differ, for the report."""
    for kind in KINDS:
        a, b = is_[kind].splitlines(), was[kind].splitlines()
        if a == b:
            continue
        only, lost = sorted(set(a) - set(b)), sorted(set(b) - set(a))
        return f"{kind}: {len(only)} lines that should not be, {only[:3]}; {len(lost)} that are missing, {lost[:3]}"
    return "none"


def same(database, truth, what, but=()):
    now = dump(database)
    assert now == truth["dump"], f"{what}: {difference(now, truth['dump'])}"
    counts = totals(database)
    wrong = {k: (counts.get(k), v) for k, v in truth["totals"].items() if counts.get(k) != v and k not in but}
    assert not wrong, f"{what}: totals (is, should be): {wrong}"


def truth_of(database):
    lib.dnsmon("fsck", "--db", database, timeout=120)
    return {"dump": dump(database), "totals": totals(database)}


def scenery(tmp, transactions=TRANSACTIONS, seconds=SECONDS, files=FILES, slot=SLOT):
    """Files and what a run that nothing disturbs makes of them."""
    whole = traffic.generate(tmp / "whole.pcap", "--transactions", transactions, "--seconds", seconds,
                             "--names", 3000, "--seed", 5)
    pieces = traffic.split(traffic.read_pcap(whole), files)
    whole.unlink()
    paths = traffic.make_files(tmp / "files", pieces)
    begun = time.monotonic()
    run = ingest(tmp / "truth", *paths, slot=slot)
    took = time.monotonic() - begun
    assert run["sources_new"] == files and run["sources_failed"] == 0, run
    truth = truth_of(tmp / "truth")
    for i in range(files - 1):  # what crosses the borders did arrive
        for name in (f"border{i}-20000.example.net.", f"border{i}-30000.example.net."):
            assert f"\n{name}\tTXT\t" in truth["dump"]["rr"], f"{name} is not there"
    return paths, truth, took


# ---- where a process stands, seen from outside ----

class Stand:
    """Stops a process, tells what it was doing, and kills it. The files of the database and the
    descriptors of the stopped process tell; nothing in the program helps."""

    def __init__(self, child, database, inputs):
        self.child, self.database, self.inputs = child, Path(database), {str(p) for p in inputs}

    def descriptors(self):
        found = {}
        try:
            for fd in os.listdir(f"/proc/{self.child.pid}/fd"):
                try:
                    found[int(fd)] = os.readlink(f"/proc/{self.child.pid}/fd/{fd}")
                except OSError:
                    pass
        except OSError:
            pass
        return found

    def phases(self):
        open_files = self.descriptors()
        if str(self.database / "MANIFEST") not in open_files.values():
            return {"between"}  # it opens the database, or closes it
        try:
            names = os.listdir(self.database)
            manifest = (self.database / "MANIFEST").read_bytes()
        except OSError:
            return set()
        phases = set()
        for name in names:
            if name.endswith(".tmp") and "-" in name and not name.startswith("state-"):
                phases.add("sealing" if "-slot-" in name else "merging")
        if self.in_manifest(open_files) or self.half_committed(names, manifest):
            phases.add("append")
        if not phases:
            phases.add("folding" if self.inputs & set(open_files.values()) else "between")
        return phases

    def in_manifest(self, open_files):
        """A thread inside a system call (pwrite, fdatasync, ...) on the manifest."""
        manifest = {fd for fd, path in open_files.items() if path.endswith("/MANIFEST")}
        try:
            for thread in os.listdir(f"/proc/{self.child.pid}/task"):
                words = Path(f"/proc/{self.child.pid}/task/{thread}/syscall").read_text().split()
                if len(words) > 1 and words[0].isdigit() and int(words[0]) > 0 and int(words[1], 16) in manifest:
                    return True
        except (OSError, ValueError):
            pass
        return False

    @staticmethod
    def half_committed(names, manifest):
        """The open state is written for a record that is not there yet, or the record is there
        and what it removes is there still."""
        states = [int(n[6:22], 16) for n in names if re.fullmatch(r"state-[0-9a-f]{16}(\.tmp)?", n)]
        removed = {int(n) for ids in re.findall(rb'"remove":\[([\d,]+)\]', manifest) for n in ids.split(b",")}
        tables = {int(n[-21:-5], 16) for n in names if n.endswith(".mtbl")}
        return len(states) > 1 or any(n.startswith("state-") and n.endswith(".tmp") for n in names) or bool(tables & removed)

    def kill(self):
        """SIGKILL, as if it had come at the moment of the stop."""
        try:
            os.kill(self.child.pid, signal.SIGSTOP)
            for _ in range(2000):
                if self.state() in "TtZX":
                    break
            phases = self.phases() if self.state() in "Tt" else set()
        finally:
            self.child.kill()
        self.child.wait()
        return phases

    def state(self):
        try:
            return Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "X"


CLASSES = ("folding", "sealing", "merging", "append", "between")


def killed_until_done(database, paths, random_, took, kills, aims, hits):
    """Runs ingest until one run completes, killing at most `kills` on the way. Returns how many."""
    done = 0
    while True:
        child = subprocess.Popen([lib.dnsmon_path(), *map(str, ingest_words(database, *paths))],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        stand = Stand(child, database, paths)
        if done < kills:
            time.sleep(random_.uniform(0, took * (1.0 if done % 2 == 0 else 0.4)))
            aim = aims[0] if aims else None
            if aim:  # wait for a phase that random moments seldom meet
                end = time.monotonic() + took
                while child.poll() is None and time.monotonic() < end and aim not in stand.phases():
                    pass
        if done < kills and child.poll() is None:
            phases = stand.kill()
            if phases:
                done += 1
                hits.update(phases)
                if aims:
                    aims.pop(0)
                child.communicate()
                continue
        _, err = child.communicate(timeout=300 * lib.SLOWER)
        if child.returncode == -signal.SIGKILL:
            continue
        assert child.returncode == 0, f"exit {child.returncode}: {err[-2000:]}"
        return done


@lib.long
def test_killed_at_random_moments(tmp):
    wanted = 100 if lib.LONG else 12
    print(f"# seed {SEED}", flush=True)
    random_ = random.Random(SEED)
    paths, truth, took = scenery(tmp)
    hits, kills, rounds = collections.Counter(), 0, 0
    aims = []
    while kills < wanted:
        missing = [c for c in CLASSES if hits[c] < wanted // 20]
        if kills >= wanted // 3 and missing and not aims:
            aims = missing
        database = tmp / f"killed{rounds}"
        kills += killed_until_done(database, paths, random_, took, min(random_.randint(1, 4), wanted - kills), aims, hits)
        lib.dnsmon("fsck", "--db", database, timeout=120)
        same(database, truth, f"round {rounds}, {kills} kills so far")
        leftovers = [p.name for p in database.iterdir() if ".tmp" in p.name]
        assert not leftovers, leftovers
        shutil.rmtree(database)
        rounds += 1
        assert rounds < 20 * wanted, f"only {kills} kills of {wanted}"
    print(f"# {kills} kills in {rounds} rounds: {', '.join(f'{c} {hits[c]}' for c in CLASSES)}", flush=True)
    if lib.LONG:
        missed = [c for c in CLASSES if not hits[c]]
        assert not missed, f"no kill landed in {missed}: {hits}"


# ---- every moment there is ----

def crash_library(tmp):
    if lib.SLOWER != 1:
        lib.skip("sanitizers do not like preloaded libraries")
    compiler = shutil.which("gcc") or shutil.which("cc") or lib.skip("no C compiler")
    lib.run(compiler, "-shared", "-fPIC", "-O1", "-o", tmp / "crash.so", Path(__file__).parent / "crash.c", "-ldl")
    return tmp / "crash.so"


def crash_env(library, database, at, log, torn=False, **more):
    if torn:
        more["CRASH_TORN"] = "1"
    return {"LD_PRELOAD": str(library), "CRASH_FOLDER": str(database), "CRASH_AT": str(at), "CRASH_LOG": str(log), **more}


def ingest_crashing(library, database, paths, at, log, check=False, slot=SLOT, **more):
    return lib.run(lib.dnsmon_path(), *ingest_words(database, *paths, slot=slot, threads=1), check=check,
                   env=crash_env(library, database, at, log, **more), timeout=120)


def moments_of(log, sample):
    """The calls that `log` counted: (number, whether it is cut in half), all or a sample."""
    calls = [line.split(" ", 2) for line in log.read_text().splitlines()]
    assert any(what == "write" and "MANIFEST" in path for _, what, path in calls), calls[:50]
    moments = [(n, torn) for n, (_, what, _) in enumerate(calls, 1) for torn in ((False, True) if what == "write" else (False,))]
    return moments if lib.LONG else random.Random(SEED).sample(moments, sample)


@lib.long
def test_killed_at_every_change(tmp):
    """Ended at each call that changes a file of the database: between two of them, and inside writes."""
    library = crash_library(tmp)
    paths, truth, _ = scenery(tmp, transactions=6000, seconds=2 * 3600 + 600, files=3, slot=1800)
    log = tmp / "calls"
    (tmp / "counted").mkdir()
    ingest_crashing(library, tmp / "counted", paths, 0, log, check=True)
    moments = moments_of(log, 25)
    kinds = collections.Counter()
    for number, torn in moments:
        database = tmp / "crashed"
        log.unlink(missing_ok=True)
        done = ingest_crashing(library, database, paths, number, log, torn=torn)
        if done.returncode == 0:
            shutil.rmtree(database)
            continue  # threads took another way and needed fewer calls
        assert done.returncode == -signal.SIGKILL, done
        _, what, path = log.read_text().splitlines()[-1].split(" ", 2)
        where = f"call {number}, {what}{' torn' if torn else ''} {Path(path).name}"
        kinds[("torn " if torn else "") + what + (" manifest" if "MANIFEST" in path else "")] += 1
        if (database / "MANIFEST").exists():  # whole for readers, before a writer clears up
            lib.dnsmon("fsck", "--db", database)
        ingest(database, *paths)
        lib.dnsmon("fsck", "--db", database)
        same(database, truth, where)
        shutil.rmtree(database)
    print(f"# {len(moments)} moments: {dict(kinds)}", flush=True)
    if lib.LONG:
        assert len(moments) > 50 and kinds["torn write manifest"] and kinds["rename"] and kinds["unlink"], kinds


@lib.long
def test_purge_killed(tmp):
    """A purge that is killed anywhere and asked for again has removed all, and nothing else."""
    library = crash_library(tmp)
    paths, _, _ = scenery(tmp, transactions=6000, seconds=2 * 3600 + 600, files=2, slot=1800)
    words = ["purge", "--subtree", "--yes", "net"]
    shutil.copytree(tmp / "truth", tmp / "purged")
    log = tmp / "calls"
    lib.dnsmon(*words, "--db", tmp / "purged", env=crash_env(library, tmp / "purged", 0, log))
    truth = truth_of(tmp / "purged")
    left = truth["dump"]["rr"].splitlines()
    assert len(left) > 1000 and not [line for line in left if line.split("\t")[0].endswith(".net.")]
    moments = moments_of(log, 12)
    for number, torn in moments:
        database = tmp / "crashed"
        shutil.copytree(tmp / "truth", database)
        done = lib.dnsmon(*words, "--db", database, env=crash_env(library, database, number, log, torn), check=False)
        assert done.returncode == -signal.SIGKILL, f"call {number} was not reached: {done}"
        lib.dnsmon("fsck", "--db", database)  # whole for readers, before a writer clears up
        lib.dnsmon(*words, "--db", database)
        lib.dnsmon("fsck", "--db", database)
        same(database, truth, f"purge killed at call {number}{', torn' if torn else ''}")
        run = ingest(database, *paths)  # what was purged does not come back with its sources
        assert run["sources_known"] == len(paths), run
        same(database, truth, "read again after a purge")
        shutil.rmtree(database)
    print(f"# killed at {len(moments)} moments", flush=True)


# ---- the same, given otherwise ----

def small(tmp):
    return scenery(tmp, transactions=30000, seconds=3 * 3600, files=4)


def test_given_again(tmp):
    paths, truth, _ = small(tmp)
    run = ingest(tmp / "truth", *paths)
    assert run["sources_known"] == len(paths) and run["messages"] == 0, run
    same(tmp / "truth", truth, "the same files")
    copies = []
    for path in paths:  # other names, other compression
        copy = tmp / ("copy-of-" + path.name + ".gz")
        plain = path if path.suffix == ".pcap" else None
        copy.write_bytes(gzip.compress(plain.read_bytes()) if plain else path.read_bytes())
        copies.append(copy)
    run = ingest(tmp / "truth", *reversed(copies))
    assert run["sources_known"] == len(paths), run
    same(tmp / "truth", truth, "copies under other names, the last first")
    run = ingest(tmp / "twice", paths[0], paths[0], *paths[1:], *paths)
    assert run["sources_known"] == len(paths) + 1, run
    same(tmp / "twice", truth, "twice in one run")
    assert len(sources(tmp / "twice")) == len(paths), sources(tmp / "twice")


def test_one_a_run_or_all_at_once(tmp):
    paths, truth, _ = small(tmp)
    for path in paths:
        run = ingest(tmp / "apart", path)
        assert run["sources_new"] == 1, run
        lib.dnsmon("fsck", "--db", tmp / "apart")
    same(tmp / "apart", truth, "one a run")


def test_late_for_a_merged_day(tmp):
    """What comes when its day was merged makes the same dump, and does not write the day again."""
    days = traffic.generate(tmp / "days.pcap", "--transactions", 40000, "--seconds", 50 * 3600, "--names", 3000, "--seed", 5)
    late = [traffic.generate(tmp / f"late{i}.pcap", "--transactions", 150, "--seconds", (i + 1) * 3600, "--seed", 6 + i)
            for i in range(4)]
    last = traffic.generate(tmp / "last.pcap", "--transactions", 300, "--seconds", 52 * 3600, "--seed", 10)
    ingest(tmp / "truth", *late, days, last, slot=900)
    truth = truth_of(tmp / "truth")
    ingest(tmp / "db", days, slot=900)
    large = {p.name: p.stat().st_ino for p in (tmp / "db").glob("*-day-*.mtbl")}
    assert len(large) == 2 * len(KINDS), large
    for path in [*late, last]:
        ingest(tmp / "db", path, slot=900)
    after = {p.name: p.stat().st_ino for p in (tmp / "db").glob("*-day-*.mtbl")}
    assert large.items() <= after.items(), (large, after)
    assert len(large) < len(after) <= 4 * len(KINDS), after
    lib.dnsmon("fsck", "--db", tmp / "db")
    same(tmp / "db", truth, "four files late for their day", but=["late"])  # which counts what came in which order


def test_threads(tmp):
    paths, truth, _ = small(tmp)
    for threads in (1, 2, 3):
        ingest(tmp / f"with{threads}", *paths, threads=threads)
        same(tmp / f"with{threads}", truth, f"{threads} threads")


def test_a_grown_file_continues(tmp):
    paths, truth, _ = scenery(tmp, transactions=20000, seconds=3 * 3600, files=1)
    whole = paths[0].read_bytes()
    packets = traffic.read_pcap(paths[0])
    growing = tmp / "growing.pcap"
    border = len(traffic.pcap_bytes(packets[:len(packets) // 3]))
    for i, length in enumerate([24, border, border + 7, border + 16 + 30, 2 * border + 1, len(whole)]):
        growing.write_bytes(whole[:length])
        run = ingest(tmp / "grown", growing)
        if i > 1 and length == len(whole):
            assert run["sources_grown"] == 1, run
    # That the file ended inside a record was said, and counted, each time that it did.
    same(tmp / "grown", truth, "grown in five steps, some inside a record", but=["malformed"])
    assert totals(tmp / "grown")["malformed"] == {"bad_record": 3}, totals(tmp / "grown")
    run = ingest(tmp / "grown", growing, paths[0])
    assert run["sources_known"] == 2, run


def test_an_empty_file(tmp):
    """Plain, compressed or piped, nothing is no failure; what is written there later is new."""
    paths, truth, _ = scenery(tmp, transactions=20000, seconds=3 * 3600, files=1)
    (tmp / "in").mkdir()
    plain, packed = tmp / "in/rotated.pcap", tmp / "in/rotated.log.gz"
    plain.write_bytes(b"")
    packed.write_bytes(traffic.compressed(b"", "gz"))
    done = lib.dnsmon(*ingest_words(tmp / "db", "--json", plain, packed, "-"), input="")
    run = json.loads(done.stdout)
    assert run["sources_empty"] == 3 and run["sources_failed"] == run["sources_new"] == run["packets"] == 0, run
    for path in (plain, packed, "-"):
        assert f"dnsmon: {path}: empty\n" in done.stderr, done.stderr
    assert not sources(tmp / "db")
    plain.write_bytes(paths[0].read_bytes())
    run = ingest(tmp / "db", packed, plain)
    assert run["sources_new"] == run["sources_empty"] == 1, run
    same(tmp / "db", truth, "an empty file, then written")
    packed.write_bytes(packed.read_bytes()[:-1])
    done = lib.dnsmon(*ingest_words(tmp / "db", packed), check=False)
    assert done.returncode == 1 and "ends early" in done.stderr, done.stderr


def test_a_former_state_of_a_grown_file(tmp):
    """A copy made before the file grew holds nothing new either."""
    paths, truth, _ = scenery(tmp, transactions=20000, seconds=3 * 3600, files=1)
    packets = traffic.read_pcap(paths[0])
    former = tmp / "former.pcap"
    former.write_bytes(traffic.pcap_bytes(packets[:len(packets) // 3]))
    ingest(tmp / "db", former)
    ingest(tmp / "db", paths[0])
    same(tmp / "db", truth, "grown")
    ingest(tmp / "db", former)
    same(tmp / "db", truth, "the former state given again")


def test_a_file_grows_in_many_steps(tmp):
    """One source stays in the manifest, and it is known again as it is and as it was lately."""
    steps, remembered = 150, 64  # more runs than former places are kept
    paths, truth, _ = scenery(tmp, transactions=5000, seconds=3 * 3600, files=1)
    data, packets = paths[0].read_bytes(), traffic.read_pcap(paths[0])
    border = [len(traffic.pcap_bytes([])) + sum(16 + len(frame) for _, frame in packets[:len(packets) * i // steps])
              for i in range(1, steps + 1)]
    growing, copies = tmp / "growing.pcap", []
    for i, length in enumerate(border):
        growing.write_bytes(data[:length])
        run = ingest(tmp / "grown", growing)
        assert run["sources_grown"] == (i > 0), run
        if i == 0 or i >= steps - remembered:
            copies.append(tmp / f"copy{i}.pcap")
            shutil.copy(growing, copies[-1])
    same(tmp / "grown", truth, f"grown in {steps} steps")
    run = ingest(tmp / "grown", *copies, growing)
    assert run["sources_known"] == len(copies) + 1 and run["messages"] == 0, run
    same(tmp / "grown", truth, "copies of its former states")
    assert len(sources(tmp / "grown")) == 1, sources(tmp / "grown")
    size = (tmp / "grown" / "MANIFEST").stat().st_size
    assert size < 40000, size


def test_a_former_state_that_grew_otherwise(tmp):
    """A copy of a former state, to which other packets came, is another source."""
    paths, _, _ = scenery(tmp, transactions=20000, seconds=3 * 3600, files=1)
    packets = traffic.read_pcap(paths[0])
    third = len(packets) // 3
    former, other = tmp / "former.pcap", tmp / "other.pcap"
    former.write_bytes(traffic.pcap_bytes(packets[:third]))
    other.write_bytes(traffic.pcap_bytes(packets[:third] + packets[2 * third:]))
    ingest(tmp / "db", former)
    ingest(tmp / "db", paths[0])
    assert len(sources(tmp / "db")) == 1, sources(tmp / "db")
    run = ingest(tmp / "db", other)
    assert run["sources_grown"] == 1 and run["messages"] > 0, run
    assert len(sources(tmp / "db")) == 2, sources(tmp / "db")
    truth = truth_of(tmp / "db")
    run = ingest(tmp / "db", other, paths[0], former)
    assert run["sources_known"] == 3, run
    same(tmp / "db", truth, "all three again")


def test_two_files_that_begin_alike(tmp):
    """Same first packets, same length, another end: two sources, each counted once."""
    paths, _, _ = scenery(tmp, transactions=20000, seconds=3 * 3600, files=1)
    packets = traffic.read_pcap(paths[0])
    other = list(packets)
    when, frame = other[-1]
    other[-1] = (when, frame[:-3] + bytes([frame[-3] ^ 1]) + frame[-2:])
    alike = tmp / "alike.pcap"
    alike.write_bytes(traffic.pcap_bytes(other))
    assert alike.stat().st_size == paths[0].stat().st_size
    ingest(tmp / "db", paths[0], alike)
    truth = truth_of(tmp / "db")
    for order in ([paths[0], alike], [alike, paths[0]]):
        run = ingest(tmp / "db", *order)
        assert run["sources_known"] == 2, run
        same(tmp / "db", truth, "both again")


def exchanges(n, ident):
    """(microseconds, frame) of questions and their answers, and (seconds, wire) of the answers."""
    packets, answers = [], []
    for i in range(n):
        when, name = 1704067200 * 1000000 + i * 1000000, f"host{i}.kind{ident}.example.net"
        ask = traffic.message(i, name, 1)
        answer = traffic.message(i, name, 1, [(1, 60, bytes([192, 0, 2, ident]))], True)
        packets += [(when, traffic.ipv4(traffic.CLIENT, traffic.SERVER, 17, traffic.udp(4000 + i, 53, ask), i)),
                    (when + 9, traffic.ipv4(traffic.SERVER, traffic.CLIENT, 17, traffic.udp(53, 4000 + i, answer), i))]
        answers.append((when // 1000000, answer))
    return packets, answers


def zeek_log(n):
    fields = "ts id.orig_h id.orig_p id.resp_h id.resp_p proto trans_id query qtype rcode answers TTLs".split()
    rows = [f"{1704067200 + i}.5 10.9.9.9 {4000 + i} 10.0.0.1 53 udp {i} host{i}.zeek.example.net 1 0 192.0.2.9 60.0"
            for i in range(n)]
    return "#separator \\x09\n#fields\t" + "\t".join(fields) + "\n" + "".join(r.replace(" ", "\t") + "\n" for r in rows)


def test_small_files_beside_files_of_other_kinds(tmp):
    """Each small file may be the beginning of any other, so where it ended is compared in all of them: in the middle of
    a block, a line, a header."""
    folder = tmp / "files"
    folder.mkdir()
    (folder / "nothing.pcap").write_bytes(traffic.HEAD)
    (folder / "one.pcap").write_bytes(traffic.pcap_bytes(exchanges(1, 1)[0]))
    (folder / "some.pcapng").write_bytes(traffic.pcapng_bytes(exchanges(40, 2)[0]))
    (folder / "more.pcapng").write_bytes(traffic.pcapng_bytes(exchanges(60, 3)[0]))
    (folder / "some.dnstap").write_bytes(traffic.dnstap_bytes(exchanges(40, 4)[1]))
    (folder / "dns.log").write_text(zeek_log(40))
    paths = sorted(folder.iterdir())
    first = ingest(tmp / "db", *paths)
    assert first["sources_new"] == len(paths) - 1 and first["responses"] == 1 + 40 + 60 + 40 + 40, first
    assert first["sources_grown"] == 1, first  # one.pcap begins with all of nothing.pcap
    truth = truth_of(tmp / "db")
    for order in (paths, paths[::-1]):
        run = ingest(tmp / "db", *order)
        assert run["sources_known"] == len(paths) and run["messages"] == 0, run
        same(tmp / "db", truth, "all again")
    more = exchanges(80, 3)[0]
    (folder / "more.pcapng").write_bytes(traffic.pcapng_bytes(more))
    run = ingest(tmp / "db", *paths)
    assert run["sources_grown"] == 1 and run["messages"] == 2 * 20, run


def cut_files(folder):
    """(path, whole bytes, how many of them are there first, the cause that is told then, or None)."""
    eve = "".join(json.dumps({"event_type": "dns", "timestamp": f"2024-01-01T00:00:{i:02}Z", "src_ip": "10.9.9.9", "src_port": 4000,
                              "dest_ip": "10.0.0.1", "dest_port": 53, "proto": "UDP",
                              "dns": {"type": "query", "id": i, "rrname": f"host{i}.eve.example", "rrtype": "A"}}) + "\n"
                  for i in range(20)).encode()
    zeek = zeek_log(20).encode()
    return [(folder / "cut.pcap", traffic.pcap_bytes(exchanges(20, 5)[0]), -7, "bad_record"), (folder / "cut.pcapng", traffic.pcapng_bytes(exchanges(20, 6)[0]), -7, "bad_record"),
            (folder / "cut.json", eve, -9, "bad_line"), (folder / "cut.log", zeek, -30, "bad_line"),
            (folder / "no-lf.json", eve.replace(b".eve.", b".lf."), -1, None), (folder / "no-lf.log", zeek.replace(b".zeek.", b".lf."), -1, None)]


def test_a_cut_file(tmp):
    """That it is cut is said each time; when the rest is there, it goes on. A line that only lacks its end is whole."""
    for path, whole, there, cause in cut_files(tmp):
        db = tmp / f"db-{path.name}"
        path.write_bytes(whole[:there])
        first = ingest(db, path)
        assert first["malformed"] == ({cause: 1} if cause else {}) and first["sources_damaged"] == bool(cause), (path, first)
        truth = truth_of(db)
        again = ingest(db, path)
        assert again["malformed"] == first["malformed"] and again["sources_known"] == 1, (path, again)
        same(db, truth, f"{path.name}, still cut", but=["malformed"])
        path.write_bytes(whole)
        run = ingest(db, path)
        assert run["sources_grown"] == 1 and run["malformed"] == {}, (path, run)
        ingest(tmp / f"whole-{path.name}", path)
        assert dump(db) == dump(tmp / f"whole-{path.name}"), path


def test_standard_input_replayed(tmp):
    paths, truth, took = scenery(tmp, transactions=60000, seconds=3 * 3600, files=1)
    data = paths[0].read_bytes()
    random_ = random.Random(SEED)
    for attempt in range(8):
        child = subprocess.Popen([lib.dnsmon_path(), *map(str, ingest_words(tmp / "replayed", "--source-id", "tap1", "-"))],
                                 stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        killed_at = random_.uniform(0, took)
        try:
            if attempt < 5:
                share = random_.randint(1, len(data))
                child.stdin.write(data[:share])
                time.sleep(killed_at / 4)
                child.kill()
            else:
                child.stdin.write(data)
            child.stdin.close()
        except BrokenPipeError:
            pass
        child.stderr.read()
        child.wait()
        if attempt >= 5:
            assert child.returncode == 0
            same(tmp / "replayed", truth, f"sent {attempt + 1} times")
    assert len(sources(tmp / "replayed")) == 1, sources(tmp / "replayed")
