#!/usr/bin/env python3
"""run.py FILE... [--keep FOLDER]: scenarios of DNS traffic and what has to be found in it (README.md has the language)."""
import argparse
import ipaddress
import json
import random
import re
import struct
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import asking  # noqa: E402
import lib  # noqa: E402
import traffic  # noqa: E402

DAY, HOUR = 86400, 3600
LEVELS = ["benign", "watch", "suspicious", "high_risk", "malicious"]
SUFFIXES = ["com", "net", "org", "example", "test", "local-brand.example"]
UNITS = {"s": 1, "m": 60, "h": HOUR, "d": DAY}
# The share of a person's asks by hour of the day.
AWAKE = [1, 0, 0, 0, 0, 1, 3, 8, 14, 16, 15, 14, 18, 15, 13, 13, 12, 12, 14, 18, 20, 17, 10, 4]


class Mistake(Exception):
    """The scenario is not written in the language."""


# ---- words ----

class Words:
    """The words of a line, taken one by one."""

    def __init__(self, text):
        self.rest, self.at = text.split(), 0

    def peek(self):
        return self.rest[self.at] if self.at < len(self.rest) else None

    def next(self, what="a word"):
        if self.peek() is None:
            raise Mistake(f"{what} is missing")
        self.at += 1
        return self.rest[self.at - 1]

    def take(self, word):
        if self.peek() == word:
            self.at += 1
            return True
        return False

    def all(self):
        rest, self.at = self.rest[self.at:], len(self.rest)
        return rest

    def end(self):
        if self.peek() is not None:
            raise Mistake(f"'{self.peek()}' is too much")


def span(text):
    found = re.fullmatch(r"(\d+)([smhd])", text)
    if not found:
        raise Mistake(f"'{text}' is no span of time such as 90s, 5m, 1h, 2d")
    return int(found[1]) * UNITS[found[2]]


def moment(words, start):
    """day 3 [14:30]: seconds."""
    if not words.take("day"):
        raise Mistake(f"'{words.peek()}': a time is 'day N' or 'day N HH:MM'")
    when = start - start % DAY + int(words.next("the day")) * DAY
    clock = re.fullmatch(r"(\d\d):(\d\d)", words.peek() or "")
    if clock:
        words.next()
        when += int(clock[1]) * HOUR + int(clock[2]) * 60
    return when


def clients(words):
    found = []
    for word in words:
        first, _, last = word.partition("-")
        low, high = int(ipaddress.IPv4Address(first)), int(ipaddress.IPv4Address(last or first))
        found += [str(ipaddress.IPv4Address(n)) for n in range(low, high + 1)]
    return found or lib_mistake("no clients")


def lib_mistake(text):
    raise Mistake(text)


# ---- answers ----

def suffix_of(name):
    labels = name.split(".")
    for n in range(len(labels)):
        if ".".join(labels[n:]) in SUFFIXES:
            return ".".join(labels[n:])
    return labels[-1]


def registered(name):
    suffix = suffix_of(name)
    return ".".join(name.split(".")[-(suffix.count(".") + 2):])


def addresses(name, qtype, words, ttl):
    """Records of the type that was asked for; NODATA when there are none."""
    size = {asking.TYPES["A"]: 4, asking.TYPES["AAAA"]: 16}.get(qtype, 0)
    packed = [ipaddress.ip_address(word).packed for word in words]
    return [asking.record(name, qtype, ttl, data) for data in packed if len(data) == size]


def parse_answer(text):
    """ANSWER as a function of (name, type) to (TTL, function of the id to a message), and that TTL."""
    words = text.split()
    ttl = 300
    if "ttl" in words:
        at = words.index("ttl")
        ttl = int(words[at + 1])
        del words[at:at + 2]
    kind, rest = (words[0], words[1:]) if words else lib_mistake("an answer is missing")
    anywhere = random.Random(text)

    def make(name, qtype):
        if kind == "nothing":
            return None
        if kind == "NXDOMAIN":
            zone = rest[1] if rest[:1] == ["soa"] else suffix_of(name)
            return lambda ident: asking.missing(ident, name, qtype, zone)
        if kind in ("SERVFAIL", "REFUSED"):
            return lambda ident: asking.response(ident, name, qtype, asking.CODES[kind])
        if kind == "cname":
            records = [asking.record(name, 5, ttl, traffic.wire_name(rest[0]))] + addresses(rest[0], qtype, rest[1:], ttl)
        elif kind == "names":
            front = b"\0\x0a" if qtype == asking.TYPES["MX"] else b""
            records = [asking.record(name, qtype, ttl, front + traffic.wire_name(target)) for target in rest]
        elif kind == "flux":
            where = [str(ipaddress.IPv4Address(anywhere.randrange(0x0B000000, 0xDF000000))) for _ in range(int(rest[0]))]
            records = addresses(name, qtype, where, ttl)
        elif kind == "text":
            records = [asking.record(name, qtype, ttl, bytes([len(rest[0])]) + rest[0].encode())]
        else:
            records = [] if kind == "NODATA" else addresses(name, qtype, words, ttl)
        authority = [] if records else [asking.soa(registered(name))]
        return lambda ident: asking.response(ident, name, qtype, 0, records, authority)
    return make, ttl


# ---- traffic ----

class Scenario:
    def __init__(self, path):
        self.path, self.start, self.random = Path(path), None, random.Random(1)
        self.asks = []     # (seconds, client, name, type, answer)
        self.expected = []  # (line number, text, is todo)
        self.policy = []    # lines of --policy
        lines = []
        for number, line in enumerate(self.path.read_text().splitlines(), 1):
            line = line.split("#")[0].rstrip()
            if line[:1].isspace() and lines and line.strip():
                lines[-1] = (lines[-1][0], lines[-1][1] + " " + line.strip())
            elif line.strip():
                lines.append((number, line))
        for number, line in lines:
            try:
                self.statement(number, line)
            except (Mistake, ValueError) as why:
                raise Mistake(f"{self.path.name}, line {number}: {why}") from None

    def statement(self, number, line):
        word, _, rest = line.partition(" ")
        if word in ("expect", "todo"):
            self.expected.append((number, rest if word == "expect" else rest.removeprefix("expect "), word == "todo"))
            parse_expectation(self.expected[-1][1], self.start)
            return
        take = {"start": self.take_start, "seed": self.take_seed, "background": self.background, "every": self.every,
                "people": self.people, "burst": self.burst, "at": self.once, "policy": self.take_policy}.get(word)
        if take is None:
            raise Mistake(f"'{word}' begins no statement")
        if self.start is None and word not in ("start", "seed"):
            raise Mistake("'start' comes first")
        take(rest)

    def take_start(self, rest):
        self.start = int(datetime.strptime(rest, "%Y-%m-%dT%H:%MZ").replace(tzinfo=timezone.utc).timestamp())

    def take_seed(self, rest):
        self.random = random.Random(int(rest))

    def take_policy(self, rest):
        self.policy += rest.split()

    def random_text(self, found):
        return "".join(self.random.choices("abcdefghijklmnopqrstuvwxyz234567", k=int(found[1])))

    def ask(self, when, client, name, qtypes, make):
        name = re.sub(r"\?(\d+)", self.random_text, name)
        for n, qtype in enumerate(qtypes):
            self.asks.append((when + n / 1000, client, name, qtype, make(name, qtype)))

    def who_asks(self, text):
        """CLIENTS ask NAMES TYPES -> ANSWER"""
        asked, arrow, answer = text.partition("->")
        who, _, what = asked.partition(" ask ")
        what = what.split()
        if not arrow or len(what) < 2:
            raise Mistake("after ':' comes CLIENTS ask NAMES TYPES -> ANSWER")
        make, ttl = parse_answer(answer)
        return clients(who.split()), [name.lower() for name in what[:-1]], [asking.TYPES[t] for t in what[-1].split(",")], make, ttl

    def span_of(self, words):
        """[from WHEN] [for SPAN | until WHEN]: from and to."""
        begin = moment(words, self.start) if words.take("from") else self.start
        if words.take("until"):
            return begin, moment(words, self.start)
        return begin, begin + (span(words.next()) if words.take("for") else DAY)

    def deliver(self, times, who, cached):
        """Asks at times; a client with a cache leaves out those of which it still knows the answer."""
        _, names, qtypes, make, ttl = who
        known = 0
        for client, when in times:
            if cached and known and client == known[0] and when < known[1] + ttl:
                continue
            known = (client, when)
            for name in names:
                self.ask(when + self.random.random(), client, name, qtypes, make)

    def every(self, rest):
        head, _, tail = rest.partition(": ")
        words, who = Words(head), self.who_asks(tail)
        period = span(words.next())
        jitter = span(words.next()) if words.take("jitter") else 0
        cached = words.take("cached")
        begin, end = self.span_of(words)
        words.end()
        times = []
        for client in who[0]:
            when = begin + self.random.random() * min(period, 600)
            while when < end:
                times.append((client, when))
                when += max(1, period + self.random.uniform(-jitter, jitter))
        self.deliver(times, who, cached)

    def daily(self, begin, end, a_day):
        """Times of somebody who is awake by day."""
        hour = begin
        while hour < end:
            mean = a_day * AWAKE[hour // HOUR % 24] / sum(AWAKE)
            count = int(mean) + (self.random.random() < mean - int(mean))
            yield from sorted(hour + self.random.random() * HOUR for _ in range(count))
            hour += HOUR

    def people(self, rest):
        head, _, tail = rest.partition(": ")
        words, who = Words(head), self.who_asks(tail)
        a_day = float(words.next())
        cached = words.take("cached")
        begin, end = self.span_of(words)
        words.end()
        self.deliver([(client, when) for client in who[0] for when in self.daily(begin, end, a_day)], who, cached)

    def burst(self, rest):
        head, _, tail = rest.partition(": ")
        words, who = Words(head), self.who_asks(tail)
        count = int(words.next())
        begin, end = self.span_of(words)
        words.end()
        self.deliver([(self.random.choice(who[0]), self.random.uniform(begin, end)) for _ in range(count)], who, False)

    def once(self, rest):
        head, _, tail = rest.partition(": ")
        words, who = Words(head), self.who_asks(tail)
        when = moment(words, self.start)
        words.end()
        for client in who[0]:
            for name in who[1]:
                self.ask(when + self.random.random() * 30, client, name, who[2], who[3])

    def background(self, rest):
        words = Words(rest)
        count, _, days, _ = (int(words.next()), words.next(), int(words.next()), words.next())
        words.end()
        sites = [f"site{n:02}.example" for n in range(60)]
        weights = [1 / (n + 1) for n in range(60)]
        make = {site: parse_answer(f"198.51.100.{n + 1} ttl 3600")[0] for n, site in enumerate(sites)}
        third, _ = parse_answer("198.51.100.200 ttl 600")
        rare, _ = parse_answer("198.51.100.220")
        for n in range(count):
            client = str(ipaddress.IPv4Address("10.1.0.1") + n)
            for when in self.daily(self.start, self.start + days * DAY, 14):
                site = self.random.choices(sites, weights)[0]
                self.ask(when, client, "www." + site, [1], make[site])
                if self.random.random() < 0.3:
                    self.ask(when + 0.1, client, "cdn.thirdparty.example", [1], third)
                if self.random.random() < 0.03:
                    self.ask(when + 40, client, f"page-{self.random.getrandbits(40):x}.example", [1], rare)


# ---- packets: by hand, for there are many ----

def capture(path, asks):
    packets = []
    for number, (when, client, name, qtype, answer) in enumerate(sorted(asks, key=lambda ask: ask[:4])):
        ident = number % 65536
        for packet in asking.exchange(when, client, ident, name, qtype, answer(ident) if answer else None):
            packets.append(packet)
    packets.sort(key=lambda packet: packet[0])
    path.write_bytes(traffic.pcap_bytes(packets))
    return path


# ---- what is expected ----

def parse_expectation(text, start):
    """As (kind, name, ...)."""
    words = Words(text)
    if words.take("no"):
        name, what = words.next("a name"), words.next("a detector")
        against = words.take("<=")
        bound = float(words.next()) if against or words.take(">=") else 1.0
        words.end()
        return "never", name, what, "<=" if against else ">=", bound
    name, what = words.next("a name"), words.next("what")
    if what in ("scope", "with"):
        value = words.next()
        words.end()
        return what, name, value
    if what == "level":
        at_most = words.take("<=")
        level = words.next("a level")
        if level not in LEVELS:
            raise Mistake(f"'{level}' is no level")
        by = moment(words, start) if words.take("by") else None
        words.end()
        return "level<=" if at_most else "level", name, level, by
    sign = words.next(">= or <=")
    if sign not in (">=", "<="):
        raise Mistake(f"'{sign}': >= or <= is wanted")
    least = float(words.next("a strength"))
    by = moment(words, start) if words.take("by") else None
    words.end()
    return "said", name, what, sign, least, by


class Ledger:
    """What dnsmon explain says of names."""

    def __init__(self, db, suffixes):
        self.db, self.suffixes, self.known = db, suffixes, {}

    def dossier(self, name):
        domain = registered(name)
        if domain not in self.known:
            self.known[domain] = json.loads(lib.dnsmon("explain", "--db", self.db, "--public-suffixes", self.suffixes,
                                                       "--json", domain).stdout)
        return self.known[domain]

    def history(self, name, what):
        return [row for row in self.dossier(name)["history"] if row["what"] == what
                and (row["name"] == name or name == registered(name))]


def in_time(row, by):
    return by is None or row["at"] <= by


def reaches(row, sign, bound):
    return row["weight"] >= bound if sign == ">=" else row["weight"] <= bound


def said_text(rows):
    return "; ".join(f"{row['at']} {row['name']} {row['detector']} {row['weight']:+.1f}" for row in rows[:8]) or "nothing"


def judge(ledger, expectation):
    """None when it is met, else what was found instead."""
    kind, name, *more = expectation
    evidence = ledger.history(name, "evidence")
    verdicts = ledger.history(name, "verdict")
    if kind == "said":
        what, sign, bound, by = more
        rows = [row for row in evidence if what in (row["detector"], row["group"])]
        met = any(reaches(row, sign, bound) for row in rows if in_time(row, by))
        return None if met else said_text(rows)
    if kind == "never":
        what, sign, bound = more
        rows = [row for row in evidence if what in (row["detector"], row["group"]) and reaches(row, sign, bound)]
        return said_text(rows) if rows else None
    if kind == "level":
        met = any(LEVELS.index(row["level"]) >= LEVELS.index(more[0]) for row in verdicts if in_time(row, more[1]))
        return None if met else "; ".join(f"{row['at']} {row['level']} {row['score']:.3f}" for row in verdicts[-4:]) or "no verdict"
    if kind == "level<=":
        worse = [row for row in verdicts if LEVELS.index(row["level"]) > LEVELS.index(more[0])]
        return "; ".join(f"{row['at']} {row['name']} {row['level']} {row['score']:.3f}" for row in worse[:3]) or None
    if kind == "scope":
        worst = max(verdicts, key=lambda row: LEVELS.index(row["level"]), default=None)
        return None if worst and worst["scope"] == more[0] else str(worst and worst["scope"])
    campaign = ledger.dossier(name)["campaign"]
    members = [member["name"] for member in campaign["members"]] if campaign else []
    return None if registered(more[0]) in members else f"a campaign of {members}"


# ---- running ----

def run(path, folder):
    """A line for each expectation that is not met."""
    scenario = Scenario(path)
    suffixes, db = folder / "suffixes", folder / "db"
    suffixes.write_text("".join(suffix + "\n" for suffix in SUFFIXES))
    pcap = capture(folder / "traffic.pcap", scenario.asks)
    policy = folder / "policy"
    policy.write_text("".join(line + "\n" for line in scenario.policy))
    lib.dnsmon("ingest", "--db", db, "--vantage", "client", "--public-suffixes", suffixes, "--policy", policy, pcap, timeout=120)
    lib.dnsmon("analyze", "--db", db, "--suffixes", suffixes, "--threads", "2", timeout=300)
    ledger, wrong = Ledger(db, suffixes), []
    for number, text, todo in scenario.expected:
        found = judge(ledger, parse_expectation(text, scenario.start))
        if found is not None and not todo:
            wrong.append(f"{scenario.path.name}, line {number}: expect {text}: found {found}")
        if found is None and todo:
            wrong.append(f"{scenario.path.name}, line {number}: {text}: is met now; drop the word todo")
    return wrong


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--keep", type=Path, help="a new folder for the capture and the database")
    asked = options.parse_args()
    failed = False
    for path in asked.files:
        with tempfile.TemporaryDirectory() as tmp:
            folder = asked.keep or Path(tmp)
            folder.mkdir(parents=True, exist_ok=True)
            wrong = run(path, folder)
        print(f"{path}: {'as expected' if not wrong else ''}")
        print("".join(f"  {line}\n" for line in wrong), end="", flush=True)
        failed |= bool(wrong)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
