"""What end-to-end tests share: the program, commands with time limits, and real servers.

Servers run unprivileged on free high ports of the loopback, configured by files in the test's
folder, and are stopped when the test ends, however it ends.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("DNSMON_SHARED", SOURCE.parent / "shared"))
SLOWER = float(os.environ.get("DNSMON_E2E_SLOWER", "1"))  # time limits, under sanitizers
LONG = False  # tests/e2e/run --long sets it before the tests are imported


class Skip(Exception):
    """The test cannot run here; the text says why."""


def skip(why):
    raise Skip(why)


def long(function):
    """Marks a test that `run --long` runs as well, at the length that lib.LONG then tells."""
    function.long = True
    return function


# ---- the program and other commands ----

def dnsmon_path():
    named = os.environ.get("DNSMON_BIN")
    for path in [named] if named else [SOURCE / "build/dnsmon"]:
        if os.access(path, os.X_OK):
            return str(Path(path).resolve())
    skip("dnsmon is not built")


def built(name):
    """A program that is built beside dnsmon, by its path in the build folder."""
    path = Path(dnsmon_path()).parent / name
    return path if os.access(path, os.X_OK) else skip(f"{name} is not built")


def program(name):
    """Path of an installed program, the system folders of servers included."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    return path or skip(f"{name} is not installed")


def shared(relative):
    """A file or folder of the shared data, which not every machine has."""
    path = SHARED / relative
    return path if path.exists() else skip(f"no shared data: {relative}")


def run(*args, timeout=60, check=True, input=None, cwd=None, env=None, text=True):
    """Runs a command to its end; returns CompletedProcess with stdout and stderr."""
    args = [str(arg) for arg in args]
    done = subprocess.run(args, capture_output=True, text=text, timeout=timeout * SLOWER, cwd=cwd,
                          env={**os.environ, **env} if env else None,
                          **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}))
    said = done.stderr if text else done.stderr.decode(errors="replace")
    if "Sanitizer" in said or "runtime error:" in said:  # which may exit with the 1 of a clear error
        raise AssertionError(f"{' '.join(args)}: exit {done.returncode}\n{said[:6000]}")
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(args)}: exit {done.returncode}\n"
                             f"stdout: {done.stdout[-2000:]}\nstderr: {done.stderr[-4000:]}")
    return done


def dnsmon(*args, **keywords):
    return run(dnsmon_path(), *args, **keywords)


def dnsmon_lines(*args, **keywords):
    """Its standard output as a list of JSON objects, one a line."""
    return [json.loads(line) for line in dnsmon(*args, **keywords).stdout.splitlines() if line.strip()]


def wait_until(condition, timeout=10, what="condition"):
    """Polls until `condition()` is true and returns its value."""
    end = time.monotonic() + timeout * SLOWER
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"timed out waiting for {what}")
        time.sleep(0.05)


# ---- processes that live for a test ----

_running = []


class Process:
    """A background process, its output in `log`."""

    def __init__(self, args, log, cwd=None, env=None):
        self.args = [str(arg) for arg in args]
        self.log = Path(log)
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(self.args, stdin=subprocess.DEVNULL, stdout=out,
                                          stderr=subprocess.STDOUT, cwd=cwd,
                                          env={**os.environ, **env} if env else None)
        _running.append(self)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def output(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def send_signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def wait(self, timeout=30):
        return self.child.wait(timeout * SLOWER)

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Asks it to end, insists after `timeout`; returns its exit status."""
        self.send_signal(number)
        try:
            status = self.child.wait(timeout * SLOWER)
        except subprocess.TimeoutExpired:
            self.child.kill()
            status = self.child.wait()
        if self in _running:
            _running.remove(self)
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def expect_alive(self):
        assert self.alive(), f"{self.args[0]} ended with {self.child.returncode}:\n{self.output()[-4000:]}"


def start(*args, log, **keywords):
    return Process(args, log, **keywords)


def stop_all():
    for process in list(reversed(_running)):
        process.stop(timeout=5)


# ---- ports ----

def free_port():
    """A loopback port that is free for UDP and TCP at this moment."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = tcp.getsockname()[1]
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for_dns(process, port, timeout=15):
    """Until the server answers a query of whatever kind with whatever result."""
    query = b"\x13\x37\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"

    def answers():
        process.expect_alive()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.3)
            try:
                udp.sendto(query, ("127.0.0.1", port))
                return udp.recv(4096)[:2] == query[:2]
            except OSError:
                return False
    try:
        wait_until(answers, timeout, f"an answer at port {port}")
    except AssertionError as failure:
        raise AssertionError(f"{failure}\n{process.output()[-4000:]}") from None


def wait_for_path(path, timeout=10):
    wait_until(lambda: Path(path).exists(), timeout, str(path))


# ---- servers ----

class Server:
    """A running name server: .port, .process, .stop()."""

    def __init__(self, process, port, folder):
        self.process, self.port, self.folder = process, port, folder
        wait_for_dns(process, port)

    def stop(self):
        return self.process.stop()


def dig(port, *words, timeout=15):
    """Asks a server on the loopback with kdig; returns its output."""
    return run(program("kdig"), "@127.0.0.1", "-p", port, "+timeout=2", "+retry=2", *words, timeout=timeout).stdout


ZONE_HEAD = """$ORIGIN {name}
$TTL 300
@ SOA ns.{name} host.{name} 1 3600 600 86400 60
@ NS ns.{name}
ns A 127.0.0.1
"""


def write_zones(folder, zones):
    """zones: {"example.com.": "www A 192.0.2.1\\n..."}; heads (SOA, NS) are added. Returns paths."""
    paths = {}
    for name, body in zones.items():
        path = Path(folder) / ((name.rstrip(".") or "root") + ".zone")
        path.write_text(ZONE_HEAD.format(name=name) + body + "\n")
        paths[name] = path
    return paths


def knot(tmp, zones, port=None, extra=""):
    """Knot DNS as authoritative server. `extra`: further configuration text (modules, templates)."""
    folder = Path(tmp) / f"knot-{len(_running)}"
    folder.mkdir()
    port = port or free_port()
    lines = [f"""server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{folder}"
log:
  - target: stderr
    any: info
{extra}
zone:"""]
    for name, path in write_zones(folder, zones).items():
        lines.append(f'  - domain: "{name}"\n    file: "{path}"\n    zonefile-sync: -1\n    journal-content: none')
    config = folder / "knot.conf"
    config.write_text("\n".join(lines) + "\n")
    return Server(start(program("knotd"), "-c", config, log=folder / "log"), port, folder)


def unbound(tmp, forward_to=None, stubs=None, port=None, extra=""):
    """Unbound as resolver. `forward_to`: a port that gets everything; `stubs`: {zone: port}.
    `extra`: further configuration text (dnstap:, server: lines under their own head)."""
    folder = Path(tmp) / f"unbound-{len(_running)}"
    folder.mkdir()
    port = port or free_port()
    text = f"""server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/pid"
    use-syslog: no
    logfile: ""
    verbosity: 1
    interface: 127.0.0.1@{port}
    port: {port}
    do-ip6: no
    num-threads: 1
    do-not-query-localhost: no
    module-config: "iterator"
    access-control: 127.0.0.0/8 allow
    local-zone: "test." nodefault
remote-control:
    control-enable: no
"""
    if forward_to:
        text += f'forward-zone:\n    name: "."\n    forward-addr: 127.0.0.1@{forward_to}\n'
    for zone, at in (stubs or {}).items():
        text += f'stub-zone:\n    name: "{zone}"\n    stub-addr: 127.0.0.1@{at}\n'
    config = folder / "unbound.conf"
    config.write_text(text + extra)
    return Server(start(program("unbound"), "-d", "-p", "-c", config, log=folder / "log"), port, folder)


def bind(tmp, zones=None, forward_to=None, port=None, options="", extra=""):
    """BIND as authoritative server (zones) or forwarding resolver (forward_to).
    `options`: lines inside options { }; `extra`: further statements."""
    folder = Path(tmp) / f"bind-{len(_running)}"
    folder.mkdir()
    port = port or free_port()
    forward = (f"recursion yes; forward only; forwarders {{ 127.0.0.1 port {forward_to}; }};"
               if forward_to else "recursion no;")
    text = f"""options {{
    directory "{folder}";
    pid-file "{folder}/pid";
    session-keyfile "{folder}/key";
    lock-file none;
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    allow-query {{ 127.0.0.0/8; }};
    dnssec-validation no;
    {forward}
    {options}
}};
controls {{ }};
{extra}
"""
    for name, path in write_zones(folder, zones or {}).items():
        text += f'zone "{name}" {{ type primary; file "{path}"; }};\n'
    config = folder / "named.conf"
    config.write_text(text)
    return Server(start(program("named"), "-g", "-n", "1", "-c", config, log=folder / "log"), port, folder)
