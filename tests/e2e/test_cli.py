"""The program's manners: help, exit codes, the example configuration."""
import re

import lib


def subcommands():
    """From the first column of `dnsmon --help`."""
    text = lib.dnsmon("--help").stdout
    return [word for word in re.findall(r"^\s+([a-z]+)\s{2,}\S", text, re.M)]


def test_help_exits_zero(tmp):
    commands = subcommands()
    assert "lookup" in commands, commands
    for command in commands:
        done = lib.dnsmon(command, "--help")
        assert f"dnsmon {command}" in done.stdout, done.stdout


def test_man_page_is_whole(tmp):
    """Every command has a section in it, and every option that its help names is told there, or among those of several."""
    man = (lib.SOURCE / "docs/man/dnsmon.1").read_text().replace("\\-", "-")
    common, sections = man[man.index(".SH OPTIONS"):], {}
    for part in man[:man.index(".SH OPTIONS")].split('.SS "dnsmon ')[1:]:
        name, _, text = part.partition('"')
        sections[name] = text
    for name, text in sections.items():  # "Options as for allow"
        sections[name] += sections["allow"] if "ptions as for\n.BR allow" in text else ""
    for command in subcommands():
        assert command in sections, command
        named = set(re.findall(r"--[a-z][a-z-]+", lib.dnsmon("help", command).stdout))
        missing = sorted(option for option in named if option not in sections[command] + common)
        assert not missing, (command, missing)


def test_wrong_usage_exits_two(tmp):
    for words in [["nonsense"], ["lookup", "--no-such-option"], ["lookup", "rrset"]]:
        done = lib.dnsmon(*words, check=False, cwd=tmp)
        assert done.returncode == 2, (words, done.returncode, done.stderr)
        assert done.stderr and not done.stdout, (words, done.stdout)


def test_absent_database_exits_one(tmp):
    done = lib.dnsmon("stat", "--db", tmp / "none", check=False)
    assert done.returncode == 1 and "none" in done.stderr, done.stderr
    assert not (tmp / "none").exists()


def test_example_configuration_is_accepted(tmp):
    example = lib.SOURCE / "packaging/dnsmon.yaml"
    done = lib.dnsmon("stat", "--config", example, "--db", tmp / "none", check=False)
    assert "dnsmon.yaml" not in done.stderr, done.stderr
    wrong = tmp / "wrong.yaml"
    wrong.write_text(example.read_text() + "\nslot_s: 61\n")
    done = lib.dnsmon("stat", "--config", wrong, "--db", tmp / "none", check=False)
    assert done.returncode != 0 and "wrong.yaml" in done.stderr, done.stderr
