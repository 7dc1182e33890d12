#!/usr/bin/env python3
"""Writes the seeds of fuzz_pcap and fuzz_frame: small, made here, nobody's traffic."""
import gzip
import lzma
import os
import struct

here = os.path.dirname(os.path.abspath(__file__))


def write(target, name, data):
    folder = os.path.join(here, target + '.in')
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), 'wb') as f:
        f.write(data)


def dns(ident=1, answer=False):
    name = b'\3www\7example\3com\0'
    flags, count = (0x8180, 1) if answer else (0x0100, 0)
    out = struct.pack('>6H', ident, flags, 1, count, 0, 0) + name + b'\0\1\0\1'
    return out + (b'\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1' if answer else b'')


def udp(data, sport=4000, dport=53):
    return struct.pack('>4H', sport, dport, len(data) + 8, 0) + data


def tcp(data, seq, flags=16, sport=4000, dport=53):
    return struct.pack('>HHIIBBHHH', sport, dport, seq & 0xffffffff, 0, 0x50, flags, 0, 0, 0) + data


def ip4(data, proto=17, ident=7, frag=0):
    return struct.pack('>BBHHHBBH4s4s', 0x45, 0, len(data) + 20, ident, frag, 64, proto, 0,
                       b'\n\0\0\1', b'\n\0\0\2') + data


def ip6(data, proto=17):
    return struct.pack('>IHBB16s16s', 6 << 28, len(data), proto, 64, b'\x20\1\x0d\xb8' + b'\1' * 12,
                       b'\x20\1\x0d\xb8' + b'\2' * 12) + data


def ether(data, kind=0x0800):
    return b'\2\0\0\0\0\1\2\0\0\0\0\2' + struct.pack('>H', kind) + data


def frames(link, *all_frames, after=1):
    return bytes([link]) + b''.join(struct.pack('>BH', after, len(f)) + f for f in all_frames)


plain = ip4(udp(dns()))
eth = ether(plain)
msg = lambda i: struct.pack('>H', len(dns(i))) + dns(i)  # noqa: E731
stream = b''.join(msg(i) for i in range(5))
big = udp(dns(9, True) + bytes(100))
v4 = [ip4(big[i:i + 48], 17, 5, i // 8 | (0x2000 if i + 48 < len(big) else 0))
      for i in range(0, len(big), 48)]
v6 = [ip6(struct.pack('>BBHI', 17, 0, i | (i + 48 < len(big)), 5) + big[i:i + 48], 44)
      for i in range(0, len(big), 48)]

F = 'fuzz_frame'
write(F, 'udp', frames(0, plain, ip4(udp(dns(1, True), 53, 4000))))
write(F, 'empty_first', frames(0, ip4(udp(b'')), plain))
write(F, 'links', frames(1, eth, ether(b'\0\5\x08\0' + plain, 0x8100), ether(b'\0\1\1\x40' + plain, 0x8847),
                         ether(b'\x11\0\0\1\0\x50\0\x21' + plain, 0x8864)))
write(F, 'tunnels', frames(0, ip4(b'\0\0\x08\0' + plain, 47), ip4(b'\0\0\x65\x58' + eth, 47), ip4(plain, 4),
                           ip6(plain, 4), ip4(udp(b'\x08\0\0\0\0\0\5\0' + eth, 5000, 4789)),
                           ip4(udp(b'\1\0\x65\x58\0\0\5\0\0\1\2\3' + eth, 5000, 6081)),
                           ip4(b'\x10\0\x88\xbe\0\0\0\1\x10\5\0\1\0\0\0\2' + eth, 47),
                           ip4(b'\x10\0\x22\xeb\0\0\0\1\x20\5\0\1\0\0\0\2\0\0\0\0' + eth, 47)))
write(F, 'null', frames(2, b'\2\0\0\0' + plain, b'\0\0\0\2' + plain))
write(F, 'sll', frames(8, bytes(14) + b'\x08\0' + plain))
write(F, 'sll2', frames(9, b'\x08\0' + bytes(18) + plain))
write(F, 'nflog', frames(10, b'\2\0\0\0' + struct.pack('<HH', len(plain) + 4, 9) + plain))
write(F, 'ppp', frames(3, b'\xff\3\0\x21' + plain, b'\x21' + plain))
write(F, 'fragments4', frames(0, *v4[::-1]))
write(F, 'fragments6', frames(0, *v6))
write(F, 'fragments_overlap', frames(0, v4[0], v4[1][:28] + v4[1][36:], v4[1]))
write(F, 'tcp', frames(0, ip4(tcp(b'', 0, 2), 6), ip4(tcp(stream[:70], 1), 6), ip4(tcp(stream[100:], 101), 6),
                       ip4(tcp(stream[50:110], 51), 6), ip4(tcp(b'', len(stream) + 1, 17), 6)))
write(F, 'tcp_gap', frames(0, ip4(tcp(b'', 0, 2), 6), ip4(tcp(stream[:40], 1), 6), ip4(tcp(stream[70:], 71), 6),
                           ip4(tcp(msg(7), 5000), 6), after=4))
write(F, 'tcp_middle', frames(0, ip4(tcp(stream[10:], 1), 6), ip4(tcp(b'GET / HTTP/1.1\r\n\r\n', 9, 18), 6)))
write(F, 'ip6_headers', frames(0, ip6(b'\x2b\0\1\4\0\0\0\0\x11\0' + bytes(6) + udp(dns()), 0)))

P = 'fuzz_pcap'


def pcap(order='<', magic=0xa1b2c3d4, link=1, packets=(eth, eth), more=b''):
    """`more`: what the modified format has behind each record's head."""
    out = struct.pack(order + 'IHHiIII', magic, 2, 4, 0, 0, 65535, link)
    return out + b''.join(struct.pack(order + 'IIII', 1, 2, len(p), len(p)) + more + p for p in packets)


def block(order, kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack(order + 'I', len(body) + 12)
    return struct.pack(order + 'I', kind) + size + body + size


def pcapng(order):
    out = block(order, 0x0a0d0d0a, struct.pack(order + 'IHHq', 0x1a2b3c4d, 1, 0, -1))
    out += block(order, 1, struct.pack(order + 'HHIHHIHH', 1, 0, 0, 9, 1, 9, 0, 0))
    out += block(order, 6, struct.pack(order + 'IIIII', 0, 1, 2, len(eth), len(eth)) + eth)
    out += block(order, 2, struct.pack(order + 'HHIIII', 0, 0, 1, 2, len(eth), len(eth)) + eth)
    return out + block(order, 3, struct.pack(order + 'I', len(eth)) + eth)


def seed_of(target, name):
    with open(os.path.join(here, target + '.in', name), 'rb') as f:
        return f.read()


def segments(size):
    return [ip4(tcp(stream[i:i + size], 1 + i), 6) for i in range(0, len(stream), size)]


write(P, 'le', pcap())
write(P, 'be_ns', pcap('>', 0xa1b23c4d))
write(P, 'cut', pcap()[:-9])
write(P, 'ng', pcapng('<') + pcapng('>'))
write(P, 'gz', gzip.compress(pcap(), mtime=0) + gzip.compress(b'', mtime=0))
write(P, 'xz', lzma.compress(pcap()))
# Longer than the target's batches, so that it reads them twice, and with something open in between.
names = [ip4(udp(dns(i, i % 2 == 1))) for i in range(6)]
write(P, 'twelve', pcap(link=101, packets=names * 2))
write(P, 'modified', pcap('>', 0xa1b2cd34, 101, names, bytes(8)))
write(P, 'tcp', pcap(link=101, packets=[ip4(tcp(b'', 0, 2), 6), *names[:3], *segments(25), *names]))
write(P, 'fragments', pcap(link=101, packets=[v4[0], v6[2], *names[:4], *v6[:2], v4[2], v4[1], *names]))
write(P, 'ng_twelve', pcapng('<') * 2 + pcapng('>') * 2)
for name in ('gz', 'xz'):
    data = pcap(link=101, packets=names * 3)
    write(P, name + '_twelve', gzip.compress(data, mtime=0) if name == 'gz' else lzma.compress(data))
write(P, 'dnstap', seed_of('fuzz_dnstap', 'file'))
write(P, 'zeek', seed_of('fuzz_zeek', 'tsv'))
write(P, 'zeek_json', seed_of('fuzz_zeek', 'json') * 5)
write(P, 'eve', (seed_of('fuzz_eve', 'v1') + seed_of('fuzz_eve', 'v3')) * 3)
write(P, 'sensor', seed_of('fuzz_sensor', 'lines') * 3)
