"""The operator's word and the analysis after it: what is held, allowed or objected to stays so, and what is taken back is judged anew."""
import time

import lib
from test_replay import REPLAY, replay

DAY = 86400


class Network:
    """The traffic of a scenario of tests/replay in which two names become high_risk on day 12, analysed day by day."""

    def __init__(self, tmp):
        self.db, self.suffixes = tmp / "db", tmp / "suffixes"
        self.suffixes.write_text("".join(suffix + "\n" for suffix in replay.SUFFIXES))
        scenario = replay.Scenario(REPLAY / "labels.txt")
        self.start = scenario.start
        lib.dnsmon("ingest", "--db", self.db, "--vantage", "client", "--public-suffixes", self.suffixes,
                   replay.capture(tmp / "traffic.pcap", scenario.asks), timeout=120)

    def analyze(self, day):
        lib.dnsmon("analyze", "--db", self.db, "--suffixes", self.suffixes, "--as-of", self.start + day * DAY)

    def say(self, *words):
        lib.dnsmon(*words, "--db", self.db, "--public-suffixes", self.suffixes, env={"USER": "ann", "SUDO_USER": ""})

    def verdicts(self, day):
        return lib.dnsmon_lines("verdicts", "--db", self.db, "--as-of", self.start + day * DAY)

    def state(self):
        """Level by name, with a star where it is to be blocked."""
        blocked = {i["name"] for i in lib.dnsmon_lines("indicators", "--db", self.db)}
        verdicts = lib.dnsmon_lines("verdicts", "--db", self.db, "--level", "benign")
        return {v["name"]: v["level"] + ("*" if v["name"] in blocked else "") for v in verdicts if "gate." in v["name"]}


def test_as_it_was_known(tmp):
    """What was printed of a day is printed of it ever after, whatever was renewed, expired or walked again since."""
    n = Network(tmp)
    printed = {}
    for day in range(12, 17):
        n.analyze(day)
        printed[day] = lib.dnsmon_lines("verdicts", "--db", n.db)
        for before, lines in printed.items():
            assert n.verdicts(before) == lines, (day, before, n.verdicts(before), lines)
    blocked = {day: {v["valid_until"] for v in lines if v["valid_until"]} for day, lines in printed.items()}
    assert blocked[13] and blocked[13] != blocked[16], blocked
    lib.dnsmon("analyze", "--db", n.db, "--suffixes", n.suffixes, "--again")
    for before, lines in printed.items():
        assert n.verdicts(before) == lines, before
    lib.dnsmon("fsck", "--db", n.db)


def test_words_and_analysis(tmp):
    n = Network(tmp)
    n.analyze(13)
    assert n.state() == {"firstgate.example": "high_risk*", "secondgate.example": "high_risk*"}, n.state()
    n.say("object", "firstgate.example", "--reason", "our own updater")
    n.say("block", "secondgate.example", "--reason", "seen in a report")
    n.say("object", "secondgate.example", "--reason", "are you sure?")
    held = {"firstgate.example": "suspicious", "secondgate.example": "malicious*"}
    assert n.state() == held, n.state()
    n.analyze(14)
    assert n.state() == held, n.state()
    told = lib.dnsmon("explain", "--db", n.db, "--public-suffixes", n.suffixes, "firstgate.example").stdout
    assert "somebody objected" in told and "ann: feedback firstgate.example (domain): our own updater" in " ".join(told.split()), told
    n.say("object", "--revoke", "firstgate.example")
    n.say("block", "--revoke", "secondgate.example")
    n.say("allow", "secondgate.example", "--reason", "a slip")
    assert n.state()["secondgate.example"] == "benign", n.state()
    n.say("allow", "--revoke", "secondgate.example")
    n.say("object", "--revoke", "secondgate.example")
    n.analyze(15)
    assert n.state() == {"firstgate.example": "high_risk*", "secondgate.example": "high_risk*"}, n.state()
    n.say("allow", "firstgate.example", "--reason", "a customer of ours")
    n.analyze(16)
    assert n.state()["firstgate.example"] == "benign" and n.state()["secondgate.example"].endswith("*"), n.state()
    lib.dnsmon("fsck", "--db", n.db)


def test_words_taken_back_at_once(tmp):
    """Before analysis has heard of them: all is as it was."""
    n = Network(tmp)
    n.analyze(13)
    before = n.state()
    indicators = lib.dnsmon_lines("indicators", "--db", n.db)
    for word in "allow", "object", "block":
        n.say(word, "firstgate.example", "--reason", "a slip")
        assert n.state() != before, word
        n.say(word, "--revoke", "firstgate.example")
        assert n.state() == before, (word, n.state())
        if word != "block":  # whose own indicator took the place of the other
            assert lib.dnsmon_lines("indicators", "--db", n.db) == indicators, word
    n.analyze(14)
    assert n.state() == before, n.state()
    n.say("allow", "firstgate.example", "--reason", "a customer of ours")
    n.say("object", "firstgate.example", "--reason", "we think so, too")
    n.say("allow", "--revoke", "firstgate.example")
    assert n.state()["firstgate.example"] == "suspicious", n.state()
    n.analyze(15)
    assert n.state() == {**before, "firstgate.example": "suspicious"}, n.state()
    lib.dnsmon("fsck", "--db", n.db)


def test_words_that_end(tmp):
    """A block up to a moment ends then, also of a name that nobody asks for; what is found besides is judged as ever."""
    n = Network(tmp)
    n.analyze(13)
    for name in "firstgate.example", "site01.example", "never.example":
        n.say("block", name, "--until", "+1s", "--reason", "until we know more")
    time.sleep(1.2)
    listed = {i["name"]: i["level"] for i in lib.dnsmon_lines("indicators", "--db", n.db)}
    assert listed == {"secondgate.example": "high_risk"}, listed
    n.analyze(14)
    assert n.state() == {"firstgate.example": "high_risk*", "secondgate.example": "high_risk*"}, n.state()
    levels = {v["name"]: v["level"] for v in lib.dnsmon_lines("verdicts", "--db", n.db, "--level", "benign")}
    assert levels["never.example"] == levels["site01.example"] == "benign", levels
    lib.dnsmon("fsck", "--db", n.db)
