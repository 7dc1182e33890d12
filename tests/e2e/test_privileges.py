"""Capture opens what only root may, then goes on as somebody else with nothing left of root."""
import os
import pwd
import time
from pathlib import Path

import lib
from live import capture, finish, may_capture

USER = "nobody"
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapAmb")
ZONES = {"example.com.": "www A 192.0.2.1"}


def as_root(tmp):
    """USER's passwd entry; tmp becomes a folder that USER can reach but not write."""
    if os.geteuid() != 0:
        lib.skip("dropping root's privileges needs root")
    may_capture()
    tmp.chmod(0o755)
    return pwd.getpwnam(USER)


def folder_of(user, path):
    path.mkdir()
    os.chown(path, user.pw_uid, user.pw_gid)
    return path


def statuses(process):
    """/proc's status of every thread, as dicts of strings."""
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        yield {key: value.split() for key, value in (line.split(":", 1) for line in lines if ":" in line)}


def expect_nothing_left(process, uid, gid):
    seen = list(statuses(process))
    assert seen
    for status in seen:
        assert status["Uid"] == [str(uid)] * 4 and status["Gid"] == [str(gid)] * 4, status
        assert all(int(status[which][0], 16) == 0 for which in CAPABILITIES), status
        assert status["NoNewPrivs"] == ["1"], status
        assert "0" not in status["Groups"] or gid == 0, status


def expect_recorded(database, count=1):
    found = lib.dnsmon_lines("lookup", "--db", database, "--json", "rrset", "www.example.com", "A")
    assert [record["count"] for record in found] == [count], found


def test_root_becomes_the_user(tmp):
    """By option and by configuration; what it opened works, what it writes is the user's."""
    user = as_root(tmp)
    home, server = folder_of(user, tmp / "home"), lib.knot(tmp, ZONES)
    config = tmp / "dnsmon.yaml"
    config.write_text(f"user: {USER}\n")
    for times, words in enumerate((["--user", USER], ["--config", config]), 1):
        process = capture(home, "db", "-i", "lo", "--port", server.port, "--threads", 3, "--dnstap", f"unix:{home}/tap", *words)
        expect_nothing_left(process, user.pw_uid, user.pw_gid)
        assert f"as user {USER}" in process.output(), process.output()
        assert (home / "tap").stat().st_uid == user.pw_uid
        time.sleep(0.5)
        lib.dig(server.port, "www.example.com", "A")
        time.sleep(0.8)
        finish(process, words[0])
        expect_recorded(home / "db", times)
        assert not (home / "tap").exists(), "the socket's file is the user's to remove"
        owners = {path.stat().st_uid for path in [home / "db", *(home / "db").iterdir()]}
        assert owners == {user.pw_uid}, owners


def test_socket_in_a_folder_of_root(tmp):
    """Its file outlives the process, who may not remove it; the next one takes its place."""
    user = as_root(tmp)
    home = folder_of(user, tmp / "home")
    for _ in range(2):
        process = capture(home, "db", "--dnstap", f"unix:{tmp}/tap", "--user", USER)
        assert (tmp / "tap").stat().st_uid == user.pw_uid
        finish(process, "dnstap")
        assert (tmp / "tap").exists()


def test_root_says_so(tmp):
    """Root stays root by name only, and then without capabilities."""
    as_root(tmp)
    process = capture(tmp, "db", "-i", "lo", "--user", "root")
    expect_nothing_left(process, 0, 0)
    assert "as user root" in process.output(), process.output()
    finish(process, "root")


def with_users(tmp, passwd, group=""):
    """Command words under which the system has these users and groups besides its own, but no other dnsmon."""
    script = "set -e\n"
    for name, lines in (("passwd", passwd), ("group", group)):
        own = [line for line in Path("/etc", name).read_text().splitlines(True) if not line.startswith("dnsmon:")]
        (tmp / name).write_text("".join(own) + lines)
        (tmp / name).chmod(0o644)
        script += f"mount --bind {tmp}/{name} /etc/{name}\n"
    words = [lib.program("unshare"), "-m", "sh", "-c", script + 'exec "$@"', "sh"]
    if lib.run(*words, "true", check=False).returncode != 0:
        lib.skip("mounting is not permitted")
    return words


def test_never_silently_root(tmp):
    """Without --user and without a user dnsmon it does nothing."""
    as_root(tmp)
    done = lib.run(*with_users(tmp, ""), lib.dnsmon_path(), "capture", "-i", "lo", "--db", tmp / "db", check=False)
    assert done.returncode == 2 and "--user" in done.stderr and "useradd" in done.stderr, (done.returncode, done.stderr)
    assert not (tmp / "db").exists()


def test_user_dnsmon_is_the_default(tmp):
    """With the groups that the user is in, and no others."""
    as_root(tmp)
    (tmp / "home").mkdir()
    os.chown(tmp / "home", 64123, 64124)
    users = with_users(tmp, "dnsmon:x:64123:64124::/:/bin/false\n", "dnsmon:x:64124:\nresolver:x:64125:dnsmon\n")
    process = capture(tmp / "home", "db", "-i", "lo", wrapper=users)
    expect_nothing_left(process, 64123, 64124)
    assert all(status["Groups"] == ["64124", "64125"] for status in statuses(process))
    finish(process, "dnsmon")


def refused(*words, status):
    """What it says then."""
    done = lib.dnsmon("capture", "-i", "lo", *words, check=False)
    assert done.returncode == status and not done.stdout, (done.returncode, done.stdout, done.stderr)
    return done.stderr


def test_mistakes_say_what_to_do(tmp):
    user = as_root(tmp)
    assert "no-such-user" in refused("--db", tmp / "db", "--user", "no-such-user", status=2)
    said = refused("--db", tmp / "db", "--user", USER, status=1)
    assert f"install -d -o {USER}" in said and not (tmp / "db").exists(), said
    (tmp / "roots").mkdir()
    assert f"chown -R {USER}: {tmp}/roots" in refused("--db", tmp / "roots", "--user", USER, status=1)
    mixed = folder_of(user, tmp / "mixed")
    (mixed / "MANIFEST").touch()
    said = refused("--db", mixed, "--user", USER, status=1)
    assert f"{mixed}/MANIFEST" in said and f"chown -R {USER}: {mixed}" in said, said


def test_capabilities_alone(tmp):
    """Somebody with CAP_NET_RAW, as the service has it, keeps their name and loses the capability."""
    user = as_root(tmp)
    if lib.run(lib.program("setpriv"), f"--reuid={USER}", "test", "-x", lib.dnsmon_path(), check=False).returncode != 0:
        lib.skip(f"user {USER} cannot reach the program")
    home = folder_of(user, tmp / "home")
    become = ["setpriv", f"--reuid={USER}", f"--regid={user.pw_gid}", "--clear-groups", "--inh-caps=+net_raw",
              "--ambient-caps=+net_raw"]
    for words in ([], ["--user", USER]):
        process = capture(home, "db", "-i", "lo", *words, wrapper=become)
        expect_nothing_left(process, user.pw_uid, user.pw_gid)
        assert "started as root" not in process.output(), process.output()
        finish(process, "net_raw")
    done = lib.run(*become, lib.dnsmon_path(), "capture", "-i", "lo", "--db", home / "db", "--user", "root", check=False)
    assert done.returncode == 2 and "only root" in done.stderr, done.stderr
