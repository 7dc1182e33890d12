"""Capture files for tests: generated traffic, cut into files at packet borders, with a TCP
stream and IP fragments that cross the borders between them."""
import gzip
import lzma
import struct
from pathlib import Path

import lib


def generate(path, *options):
    """A capture of made-up traffic (bench/generate) from 2024-01-01T00:00:00Z on."""
    lib.run(lib.built("bench/generate"), *options, path)
    return path


# ---- pcap, Ethernet, microseconds ----

HEAD = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)


def read_pcap(path):
    """A list of (microseconds, frame)."""
    data = Path(path).read_bytes()
    at, packets = 24, []
    while at < len(data):
        seconds, micros, length, _ = struct.unpack_from("<IIII", data, at)
        packets.append((seconds * 1000000 + micros, data[at + 16:at + 16 + length]))
        at += 16 + length
    return packets


def pcap_bytes(packets):
    parts = [HEAD]
    for when, frame in packets:
        parts.append(struct.pack("<IIII", when // 1000000, when % 1000000, len(frame), len(frame)))
        parts.append(frame)
    return b"".join(parts)


def pcapng_bytes(packets):
    """One section, one interface; times in microseconds."""
    def block(kind, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))
    parts = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)), block(1, struct.pack("<HHI", 1, 0, 65535))]
    for when, frame in packets:
        parts.append(block(6, struct.pack("<IIIII", 0, when >> 32, when & 0xFFFFFFFF, len(frame), len(frame)) + frame))
    return b"".join(parts)


def dnstap_bytes(messages):
    """A Frame Streams file of client responses: (seconds, DNS message)."""
    def varint(n):
        return bytes([n]) if n < 128 else bytes([n & 127 | 128]) + varint(n >> 7)

    def field(number, value):
        if isinstance(value, int):
            return varint(number << 3) + varint(value)
        return varint(number << 3 | 2) + varint(len(value)) + value

    def control(kind, content=b""):
        return struct.pack(">III", 0, 4 + len(content), kind) + content
    kind = b"protobuf:dnstap.Dnstap"
    parts = [control(2, struct.pack(">II", 1, len(kind)) + kind)]
    for when, wire in messages:
        inner = b"".join(field(n, v) for n, v in [
            (1, 6), (2, 1), (3, 1), (4, CLIENT), (5, SERVER), (6, 4000), (7, 53), (12, when), (14, wire)])
        frame = field(14, inner) + field(15, 1)
        parts.append(struct.pack(">I", len(frame)) + frame)
    return b"".join(parts + [control(3)])


def compressed(data, how):
    if how == "gz":
        return gzip.compress(data, 1, mtime=0)
    if how == "xz":
        return lzma.compress(data, preset=0)
    if how == "zst":
        return lib.run(lib.program("zstd"), "-q", "-1", "-c", input=data, text=False).stdout
    return data


# ---- packets by hand ----

ETHERNET = bytes.fromhex("020000000001020000000002") + b"\x08\x00"
CLIENT, SERVER = bytes([10, 9, 9, 9]), bytes([10, 0, 0, 1])


def sum16(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) // 2 * 2]))
    if len(data) % 2:
        total += data[-1] << 8
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def ipv4(source, target, protocol, payload, ident=1, fragment=0):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), ident, fragment, 64, protocol, 0, source, target)
    head = head[:10] + struct.pack(">H", sum16(head) ^ 0xFFFF) + head[12:]
    return ETHERNET + head + payload


def udp(source_port, target_port, payload):
    return struct.pack(">HHHH", source_port, target_port, 8 + len(payload), 0) + payload


def tcp(source, target, source_port, target_port, seq, ack, flags, payload=b""):
    head = struct.pack(">HHIIBBHHH", source_port, target_port, seq, ack, 0x50, flags, 65535, 0, 0)
    pseudo = source + target + struct.pack(">BBH", 0, 6, len(head) + len(payload))
    check = sum16(pseudo + head + payload) ^ 0xFFFF
    return head[:16] + struct.pack(">H", check) + head[18:] + payload


def wire_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def message(ident, name, qtype, records=(), response=False):
    """records: (type, ttl, rdata) of the name itself."""
    flags = 0x8180 if response else 0x0100
    text = struct.pack(">HHHHHH", ident, flags, 1, len(records), 0, 0) + wire_name(name) + struct.pack(">HH", qtype, 1)
    for rtype, ttl, rdata in records:
        text += struct.pack(">HHHIH", 0xC00C, rtype, 1, ttl, len(rdata)) + rdata
    return text


def big_response(ident, name):
    rdata = b"".join(bytes([200]) + bytes([97 + i]) * 200 for i in range(10))
    return message(ident, name, 16, [(16, 3600, rdata)], response=True)


def fragmented(when, later, port, ident, name):
    """A query and the first fragment of its answer; the other fragments. Two lists of packets."""
    query = ipv4(CLIENT, SERVER, 17, udp(port, 53, message(ident, name, 16)), ident)
    whole = udp(53, port, big_response(ident, name))
    cuts = [whole[:1480], whole[1480:]]
    first = ipv4(SERVER, CLIENT, 17, cuts[0], ident, 0x2000)
    rest = ipv4(SERVER, CLIENT, 17, cuts[1], ident, 1480 // 8)
    return [(when, query), (when + 1, first)], [(later, rest)]


def stream(when, later, port, ident, name):
    """A TCP connection with two questions; the border lies inside the first answer."""
    queries = b"".join(struct.pack(">H", len(m)) + m for m in
                       [message(ident, name, 16), message(ident + 1, "second." + name, 1)])
    answers = b"".join(struct.pack(">H", len(m)) + m for m in
                       [big_response(ident, name),
                        message(ident + 1, "second." + name, 1, [(1, 60, bytes([192, 0, 2, 7]))], True)])
    cut = 777

    def up(seq, ack, flags, payload=b""):
        return ipv4(CLIENT, SERVER, 6, tcp(CLIENT, SERVER, port, 53, seq, ack, flags, payload))

    def down(seq, ack, flags, payload=b""):
        return ipv4(SERVER, CLIENT, 6, tcp(SERVER, CLIENT, 53, port, seq, ack, flags, payload))
    n, m = len(queries), len(answers)
    before = [up(1000, 0, 2), down(5000, 1001, 0x12), up(1001, 5001, 0x10),
              up(1001, 5001, 0x18, queries), down(5001, 1001 + n, 0x18, answers[:cut])]
    after = [down(5001 + cut, 1001 + n, 0x18, answers[cut:]), up(1001 + n, 5001 + m, 0x11),
             down(5001 + m, 1002 + n, 0x11), up(1002 + n, 5002 + m, 0x10)]
    return [(when + i, f) for i, f in enumerate(before)], [(later + i, f) for i, f in enumerate(after)]


def split(packets, n):
    """n lists, equal in packets, so that queries are open across the borders; with a TCP
    stream and a fragmented answer over every border."""
    size = len(packets) // n
    pieces = [packets[i * size:(i + 1) * size if i + 1 < n else len(packets)] for i in range(n)]
    for i in range(n - 1):
        ends, begins = pieces[i][-1][0], pieces[i + 1][0][0]
        for make, port in ((fragmented, 20000), (stream, 30000)):
            before, after = make(ends, begins, port + i, 4000 + 10 * i + port // 10000, f"border{i}-{port}.example.net")
            pieces[i].extend(before)
            pieces[i + 1][:0] = after
    return pieces


def make_files(folder, pieces, forms=("", "gz", "zst", "xz")):
    """A file each, by turns plain and compressed. Returns their paths in order of time."""
    folder.mkdir(exist_ok=True)
    paths = []
    for i, piece in enumerate(pieces):
        form = forms[i % len(forms)]
        path = folder / (f"part{i:03}.pcap" + (f".{form}" if form else ""))
        path.write_bytes(compressed(pcap_bytes(piece), form))
        paths.append(path)
    return paths
