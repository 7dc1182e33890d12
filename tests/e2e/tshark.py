"""tshark's opinion on a capture: its DNS messages, with their records, section by section.

`messages(path)` reads PDML, the one output of tshark that keeps several messages of a frame and
the sections of a message apart. `classify` says which messages dnsmon sets aside, and by which of
its own causes, so that what remains must be equal.
"""
import collections
import html
import json
import lzma
import re
import shutil
import subprocess

import lib

SECTIONS = {"Answers": "answer", "Authoritative nameservers": "authority", "Additional records": "additional"}
TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 15: "MX", 16: "TXT", 28: "AAAA", 33: "SRV"}
DATA = {  # the fields that make up comparable data, in order
    1: ["dns.a"], 2: ["dns.ns"], 5: ["dns.cname"], 12: ["dns.ptr.domain_name"], 28: ["dns.aaaa"],
    6: ["dns.soa.mname", "dns.soa.rname", "dns.soa.serial_number", "dns.soa.refresh_interval", "dns.soa.retry_interval",
        "dns.soa.expire_limit", "dns.soa.minimum_ttl"],
    15: ["dns.mx.preference", "dns.mx.mail_exchange"], 16: ["dns.txt"],
    33: ["dns.srv.priority", "dns.srv.weight", "dns.srv.port", "dns.srv.target"],
}
OPT, NSEC, TSIG = 41, 47, 250


class Record:
    """section, owner, type, cls, cache_flush and data: a tuple of strings (TXT: bytes), None where tshark shows none."""

    def __init__(self, section):
        self.section, self.owner, self.type, self.cls, self.cache_flush = section, None, None, None, False
        self.fields = collections.defaultdict(list)

    @property
    def data(self):
        names = DATA.get(self.type)
        if not names or any(not self.fields[name] for name in names):
            return None
        if self.type == 16:
            return tuple(self.fields["dns.txt"])
        return tuple(text.lower() for name in names for text in self.fields[name][:1])


class Message:
    """One message: frame, proto, quoted (in ICMP), cut (by the snap length), ports, counts and records.

    `outer` are the port pairs of the UDP headers around it, those of tunnels."""

    def __init__(self, frame, proto, context):
        self.frame, self.proto = frame, proto
        self.quoted, self.cut, self.ports, self.copy = context["quoted"], context["cut"], context["ports"], context["copy"]
        self.transport, self.time, self.outer = context["transport"], context["time"], context["outer"]
        self.id = self.response = self.opcode = self.qname = self.qclass = None
        self.unicast_wanted = False  # the top bit of mDNS's class
        self.malformed = False
        self.counts = dict.fromkeys(("queries", "answers", "auth_rr", "add_rr"), 0)
        self.records = []


LINE = re.compile(r'^( *)<(proto|field) name="([^"]*)"(?: showname="[^"]*")?(?: size="\d+")?(?: pos="\d+")?'
                  r'(?: show="([^"]*)")?(?: showname="[^"]*")?(?: value="([^"]*)")?(?: unmaskedvalue="([^"]*)")?')
NEW = {"quoted": False, "cut": False, "ports": (0, 0), "outer": (), "transport": None, "copy": None, "time": 0.0, "ip": "", "len": 0}
TUNNEL_PORTS = {4789, 4790, 6081}  # VXLAN, VXLAN-GPE, Geneve


def name_text(text):
    return "." if text == "<Root>" else text.lower().rstrip(".") + "."


def is_set(text):
    return text in ("1", "True")


class Reader:
    def __init__(self):
        self.found, self.context, self.message = [], dict(NEW), None
        self.frame, self.depth, self.section, self.record = 0, 0, None, None

    def line(self, line):
        match = LINE.match(line)
        if not match:
            return
        depth, kind, name, show, value, unmasked = match.groups()
        depth, show = len(depth), html.unescape(show or "")
        if kind == "proto":
            self.proto(depth, name)
        elif name.startswith("dns.") and self.message is not None:
            self.field(depth, name, show, value or "", unmasked)
        elif name == "" and self.message is not None:
            self.subtree(depth, show)
        else:
            self.around(name, show, value)

    def proto(self, depth, name):
        if name == "geninfo":
            self.context, self.message = dict(NEW), None
        elif name in ("dns", "mdns", "llmnr"):
            self.context["copy"] = (self.context["ip"], self.context["ports"], self.context["len"])
            self.message = Message(self.frame, name, self.context)
            self.found.append(self.message)
            self.depth, self.section, self.record = depth, None, None
        elif name == "_ws.malformed":
            if self.message is not None:
                self.message.malformed = True
        elif name in ("icmp", "icmpv6"):
            self.context["quoted"] = True
        elif name in ("udp", "tcp"):
            if self.context["transport"] == "udp":
                self.context["outer"] += (tuple(self.context["ports"]),)
            self.context["transport"] = name

    def around(self, name, show, value):
        c = self.context
        if name == "num":
            self.frame = int(show)
        elif name == "timestamp":
            c["time"] = float(value)
        elif name == "len":
            c["len"] = int(show)
        elif name == "caplen":
            c["cut"] = int(show) < c["len"]
        elif name in ("ip.src", "ipv6.src"):
            c["ip"] = show
        elif name in ("ip.dst", "ip.id", "ipv6.dst"):
            c["ip"] += " " + show
        elif name in ("udp.srcport", "tcp.srcport"):
            c["ports"] = (int(show), 0)
        elif name in ("udp.dstport", "tcp.dstport"):
            c["ports"] = (c["ports"][0], int(show))

    def subtree(self, depth, show):
        if depth == self.depth + 2:
            self.section, self.record = SECTIONS.get(show), None
        elif depth == self.depth + 4 and self.section:
            self.record = Record(self.section)
            self.message.records.append(self.record)

    def field(self, depth, name, show, value, unmasked):
        m, r = self.message, self.record
        if name.startswith("dns.count.") and name[10:] in m.counts:
            m.counts[name[10:]] = int(show)
        elif name == "dns.id":
            m.id = int(show, 16)
        elif name == "dns.flags.response":
            m.response = is_set(show)
        elif name == "dns.flags.opcode":
            m.opcode = int(show)
        elif name == "dns.qry.name" and m.qname is None:
            m.qname = name_text(show)
        elif name == "dns.qry.class" and m.qclass is None:
            m.qclass = int(show, 16)
            m.unicast_wanted = bool(unmasked) and int(unmasked, 16) >> 15 == 1
        elif r is None:
            return
        elif name == "dns.resp.name":
            r.owner = name_text(show)
        elif name in ("dns.srv.service", "dns.srv.proto", "dns.srv.name"):  # the owner of SRV, in pieces
            r.owner = name_text((r.owner or "") + show)
        elif name == "dns.resp.type" and r.type is None:  # a type bitmap has more of them
            r.type = int(show)
        elif name == "dns.resp.class":
            r.cls = int(show, 16)
        elif name == "dns.resp.cache_flush":
            r.cache_flush = is_set(show)
        elif name == "dns.txt":
            r.fields[name].append(bytes.fromhex(value))
        elif r.type in DATA and name in DATA[r.type]:
            text = name_text(show) if name.rsplit(".", 1)[1] in (
                "ns", "cname", "domain_name", "mname", "rname", "mail_exchange", "target") else show
            r.fields[name].append(text)


def messages(path, tmp):
    """All messages in the order of the capture."""
    if path.suffix == ".xz":  # which tshark does not read
        plain = tmp / path.stem
        plain.write_bytes(lzma.open(path).read())
        path = plain
    command = [lib.program("tshark"), "-n", "-r", str(path), "-Y", "dns or mdns or llmnr", "-T", "pdml",
               "-J", "ip ipv6 udp tcp icmp icmpv6 dns mdns llmnr _ws.malformed"]
    reader = Reader()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
                          text=True, errors="surrogateescape") as process:
        for line in process.stdout:
            if "<field" in line or "<proto" in line:
                reader.line(line)
    # tshark ends with 2 on a file that is cut, after all that is whole.
    assert process.returncode in (0, 2), f"tshark: exit {process.returncode} for {path}"
    return reader.found


# ---- what dnsmon sets aside, by its own causes ----

def is_mdns(message):
    return tuple(message.ports) == (5353, 5353)


def is_recorded(message):
    """A response of which we know what it may answer."""
    return message.response and (message.qname is not None or is_mdns(message))


def is_data(message, record):
    """A record that is recorded of such a response."""
    if is_mdns(message):
        return record.cls == 1 and record.type not in (0, OPT, TSIG, NSEC)
    return record.cls == 1 and not record.cache_flush and record.type not in (0, OPT, TSIG)


def is_multicast(message, port):
    return port in message.ports and 53 not in message.ports


def set_aside(message, keep_multicast):
    """The cause for which dnsmon does not use a message that is well-formed, or None."""
    if message.quoted:
        return "icmp"
    for port, cause in ((5353, "mdns"), (5355, "llmnr")):
        if is_multicast(message, port) and not keep_multicast:
            return cause
    if not all(TUNNEL_PORTS & set(ports) for ports in message.outer):
        return "other_port"
    if 53 not in message.ports and not (keep_multicast and {5353, 5355} & set(message.ports)):
        return "other_port"
    return None


def other_use(message):
    if message.opcode:
        return "other_opcode"
    if message.qname is not None and (message.qclass != 1 or (message.unicast_wanted and not is_mdns(message))):
        return "other_class"
    return None


def duplicates(found, window=0.010):
    """Messages that repeat one of the same packet identification within the window."""
    last, again = {}, []
    for message in found:
        key = (message.copy, message.id, message.response, message.qname)
        if message.transport == "udp" and key in last and message.time - last[key] <= window + 1e-7:
            again.append(message)
        last[key] = message.time
    return again


def malformed_frames(path, frames, cause, tmp):
    """Those of `frames` that the program, given them alone, calls `cause`: halves, and halves of those."""
    if not frames:
        return []
    part = tmp / "part.pcap"
    lib.run("editcap", "-r", path, part, *[f"{a}-{b}" for a, b in runs(frames)], check=False)
    counts = ingest(tmp / "part-db", part, "--copy-window", "0")["malformed"].get(cause, 0)
    if counts == 0 or len(frames) == 1:
        return frames if counts else []
    half = len(frames) // 2
    return malformed_frames(path, frames[:half], cause, tmp) + malformed_frames(path, frames[half:], cause, tmp)


def ingest(database, path, *words):
    """Into an empty database; the run's counts."""
    shutil.rmtree(database, ignore_errors=True)
    done = lib.dnsmon("ingest", "--json", "--db", database, *words, path, timeout=120)
    return json.loads(done.stdout)


def runs(numbers):
    """[(first, last)] of consecutive numbers."""
    out = []
    for number in sorted(set(numbers)):
        if out and number == out[-1][1] + 1:
            out[-1] = (out[-1][0], number)
        else:
            out.append((number, number))
    return out


def classify(path, found, counts, keep_multicast, tmp):
    """{message: cause} for the messages that the program's counts say it did not use."""
    causes = {}
    for message in found:
        cause = set_aside(message, keep_multicast)
        if cause:
            causes[message] = cause
    for cause, number in counts["malformed"].items():
        if not cause.startswith("dns_") or cause == "dns_trailing_bytes":
            continue
        left = [m for m in found if m not in causes]
        frames = set(malformed_frames(path, sorted({m.frame for m in left}), cause, tmp))
        causes.update((m, cause) for m in left if m.frame in frames)
    for message in found:
        cause = other_use(message)
        if cause and message not in causes:
            causes[message] = cause
    if counts["skipped"].get("duplicate"):
        causes.update((m, "duplicate") for m in duplicates([m for m in found if m not in causes]))
    return causes


def disagreements(causes, counts):
    """Where the causes found differ from what the program counted, as lines."""
    said = {**counts["skipped"], **counts["malformed"]}
    mine = collections.Counter(causes.values())
    lines = []
    for cause in ("mdns", "llmnr", "other_class", "other_opcode", "duplicate",
                  *(c for c in counts["malformed"] if c.startswith("dns_") and c != "dns_trailing_bytes")):
        if mine[cause] != said.get(cause, 0):
            lines.append(f"{cause}: the program counts {said.get(cause, 0)}, tshark's messages show {mine[cause]}")
    for cause in ("icmp", "other_port"):  # counted for packets without DNS as well
        if mine[cause] > said.get(cause, 0):
            lines.append(f"{cause}: the program counts {said.get(cause, 0)}, tshark's messages show {mine[cause]}")
    return lines
