"""A full disk: ingest ends with a clear message, the database is whole, and goes on when there is room."""
import errno
import os
import random
import resource
import shutil
import signal
import subprocess
from pathlib import Path

import lib
import test_exactly_once as exactly

SLOT = 600


class Small:
    """A file system of a few pages, in memory; needs to be root."""

    def __init__(self, folder, size):
        self.folder = Path(folder)
        self.folder.mkdir()
        done = lib.run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", self.folder, check=False)
        if done.returncode != 0:
            lib.skip(f"mounting is not permitted: {done.stderr.strip()}")

    def resize(self, size):
        lib.run("mount", "-o", f"remount,size={size}", self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        lib.run("umount", "-l", self.folder, check=False)


def make(tmp):
    return exactly.scenery(tmp, transactions=40000, seconds=3 * 3600, files=3, slot=SLOT)


def failed_well(done, database, what, texts=("No space left", "space")):
    assert done.returncode == 1, f"{what}: exit {done.returncode}\n{done.stderr[-3000:]}"
    assert any(text in done.stderr for text in texts), f"{what}: {done.stderr[-1000:]!r}"
    if (database / "MANIFEST").exists():
        lib.dnsmon("fsck", "--db", database)
        lib.dnsmon("dump", "--db", database)


def test_disk_fills_up(tmp):
    if os.geteuid() != 0:
        lib.skip("mounting needs root")
    paths, truth, _ = make(tmp)
    need = sum(p.stat().st_size for p in (tmp / "truth").iterdir())
    failures = 0
    with Small(tmp / "disk", "4k") as disk:
        database = disk.folder / "db"
        size = 16 << 10
        while True:
            disk.resize(size)
            done = lib.dnsmon(*exactly.ingest_words(database, *paths, slot=SLOT), check=False, timeout=120)
            if done.returncode == 0:
                break
            failed_well(done, database, f"{size} bytes")
            failures += 1
            size = size * 5 // 4 + 4096
            assert size < 20 * need + (64 << 20), f"still no room in {size} bytes for {need}"
        assert failures >= 3, failures
        lib.dnsmon("fsck", "--db", database)
        exactly.same(database, truth, f"after {failures} full disks")


def test_file_size_limit(tmp):
    """The same without root: no file may grow over a limit (EFBIG)."""
    paths, truth, _ = make(tmp)
    largest = max(p.stat().st_size for p in (tmp / "truth").iterdir())
    database, failures, limit = tmp / "db", 0, 256

    while limit < 64 * largest:
        def limited(limit=limit):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        done = subprocess.run([lib.dnsmon_path(), *map(str, exactly.ingest_words(database, *paths, slot=SLOT))],
                              capture_output=True, text=True, preexec_fn=limited, stdin=subprocess.DEVNULL,
                              timeout=120 * lib.SLOWER)
        if done.returncode == 0:
            break
        failed_well(done, database, f"limit {limit}", ("File too large", "too large"))
        failures += 1
        limit *= 3
    assert failures >= 3, failures
    exactly.same(database, truth, f"after {failures} limits")


@lib.long
def test_every_write_may_be_the_last(tmp):
    """No room from the n-th change on, for many n; then the rest is read."""
    library = exactly.crash_library(tmp)
    paths, truth, _ = exactly.scenery(tmp, transactions=6000, seconds=2 * 3600 + 600, files=3, slot=1800)
    log = tmp / "calls"
    exactly.ingest_crashing(library, tmp / "counted", paths, 0, log, check=True)
    calls = len(log.read_text().splitlines())
    moments = range(1, calls + 1) if lib.LONG else random.Random(exactly.SEED).sample(range(1, calls + 1), 15)
    for number in moments:
        database = tmp / "full"
        done = exactly.ingest_crashing(library, database, paths, number, log, CRASH_ERRNO=str(errno.ENOSPC))
        if done.returncode != 0:
            failed_well(done, database, f"no room from call {number} on")
        exactly.ingest(database, *paths)
        lib.dnsmon("fsck", "--db", database)
        exactly.same(database, truth, f"no room from call {number} on, then room")
        shutil.rmtree(database)
