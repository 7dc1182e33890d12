"""Damage: any byte of any file of the database may be wrong. fsck says which, and look-ups tell
the truth or that they cannot; they never crash and never make something up."""
import concurrent.futures
import os
import random
import re
import shutil

import lib
import traffic

SEED = int(os.environ.get("DNSMON_E2E_SEED", "20240101"))
QUERIES = """rrset *.com
rrset *.net A
rrset *.org ANY
rrset *.uk
rrset *.arpa
rrset www.*
rrset *.com NXDOMAIN
rrset *.com NODATA
rdata 0.0.0.0/0
rdata *.com
rrset no-such-name.example.
"""


class Database:
    """A small database, its files' bytes, and what it answers."""

    def __init__(self, tmp, transactions=60, seconds=4500):
        capture = traffic.generate(tmp / "traffic.pcap", "--transactions", transactions, "--seconds", seconds,
                                   "--names", 50, "--seed", 3)
        self.folder = tmp / "db"
        # One sealed hour, merged; slots; and an open one.
        lib.dnsmon("ingest", "--db", self.folder, "--slot", 1800, "--sensor", "edge", "--threads", 1, capture)
        self.queries = tmp / "queries"
        self.queries.write_text(QUERIES)
        self.files = {p.name: p.read_bytes() for p in sorted(self.folder.iterdir()) if p.is_file()}
        self.answer = self.ask(self.folder).stdout
        assert self.answer.count("\n") > 50, self.answer
        lib.dnsmon("fsck", "--db", self.folder)

    def ask(self, folder):
        return lib.dnsmon("lookup", "--db", folder, "--limit", 0, "--batch", self.queries, check=False)

    def copy(self, to):
        shutil.copytree(self.folder, to)
        return to


def fit_to_live(done, what):
    assert 0 <= done.returncode < 3, f"{what}: exit {done.returncode}\n{done.stderr[-3000:]}"


def check(database, folder, name, what, offset=None, find=True):
    """Of a damaged copy: fsck finds it, an answer is right or an error."""
    checked = lib.dnsmon("fsck", "--db", folder, check=False)
    fit_to_live(checked, f"fsck, {what}")
    said = checked.stdout + checked.stderr
    problems = []
    if find and (checked.returncode != 1 or name not in said):
        problems.append(f"fsck misses {what}: exit {checked.returncode}, {said[-300:]!r}")
    elif find and offset is not None:
        told = re.search(re.escape(name) + r": offset (\d+)", said)  # of the block that holds it
        if not told or int(told[1]) > offset:
            problems.append(f"fsck tells a wrong offset of {what}: {said[-300:]!r}")
    answer = database.ask(folder)
    fit_to_live(answer, f"lookup, {what}")
    if answer.returncode == 0 and answer.stdout != database.answer:
        problems.append(f"a wrong answer, exit 0: {what}")
    elif not database.answer.startswith(answer.stdout):
        problems.append(f"a wrong answer before the error: {what}")
    elif answer.returncode != 0 and not answer.stderr.strip():
        problems.append(f"an error without a word: {what}")
    return problems


def report(problems, tried):
    listing = "\n".join(problems[:40])
    assert not problems, f"{len(problems)} problems in {tried} damages:\n{listing}"


def test_a_flipped_byte(tmp):
    """The program itself over a sample; test_every_byte has them all."""
    database = Database(tmp)
    offsets = [(name, at) for name, data in database.files.items() for at in range(len(data))]
    print(f"# {len(database.files)} files, {len(offsets)} bytes; seed {SEED}", flush=True)
    random_ = random.Random(SEED)
    chosen = random_.sample(offsets, min(len(offsets), 250))
    for name, data in database.files.items():  # ends are where formats are weak
        chosen += [(name, at) for at in {0, 1, len(data) // 2, len(data) - 1} if 0 <= at < len(data)]
    workers = os.cpu_count() or 1
    copies = [database.copy(tmp / f"copy{i}") for i in range(workers)]
    bits = [1 << random_.randrange(8) for _ in chosen]

    def work(index):
        found = []
        for (name, at), bit in list(zip(chosen, bits))[index::workers]:
            path = copies[index] / name
            with open(path, "r+b") as file:
                file.seek(at)
                file.write(bytes([database.files[name][at] ^ bit]))
            found += check(database, copies[index], name, f"bit {bit:#x} of byte {at} of {len(database.files[name])} of {name}", at)
            path.write_bytes(database.files[name])
        return found
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        problems = [p for found in pool.map(work, range(workers)) for p in found]
    report(problems, len(chosen))


@lib.long
def test_every_byte(tmp):
    """Of every kind of file, by a reader and fsck that stay in one process (flip.c)."""
    database = Database(tmp)
    names = " ".join(database.files)
    for kind in ("MANIFEST", "client.key", "state-", "-slot-", "-hour-", ".mtbl ", ".mtbl.filter", *(f"{k}-" for k in ("rr", "inverse", "name", "host", "domain"))):
        assert kind in names, f"no {kind} in this database: {names}"
    copy = database.copy(tmp / "copy")
    done = lib.run(lib.built("tests/flip"), copy, *([] if lib.LONG else [211]), check=False, timeout=280)
    damaged = [f"{name}, byte {at}" for name, data in database.files.items()
               for at, (is_, was) in enumerate(zip((copy / name).read_bytes(), data)) if is_ != was]
    assert done.returncode == 0, f"exit {done.returncode}, left damaged: {damaged}\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
    assert not damaged and {p.name for p in copy.iterdir()} == set(database.files), damaged
    print(f"# {done.stdout.strip()}", flush=True)


def test_a_shortened_file(tmp):
    database = Database(tmp)
    copy = database.copy(tmp / "copy")
    problems, tried = [], 0
    for name, data in database.files.items():
        if not data:
            continue
        for length in sorted({0, 1, 11, len(data) // 3, len(data) // 2, len(data) - 512, len(data) - 1}):
            if not 0 <= length < len(data):
                continue
            (copy / name).write_bytes(data[:length])
            # A manifest cut inside its last record is what a kill leaves: that record never was.
            torn = name == "MANIFEST"
            tried += 1
            for problem in check(database, copy, name, f"{name} cut from {len(data)} to {length}", find=not torn):
                if not (torn and problem.startswith("a wrong answer")):
                    problems.append(problem)
        (copy / name).write_bytes(data)
    report(problems, tried)


def test_a_file_that_is_gone(tmp):
    database = Database(tmp)
    problems = []
    for name in database.files:
        copy = database.copy(tmp / "copy")
        (copy / name).unlink()
        # What the lock file holds is nothing; without its manifest the folder is no database.
        problems += check(database, copy, name, f"{name} is gone", find=name not in ("LOCK", "MANIFEST"))
        if name == "MANIFEST":
            assert lib.dnsmon("fsck", "--db", copy, check=False).returncode == 1
        shutil.rmtree(copy)
    report(problems, len(database.files))


def test_a_writer_without_the_manifest(tmp):
    """Tables without a manifest are somebody's records: a writer does not take the folder for new."""
    database = Database(tmp)
    (database.folder / "MANIFEST").unlink()
    more = traffic.generate(tmp / "more.pcap", "--transactions", 50, "--seconds", 60, "--seed", 9)
    done = lib.dnsmon("ingest", "--db", database.folder, more, check=False)
    left = {p.name for p in database.folder.iterdir()}
    assert done.returncode == 1 and "MANIFEST" in done.stderr, (done.returncode, done.stderr)
    assert left >= set(database.files) - {"MANIFEST"}, f"removed: {set(database.files) - left}"


def test_a_file_that_is_longer(tmp):
    database = Database(tmp)
    problems = []
    for name, data in database.files.items():
        if name == "LOCK":
            continue
        copy = database.copy(tmp / "copy")
        with open(copy / name, "ab") as file:
            file.write(b"\x5a" * 40)
        problems += check(database, copy, name, f"{name} with 40 bytes more", find=name != "MANIFEST")
        shutil.rmtree(copy)
    report(problems, len(database.files))


def test_swapped_files(tmp):
    """A table in another's place is whole by itself, and still wrong."""
    database = Database(tmp)
    tables = [n for n in database.files if n.count(".") <= 1 and n not in ("LOCK", "MANIFEST")]
    problems = []
    for one, other in zip(tables, tables[1:]):
        copy = database.copy(tmp / "copy")
        shutil.copyfile(database.folder / one, copy / other)
        if database.files[one] != database.files[other]:
            problems += check(database, copy, other, f"{other} overwritten with {one}")
        shutil.rmtree(copy)
    report(problems, len(tables))


def test_a_stranger_in_the_folder(tmp):
    """Files that are not ours neither disturb nor are touched; left-overs of a killed writer go."""
    database = Database(tmp)
    (database.folder / "notes.txt").write_text("keep me")
    (database.folder / "sub").mkdir()
    fit_to_live(lib.dnsmon("fsck", "--db", database.folder, check=False), "fsck")
    assert database.ask(database.folder).stdout == database.answer
    more = traffic.generate(tmp / "more.pcap", "--transactions", 50, "--seconds", 60, "--seed", 9)
    lib.dnsmon("ingest", "--db", database.folder, more)
    assert (database.folder / "notes.txt").read_text() == "keep me"
    assert (database.folder / "sub").is_dir()


def test_ingest_into_damage(tmp):
    """A writer over damage says so, or leaves it for fsck; it does not crash."""
    database = Database(tmp)
    more = traffic.generate(tmp / "more.pcap", "--transactions", 2000, "--seconds", 9000, "--seed", 9)
    random_ = random.Random(SEED)
    for name, data in database.files.items():
        for _ in range(3):
            if not data:
                continue
            copy = database.copy(tmp / "copy")
            at = random_.randrange(len(data))
            (copy / name).write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1:])
            done = lib.dnsmon("ingest", "--db", copy, "--slot", 1800, more, check=False)
            fit_to_live(done, f"ingest, byte {at} of {name}")
            assert done.returncode == 0 or done.stderr.strip(), (name, at)
            if name != "LOCK" and done.returncode == 0 and (copy / name).exists():
                assert lib.dnsmon("fsck", "--db", copy, check=False).returncode == 1, \
                    f"damage at byte {at} of {name} is there, and fsck does not tell"
            shutil.rmtree(copy)


def test_without_the_client_key(tmp):
    """Records can be read, but what has client ids is not added to; with the key back, all goes on."""
    database = Database(tmp)
    key = database.folder / "client.key"
    assert key.stat().st_mode & 0o777 == 0o600, oct(key.stat().st_mode)
    more = traffic.generate(tmp / "more.pcap", "--transactions", 50, "--seconds", 60, "--seed", 9)
    lib.dnsmon("ingest", "--db", tmp / "other", more)
    assert (tmp / "other/client.key").read_bytes() != database.files["client.key"]
    for what in ("is missing", "bad checksum", "is not this database's"):
        if what == "is missing":
            key.unlink()
        elif what == "bad checksum":
            whole = database.files["client.key"]
            key.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        else:
            shutil.copyfile(tmp / "other/client.key", key)
        done = lib.dnsmon("ingest", "--db", database.folder, more, check=False)
        assert done.returncode == 1 and "client.key" in done.stderr and what in done.stderr, (done.returncode, done.stderr)
        assert database.ask(database.folder).stdout == database.answer
        lib.dnsmon("merge", "--db", database.folder)
    key.write_bytes(database.files["client.key"])
    lib.dnsmon("ingest", "--db", database.folder, more)
    lib.dnsmon("fsck", "--db", database.folder)
