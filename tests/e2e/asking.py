"""Captures in which clients ask for names: a list of asks becomes a pcap file."""
import traffic

CODES = {"NOERROR": 0, "SERVFAIL": 2, "NXDOMAIN": 3, "REFUSED": 5}
TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "NULL": 10, "MX": 15, "TXT": 16, "AAAA": 28, "HTTPS": 65}


def record(owner, rtype, ttl, rdata):
    return (traffic.wire_name(owner) + rtype.to_bytes(2, "big") + b"\0\1" + ttl.to_bytes(4, "big")
            + len(rdata).to_bytes(2, "big") + rdata)


def soa(zone, ttl=900):
    """The SOA record of a zone, as it stands in negative answers."""
    rdata = traffic.wire_name("ns." + zone) + traffic.wire_name("root." + zone) + b"".join(
        n.to_bytes(4, "big") for n in (1, 3600, 600, 86400, ttl))
    return record(zone, TYPES["SOA"], ttl, rdata)


def response(ident, name, qtype, code=0, answers=(), authority=()):
    """answers, authority: records in wire form."""
    head = (ident.to_bytes(2, "big") + (0x8180 | code).to_bytes(2, "big") + b"\0\1" + len(answers).to_bytes(2, "big")
            + len(authority).to_bytes(2, "big") + b"\0\0")
    return (head + traffic.wire_name(name) + qtype.to_bytes(2, "big") + b"\0\1" + b"".join(answers) + b"".join(authority))


def missing(ident, name, qtype, zone):
    """NXDOMAIN, said by a zone."""
    return response(ident, name, qtype, CODES["NXDOMAIN"], authority=[soa(zone)])


def exchange(when_s, client, ident, name, qtype, answer=None):
    """A question of an address, and 20 ms later its answer (bytes of a message, or None): packets."""
    micros, source = int(when_s * 1000000), bytes(int(part) for part in client.split("."))
    port = 20000 + ident % 40000
    yield micros, traffic.ipv4(source, traffic.SERVER, 17, traffic.udp(port, 53, traffic.message(ident, name, qtype)), ident)
    if answer is not None:
        yield micros + 20000, traffic.ipv4(traffic.SERVER, source, 17, traffic.udp(53, port, answer), ident)


def capture(path, asks):
    """asks: (seconds, client, name, type, answer as a function of the id, or None). Written in order of time."""
    packets = []
    for number, (when, client, name, qtype, answer) in enumerate(sorted(asks, key=lambda ask: ask[:4])):
        ident = number % 65536
        packets.extend(exchange(when, client, ident, name, qtype, answer(ident) if answer else None))
    packets.sort(key=lambda packet: packet[0])
    path.write_bytes(traffic.pcap_bytes(packets))
    return path
