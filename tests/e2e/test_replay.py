"""Scenarios of tests/replay, a test each: traffic in, findings out."""
import importlib.util
from pathlib import Path

import lib

REPLAY = Path(__file__).resolve().parents[1] / "replay"
spec = importlib.util.spec_from_file_location("replay", REPLAY / "run.py")
replay = importlib.util.module_from_spec(spec)
spec.loader.exec_module(replay)


def scenario_test(path):
    def test(tmp):
        wrong = replay.run(path, tmp)
        assert not wrong, "\n".join(wrong)
    return test


def refuses(text, tmp):
    path = tmp / "bad.txt"
    path.write_text(text)
    try:
        replay.Scenario(path)
    except replay.Mistake as why:
        return str(why)
    raise AssertionError(f"taken for a scenario: {text}")


def test_mistakes_are_named(tmp):
    start = "start 2026-01-01T00:00Z\n"
    for text, said in [("at day 1: 10.0.0.1 ask a.example A -> 192.0.2.1", "line 1: 'start' comes first"),
                       (start + "every now: 10.0.0.1 ask a.example A -> 192.0.2.1", "line 2: 'now' is no span of time"),
                       (start + "at day 1: 10.0.0.1 ask a.example", "CLIENTS ask NAMES TYPES -> ANSWER"),
                       (start + "expect a.example level bad", "'bad' is no level"),
                       (start + "expect a.example rhythm > 2", "'>': >= or <= is wanted"),
                       (start + "wait 5m", "'wait' begins no statement")]:
        assert said in refuses(text, tmp), (text, refuses(text, tmp))


def test_each_detector_has_a_scenario(tmp):
    """One that bears its name, or expects something of it by name."""
    wanted = {line.split()[0] for line in lib.dnsmon("analyze", "--list-detectors").stdout.splitlines()}
    found = {path.stem.removesuffix("s") for path in REPLAY.glob("*.txt")}
    for path in REPLAY.glob("*.txt"):
        found |= {line.split()[2] for line in path.read_text().splitlines() if line.startswith("expect ") and "no" not in line.split()[1:2]}
    assert wanted and wanted <= found, wanted - found


for _path in sorted(REPLAY.glob("*.txt")):
    _test = scenario_test(_path)
    _test.__name__ = _test.__qualname__ = "test_" + _path.stem.replace("-", "_")
    globals()[_test.__name__] = _test
