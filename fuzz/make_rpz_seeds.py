#!/usr/bin/env python3
"""make_rpz_seeds.py: the seeds of fuzz_rpz_request."""
import struct
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "fuzz_rpz_request.in"
TCP, SIGN = 1, 2
LISTED, FOREIGN, WITH_KEY = 0, 1, 2
OPT = b"\0" + struct.pack(">HHIH", 41, 1232, 0x8000, 0)


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".") if label) + b"\0"


def message(qname, qtype, flags=0, serial=None, additional=(), count=1):
    out = struct.pack(">HHHHHH", 0x4d4d, flags, count, 0, serial is not None, len(additional))
    out += name(qname) + struct.pack(">HH", qtype, 1)
    if serial is not None:
        out += b"\xc0\x0c" + struct.pack(">HHIH", 6, 1, 0, 22) + b"\0\0" + struct.pack(">IIIII", serial, 1, 1, 1, 1)
    return out + b"".join(additional)


def tsig(key, algorithm="hmac-sha256", mac=b"m" * 32, time=1700000000, error=0, other=b""):
    rdata = name(algorithm) + struct.pack(">HIHH", 0, time, 300, len(mac)) + mac + struct.pack(">HHH", 0x4d4d, error, len(other)) + other
    return name(key) + struct.pack(">HHIH", 250, 255, 0, len(rdata)) + rdata


SEEDS = {
    "soa": (0, LISTED, message("rpz.test", 6)),
    "soa-edns": (0, LISTED, message("RPZ.test", 6, additional=[OPT])),
    "soa-signed": (SIGN, WITH_KEY, message("rpz.test", 6, additional=[OPT])),
    "axfr": (TCP, LISTED, message("rpz.test", 252)),
    "axfr-signed": (TCP | SIGN, WITH_KEY, message("rpz.test", 252, additional=[OPT])),
    "axfr-udp": (0, LISTED, message("rpz.test", 252)),
    "ixfr": (TCP, LISTED, message("rpz.test", 251, serial=1)),
    "ixfr-unknown": (TCP, LISTED, message("rpz.test", 251, serial=0)),
    "ixfr-current": (TCP, LISTED, message("rpz.test", 251, serial=2)),
    "ixfr-udp": (0, LISTED, message("rpz.test", 251, serial=1, additional=[OPT])),
    "ixfr-udp-small": (0, LISTED, message("rpz.test", 251, serial=1)),
    "name": (0, LISTED, message("a.bad.test.rpz.test", 1)),
    "garden": (0, LISTED, message("x.test.rpz.test", 255)),
    "why": (0, LISTED, message("bad.test._why.rpz.test", 16)),
    "why-long": (0, LISTED, message(".".join(["b" * 60] * 3) + "._why.rpz.test", 16)),
    "why-address": (0, LISTED, message("128.1.zz.db8.2001.rpz-ip._why.rpz.test", 16)),
    "why-name-server": (0, LISTED, message("bad.test.rpz-nsdname._why.rpz.test", 16)),
    "foreign": (0, FOREIGN, message("rpz.test", 6, additional=[OPT])),
    "notify": (0, LISTED, message("rpz.test", 6, flags=0x2000)),
    "bad-key": (0, WITH_KEY, message("rpz.test", 6, additional=[tsig("other")])),
    "bad-signature": (0, WITH_KEY, message("rpz.test", 6, additional=[OPT, tsig("k")])),
    "short-mac": (0, WITH_KEY, message("rpz.test", 6, additional=[tsig("k", mac=b"m")])),
    "long-key": (0, LISTED, message("rpz.test", 6, additional=[tsig(".".join(["k" * 60] * 4), ".".join(["a" * 60] * 4))])),
    "two-questions": (0, LISTED, message("rpz.test", 6, count=2)),
    "pointer-to-itself": (TCP, LISTED, message("rpz.test", 6)[:10] + b"\0\1" + message("rpz.test", 6)[12:] + b"\xc0\x1a"),
}

FOLDER.mkdir(exist_ok=True)
for seed, (flags, address, content) in SEEDS.items():
    (FOLDER / seed).write_bytes(bytes([flags, address]) + content)
