#!/usr/bin/env python3
"""Writes the seeds of the targets for messages, tables and state that are not text."""
import struct
import zlib
from pathlib import Path

here = Path(__file__).resolve().parent


def seed(target, name, data):
    folder = here / f"fuzz_{target}.in"
    folder.mkdir(exist_ok=True)
    assert len(data) < 4096
    (folder / name).write_bytes(data)


def varint(v):
    out = bytearray()
    while v >= 0x80:
        out.append(v & 0x7f | 0x80)
        v >>= 7
    return bytes(out) + bytes([v])


def name(text):
    return b"".join(bytes([len(x)]) + x for x in text.encode().split(b".") if x) + b"\0"


def owner(text):
    return b"".join(x + b"\0" for x in reversed(text.encode().split(b".")) if x) + b"\0"


# --- decode
def rr(owner_wire, kind, rdata, klass=1, ttl=300):
    return owner_wire + struct.pack(">HHIH", kind, klass, ttl, len(rdata)) + rdata


def message(question, sections, flags=0x8180):
    counts = [len(s) for s in sections]
    return (struct.pack(">6H", 0x1234, flags, 1 if question else 0, *counts) + question
            + b"".join(b"".join(s) for s in sections))


PTR = b"\xc0\x0c"
SOA = b"\2ns" + PTR + b"\4mail" + PTR + struct.pack(">5I", 1, 2, 3, 4, 5)
q = name("www.Example.com") + struct.pack(">HH", 1, 1)
seed("decode", "answer", message(q, [[rr(PTR, 5, b"\1a" + PTR), rr(b"\1a" + PTR, 1, b"\xc0\0\2\1")],
                                     [rr(b"\xc0\x10", 2, b"\2ns\xc0\x10")],
                                     [rr(b"\0", 41, b"", 1232, 0)]]))
seed("decode", "negative", message(q, [[], [rr(b"\xc0\x10", 6, SOA)], []], 0x8183))
seed("decode", "types", message(q, [
    [rr(PTR, 15, b"\0\x0a\2mx" + PTR), rr(PTR, 33, b"\0\1\0\2\0\x35" + name("srv.Example.com")),
     rr(PTR, 28, bytes(range(16))), rr(PTR, 16, b"\5hello"), rr(PTR, 65, b"\0\1\0"),
     rr(PTR, 65, b"\0\1" + name("Svc.example") + b"\0\1\0\3\2h2"), rr(PTR, 64, b"\0\0" + PTR),
     rr(PTR, 17, name("a.b") + name("c")), rr(PTR, 39, name("other.example"))], [], []]))
seed("decode", "seventeen-names", message(q, [
    [rr(name(f"n{i}.test"), 1, b"\1\2\3\4") for i in range(20)], [], []]))
# Where libknot and we differ, and should: unit/dns/oracle.h. The first owner goes to the id in the
# header, a label of 52 bytes, and from its end, the type, to the question.
seed("decode", "pointer-that-rises", message(q, [
    [rr(PTR, 16, b"\6abcdef"), rr(b"\xc0\1", 0xc00c, b"")], [], []]))
seed("decode", "left-over-rdata", message(q, [[rr(PTR, 15, b"\0\x0a" + PTR + b"abc")], [], []]))
seed("decode", "tkey", message(q, [[rr(PTR, 249, b"\2ns" + PTR + bytes(18))], [], []]))

# --- record
VALUE = b"".join(map(varint, [1700000000, 60, 12, 3, 60, 240, 9, 1, 0]))
seed("record", "value", b"\0" + VALUE)
seed("record", "two-values", b"\0" + VALUE + VALUE)
seed("record", "name-value", b"\1" + b"".join(map(varint, [1700000000, 60, 12])))
seed("record", "key", b"\2" + owner("www.example.com") + b"\0\1\xc0\0\2\1")
seed("record", "nodata", b"\2" + owner("www.example.com") + b"\0\0\2\0\x1c")
seed("record", "outside", b"\2" + owner("www.example.com") + b"\0\0\4\0\1\1\2\3\4")
seed("record", "inverse", b"\3\0\1\xc0\0\2\1" + owner("www.example.com") + b"\0\4")
mx = b"\0\x0a" + name("mx.example.com")
seed("record", "inverse-mx", b"\3\0\x0f" + owner("mx.example.com") + b"\0\x0a" + owner("example.com")
     + struct.pack(">H", len(mx)))
soa = name("ns.example.com") + name("root.example.net") + struct.pack(">5I", 1, 2, 3, 4, 5)
seed("record", "inverse-soa-second", b"\3\0\x06" + owner("root.example.net") + owner("ns.example.com") + soa[-20:]
     + owner("example.com") + struct.pack(">H", 0x8000 | len(soa)))
https = b"\0\1" + name("svc.example") + b"\0\4\0\4\xc0\0\2\1"
seed("record", "inverse-hint", b"\3\0\0\0\1\xc0\0\2\1" + b"\0\x41" + owner("svc.example") + https[:2] + https[-8:]
     + owner("example.com") + struct.pack(">H", len(https)))
seed("record", "name", b"\4www\0example\0com\0\0")
seed("record", "name-domain", b"\4example\0com\0\0\1")


# --- activity
def activity(first, last, counters, clients, names=None):
    out = varint(first) + varint(last - first) + varint(sum(1 << n for n in counters))
    out += b"".join(varint(counters[n]) for n in sorted(counters)) + varint(len(clients))
    for ident, asks in sorted(clients.items()):
        gaps = [b - a - 1 for a, b in zip([-1, *asks], asks)]
        out += struct.pack("<Q", ident) + varint(len(asks)) + b"".join(map(varint, gaps))
    if names is not None:
        out += varint(len(names)) + b"".join(struct.pack("<QBB", h, *v) for h, v in sorted(names.items()))
    return out


def both(first, second):
    return struct.pack(">H", len(first)) + first + second


HOUR = 472222 * 3600
some = {0x1234567890abcdef * i & 0xffffffffffffffff: [7 * i, 7 * i + 1, 900 + i] for i in range(1, 9)}
many = {(i << 58) + 5: [] for i in range(64)}
host = activity(HOUR + 7, HOUR + 908, {0: 24, 1: 23, 3: 20, 5: 3, 10: 24, 20: 960, 21: 1840, 24: 300}, some)
other = activity(HOUR + 9, HOUR + 9, {0: 1, 11: 1, 24: 86400}, {0x1234567890abcdef: [2, 8, 3599], 1: []})
domain = activity(HOUR, HOUR + 3599, {0: 1 << 40, 23: 1}, some, {5: (3, 0), 9: (8, 88)})
broad = activity(HOUR, HOUR + 3599, {0: 1 << 40, 23: 1}, many, {i << 57: (8, i) for i in range(64)})
seed("activity", "host", b"\0" + host)
seed("activity", "host-full", b"\0" + activity(HOUR, HOUR, {0: 32}, dict(list(many.items())[:32])))
seed("activity", "domain", b"\1" + domain)
seed("activity", "domain-full", b"\1" + broad)
seed("activity", "two-hosts", b"\2" + both(host, other))
seed("activity", "two-domains", b"\3" + both(domain, broad))
seed("activity", "sums-at-their-largest", b"\2" + both(*2 * [activity(0, 0, {0: 2**64 - 1}, {})]))
for bit, kind in enumerate(("host", "domain")):
    asked = b"".join(struct.pack(">BBHB", i % 4, 37 * i % 101, 91 * i % 3700, 53 * i % 256) for i in range(90))
    seed("activity", f"questions-{kind}", bytes([4 | bit]) + asked)
    seed("activity", f"key-{kind}", bytes([6 | bit]) + owner("www.example.com") + struct.pack(">I", 472222))
# What has another form is refused.
seed("activity", "long-varint", b"\0\x81\0\0\0\0")
seed("activity", "counter-of-zero", b"\0\1\0\1\0\0")
seed("activity", "asks-in-a-full-sample", b"\0" + activity(HOUR, HOUR, {0: 32}, {i: [i] for i in range(32)}))


# --- table
def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def block(entries):
    out, restarts, last = b"", [], b""
    for i, (key, value) in enumerate(entries):
        shared = 0
        if i % 16 == 0:
            restarts.append(len(out))
        else:
            while shared < min(len(key), len(last)) and key[shared] == last[shared]:
                shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    restarts = restarts or [0]
    return out + b"".join(struct.pack("<I", r) for r in restarts) + struct.pack("<I", len(restarts))


def framed(data):
    return varint(len(data)) + struct.pack("<I", crc32c(data)) + data


def table(blocks, compression=0, pack=lambda b: b):
    body, index = b"", []
    for entries in blocks:
        index.append((entries[-1][0], varint(len(body))))
        body += framed(pack(block(entries)))
    last = framed(block(index))
    count = sum(len(b) for b in blocks)
    trailer = struct.pack("<9Q", len(body), 8192, compression, count, len(blocks), len(body), len(last), 0, 0)
    return body + last + trailer.ljust(508, b"\0") + struct.pack("<I", 0x4D54424C)


rows = [(owner(f"h{i:02}.example.com") + b"\0\1\1\2\3\4", VALUE) for i in range(24)]
seed("table", "file", b"\0" + table([rows[:12], rows[12:]]))
seed("table", "file-zlib", b"\0" + table([rows], 2, zlib.compress))
seed("table", "file-empty", b"\0" + table([]))


def parts(compression, data, index):
    return bytes([0x10 | compression]) + struct.pack("<H", len(data)) + data + index


seed("table", "parts", parts(0, block(rows[:20]), block([(rows[19][0], b"\0")])))
seed("table", "parts-zlib", parts(2, zlib.compress(block(rows[:20])), block([(rows[19][0], b"\0")])))
literal = block(rows[:4])
lz4 = struct.pack("<I", len(literal)) + b"\xf0" + bytes([255] * ((len(literal) - 15) // 255)) \
    + bytes([(len(literal) - 15) % 255]) + literal
seed("table", "parts-lz4", parts(3, lz4, block([(rows[3][0], b"\0")])))

# --- filter
HASHES = struct.pack("<4Q", 1, 1 << 63, (1 << 64) - 1, 0x0123456789abcdef)
seed("filter", "page", b"\0\1" + struct.pack("<Q", 7) + b"\xff" * 64 + HASHES)
seed("filter", "header", b"\1\2" + struct.pack("<Q", 7) + b"DNSMBLM1" + struct.pack("<3Q", 2, 0, 7))
seed("filter", "no-pages", b"\0\0" + struct.pack("<Q", 7))
seed("filter", "bad-checksum", b"\2\1" + struct.pack("<Q", 7) + HASHES)
seed("filter", "built", b"\4\0" + struct.pack("<Q", 7) + HASHES)

# --- state: of the packets, of waiting queries, of the observer
TCP = (bytes(10) + b"\xff\xff\x0a\0\0\1" + struct.pack("<H", 53) + bytes(10) + b"\xff\xff\x0a\0\0\2"
       + struct.pack("<H", 4000))
WAIT = struct.pack("<QQqQHHBB", 1, 2, 1700000000 * 10**9 - 10**9, 77, 28, 40, 1, 9) + b"\3www\3com\0"
seed("state", "packets-none", b"\0\1\0\0")
seed("state", "fragment", b"\0\1" + varint(1) + bytes(10) + b"\xff\xff\x0a\0\0\1" + bytes(10) + b"\xff\xff\x0a\0\0\2"
     + struct.pack("<IBBqBBB", 7, 17, 4, 1700000000 * 10**9, 17, 0, 0) + varint(0) + varint(1)
     + varint(0) + varint(8) + b"\x10\0\0\x35\0\x30\0\0" + varint(0))
half = b"\1\0" + struct.pack("<II", 0, 1000) + varint(0) + varint(0) + varint(0)
seed("state", "stream", b"\0\1" + varint(0) + varint(1) + TCP + struct.pack("<q", 1700000000 * 10**9)
     + half + varint(3) + b"\0\x20\1" + varint(1) + struct.pack("<I", 1100) + varint(4) + varint(0)
     + struct.pack("<q", 1700000000 * 10**9) + b"data" + half + varint(0) + varint(0))
seed("state", "waiting", b"\1" + struct.pack("<I", 2) + WAIT + WAIT)
NOBODY = bytes.fromhex("76291780c2ecca32")  # SipHash of sixteen zeros under a key of zeros
seed("state", "observer", b"\2" + struct.pack("<q", 1700000000 * 10**9) + NOBODY
     + (struct.pack("<I", 1) + WAIT + struct.pack("<I", 1) + struct.pack("<Qq", 5, 1700000000 * 10**9)) * 8)
