"""Input that means harm: it is named, and neither crashes, nor hangs, nor takes memory."""
import json
import re
import struct
import subprocess
import time
import zlib
from pathlib import Path

import lib
import traffic

MEMORY_MB, SECONDS = 64, 30
RSS_MB = 80 * lib.SLOWER  # the bound, and what is fixed: program, libraries, windows of streams
WHEN = 1704067200 * 1000000
QUESTION = struct.pack(">HHHHHH", 1, 0x8180, 1, 0, 0, 0)
TYPE_A = struct.pack(">HH", 1, 1)


def answer_of(payloads):
    """A capture of UDP responses, one a millisecond."""
    return traffic.pcap_bytes([(WHEN + i * 1000, traffic.ipv4(traffic.SERVER, traffic.CLIENT, 17, traffic.udp(53, 1024 + i, p), i))
                               for i, p in enumerate(payloads)])


def streams(payloads):
    """A capture of TCP connections that begin with these bytes from the server, each cut into segments."""
    packets = []
    for n, payload in enumerate(payloads):
        start = traffic.tcp(traffic.SERVER, traffic.CLIENT, 53, 1024 + n, 0, 1, 0x12)
        packets.append((WHEN + len(packets), traffic.ipv4(traffic.SERVER, traffic.CLIENT, 6, start)))
        for at in range(0, len(payload), 1400):
            segment = traffic.tcp(traffic.SERVER, traffic.CLIENT, 53, 1024 + n, 1 + at, 1, 0x18, payload[at:at + 1400])
            packets.append((WHEN + len(packets), traffic.ipv4(traffic.SERVER, traffic.CLIENT, 6, segment)))
    return traffic.pcap_bytes(packets)


def framed(message):
    return struct.pack(">H", len(message)) + message


def pointers():
    itself = QUESTION + b"\xc0\x0c" + TYPE_A
    each_other = QUESTION + b"\xc0\x0e\xc0\x0c" + TYPE_A
    forward = QUESTION + b"\xc0\x10" + TYPE_A + b"\0"
    return answer_of([itself, each_other, forward, itself] * 50)


def long_names():
    """64 k of labels, each of which is followed by a pointer to the one before: names of any length, if one lets them."""
    names, owner = [], 12
    body = b"\x3f" + b"a" * 63 + b"\0" + TYPE_A
    while len(body) < 65000:
        names.append(b"\x3f" + b"b" * 63 + struct.pack(">H", 0xC000 | owner) + TYPE_A + struct.pack(">IH", 1, 4) + b"\1\2\3\4")
        owner = min(12 + len(body), 0x3fff)
        body += names[-1]
    return streams([framed(struct.pack(">HHHHHH", 1, 0x8180, 1, len(names), 0, 0) + body)])


def label_bomb():
    """4,000 records in a message, each with an owner of 127 labels by one pointer."""
    body = b"\1a" * 127 + b"\0" + TYPE_A
    records = (struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + struct.pack(">I", i) for i in range(4000))
    return streams([framed(struct.pack(">HHHHHH", 1, 0x8180, 1, 4000, 0, 0) + body + b"".join(records))] * 20)


def too_many_records():
    return answer_of([struct.pack(">HHHHHH", 1, 0x8180, 1, 0xffff, 0xffff, 0xffff) + b"\1a\0" + TYPE_A] * 100)


def tcp_garbage():
    return streams([b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 400, bytes(range(256)) * 200] * 20)


def fragments():
    """First pieces alone, of 30,000 datagrams."""
    piece = traffic.udp(53, 1024, QUESTION + b"\1a\0" + TYPE_A + bytes(1200))[:1200]
    return traffic.pcap_bytes([(WHEN + i, traffic.ipv4(bytes([10, 1, i >> 8 & 255, i & 255]), traffic.CLIENT, 17, piece, i & 0xffff, 0x2000))
                               for i in range(30000)])


def gaps():
    """Streams that lack their first byte and go on for ever: what waits is held, up to a bound."""
    packets = []
    for i in range(30000):
        source = bytes([10, 2, i >> 8 & 255, i & 255])
        segment = traffic.tcp(source, traffic.CLIENT, 53, 1024, 5000, 1, 0x18, bytes(1300))
        start = traffic.tcp(source, traffic.CLIENT, 53, 1024, 1, 1, 0x12)
        packets += [(WHEN + i, traffic.ipv4(source, traffic.CLIENT, 6, start)), (WHEN + i, traffic.ipv4(source, traffic.CLIENT, 6, segment))]
    return traffic.pcap_bytes(packets)


def zip_bomb(head, filling, times):
    """`times` MiB of one byte, some kilobytes on disk."""
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(head)] + [packer.compress(filling * (1 << 20)) for _ in range(times)]
    return b"".join(parts) + packer.flush()


def section(body):
    return struct.pack("<II", 0x0A0D0D0A, 28) + struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + struct.pack("<I", 28) + body


EVENT = b'{"event_type":"dns","timestamp":"2024-01-01T00:00:00Z","dns":{"type":"query","rrname":"'

# What is given, what has to be said of it: causes with the least count, or words on standard error.
ROWS = {
    "pointers.pcap": (pointers, {"dns_bad_pointer": 200}),
    "long-names.pcap": (long_names, {"dns_bad_name": 1}),
    "label-bomb.pcap": (label_bomb, {}),
    "too-many-records.pcap": (too_many_records, {"dns_bad_name": 100}),
    "garbage.pcap": (tcp_garbage, {"tcp_garbage": 20}),
    "fragments.pcap": (fragments, {"fragment_evicted": 1000}),
    "gaps.pcap": (gaps, {"tcp_evicted": 1000}),
    "absurd.pcap": (lambda: traffic.HEAD + struct.pack("<IIII", 1, 1, 0xffffffff, 0xffffffff), {"bad_record": 1}),
    "absurd.pcapng": (lambda: section(struct.pack("<II", 6, 0xfffffffc) + bytes(64)), {"bad_record": 1}),
    "absurd.dnstap": (lambda: traffic.dnstap_bytes([])[:-12] + b"\xff\xff\xff\xf0" + bytes(64), {"bad_record": 1}),
    "bomb.pcap.gz": (lambda: zip_bomb(traffic.HEAD, b"\0", 256), {"bad_link_header": 1 << 20}),
    "bomb.pcapng.gz": (lambda: zip_bomb(section(struct.pack("<II", 6, 0xfffffffc)), b"\0", 256), {"bad_record": 1}),
    "bomb.json.gz": (lambda: zip_bomb(EVENT, b"a", 256), {"bad_line": 1}),
    "deep.json": (lambda: b'{"event_type":"dns","dns":' + b"[" * 500000 + b"\n", {"bad_line": 1}),
    "window.zst": (lambda: b"\x28\xb5\x2f\xfd\x00\xf8" + bytes(64), "memory"),
    "nothing-known": (lambda: bytes(1 << 20), "no known input format"),
}


def peak_mb(pid):
    """The most it had so far; 0 when it is gone."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        found = None
    return int(found[1]) / 1024 if found else 0


def ingest(database, path):
    """Its end, with the memory it had: (exit status, stdout, stderr, MiB)."""
    command = [lib.dnsmon_path(), "ingest", "--json", "--memory", f"{MEMORY_MB}M", "--threads", "1", "--db", str(database), str(path)]
    with open(f"{database}.out", "w+") as out, open(f"{database}.err", "w+") as err:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        end, mb = time.monotonic() + SECONDS * lib.SLOWER, 0
        while child.poll() is None:
            mb = max(mb, peak_mb(child.pid))
            if time.monotonic() > end:
                child.kill()
                child.wait()
                raise AssertionError(f"{path}: still running")
            time.sleep(0.002)
        out.seek(0)
        err.seek(0)
        return child.returncode, out.read(), err.read(), mb


def check(tmp, name):
    make, said = ROWS[name]
    path = tmp / name
    path.write_bytes(make())
    code, out, err, mb = ingest(tmp / f"db-{name}", path)
    assert code in (0, 1), f"{name}: exit {code}\n{err}"
    assert mb < RSS_MB, f"{name}: {mb:.0f} MiB"
    if isinstance(said, str):
        assert code == 1 and said in err, f"{name}: exit {code}\n{err}"
        return
    run = json.loads(out)
    causes = {**run["malformed"], **run["skipped"]}
    for cause, least in said.items():
        assert causes.get(cause, 0) >= least, f"{name}: {cause} is not {least} of {run}"
    lib.dnsmon("fsck", "--db", tmp / f"db-{name}")
    print(f"# {name}: {run['messages']} messages, {causes}, {mb:.0f} MiB, {run['seconds']:.1f} s", flush=True)


def test_hostile_files(tmp):
    for name in ROWS:
        check(tmp, name)
