"""Policy zones and who enforces them: our server (tests/e2e/rpzd.c), and real resolvers set up by the very snippets of
packaging/resolvers, with nothing replaced but addresses, ports, paths and times that a test cannot wait for."""
import re
import socket
import subprocess
import threading
import time
from pathlib import Path

import lib

ZONE = "rpz.dnsmon."
SECRET = "ZG5zbW9uLWV4YW1wbGUtc2VjcmV0LWNoYW5nZS1pdC4uLg=="
KEY = f"dnsmon hmac-sha256 {SECRET}"
ADDRESS = {"good.example.": "192.0.2.80"}
NAMES = {"example.": """bad A 192.0.2.66
www.bad A 192.0.2.66
deep.www.bad A 192.0.2.66
other.bad A 192.0.2.66
shop.bad A 192.0.2.66
x.shop.bad A 192.0.2.66
a.b.bad A 192.0.2.66
c.b.bad A 192.0.2.66
neighbour A 192.0.2.1
host A 192.0.2.66
www.host A 192.0.2.2
alias CNAME bad
next A 192.0.2.66
second A 192.0.2.66
infra A 203.0.113.9
walled A 192.0.2.99
* A 192.0.2.3"""}


class Rpzd(lib.Process):
    """Our server, and lines to it."""

    def __init__(self, tmp, *options, port=None, zone=ZONE, allow=("127.0.0.0/8",), notify=(), key=KEY, listen="127.0.0.1"):
        self.port = port or lib.free_port()
        args = [lib.built("tests/rpzd"), *options, "--key", key, "--zone", zone]
        for entry in allow:
            args += ["--allow", entry]
        args += ["--listen", f"{listen}:{self.port}"]
        for entry in notify:
            args += ["--notify", entry]
        self.args = [str(arg) for arg in args]
        self.log = Path(tmp) / f"rpzd-{time.monotonic_ns()}.log"
        with open(self.log, "ab") as out:
            self.child = subprocess.Popen(self.args, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT)
        lib._running.append(self)

    def stop(self, *args, **keywords):
        """Its input ends, and so does it, in good order; what sanitizers say of it is a failure."""
        if self.alive():
            self.child.stdin.close()
            try:
                self.child.wait(5 * lib.SLOWER)
            except subprocess.TimeoutExpired:
                pass
        status = super().stop(*args, **keywords)
        assert status == 0 and "Sanitizer" not in self.output() and "runtime error" not in self.output(), self.output()[-4000:]
        return status

    def tell(self, *lines):
        """Lines, each of which must be taken. Returns how many were refused."""
        before = self.count()
        self.child.stdin.write("".join(line + "\n" for line in lines).encode())
        self.child.stdin.flush()
        lib.wait_until(lambda: self.expect_alive() or self.count() >= before + len(lines), 60, f"rpzd to do {lines[:3]}")

    def count(self):
        return len(re.findall(r"^(?:ok|error) ", self.output(), re.M))

    def version(self, serial, *changes):
        self.tell(f"begin {serial}", *changes, "commit")
        assert not re.search(r"^error ", self.output(), re.M), self.output()

    def receipts(self, kind, outcome=None):
        """(address, outcome, serial, had, records) of those of a kind."""
        found = re.findall(rf"^receipt (\S+) {kind} (\w+(?: tcp)?) serial (\d+) had (-?\d+) records (\d+)", self.output(), re.M)
        return [(a, o, int(s), int(h), int(n)) for a, o, s, h, n in found if outcome in (None, o)]

    def said_lines(self):
        return re.findall(r"^say (.*)$", self.output(), re.M)


def snippet(name, *changes):
    """A ready configuration; each change must find what it replaces."""
    text = (lib.SOURCE / "packaging/resolvers" / name).read_text()
    for old, new in changes:
        assert old in text, f"{name}: no {old!r}"
        text = text.replace(old, new)
    return text


# ---- resolvers; `primary` is the port of our server, `authority` that of the names ----

def bind(tmp, primary, authority, port=None, folder=None, changes=(), extra=""):
    port = port or lib.free_port()
    folder = Path(folder or Path(tmp) / f"bind-{port}")
    folder.mkdir(exist_ok=True)
    here = f"""options {{
    directory "{folder}"; pid-file "{folder}/pid"; session-keyfile "{folder}/key"; lock-file none;
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; allow-query {{ 127.0.0.0/8; }};
    dnssec-validation no; empty-zones-enable no; recursion yes; forward only;
    forwarders {{ 127.0.0.1 port {authority}; }};"""
    text = snippet("named.conf", ("options {", here), ("192.0.2.53 port 53", f"127.0.0.1 port {primary}"),
                   ("min-refresh-time 60", "min-refresh-time 1"), ("min-retry-time 5", "min-retry-time 1"), *changes)
    config = folder / "named.conf"
    config.write_text(text + "controls { };\n" + extra)
    return lib.Server(lib.start(lib.program("named"), "-g", "-n", "1", "-c", config, log=folder / "log"), port, folder)


def unbound(tmp, primary, authority, port=None, folder=None, changes=(), extra=""):
    port = port or lib.free_port()
    folder = Path(folder or Path(tmp) / f"unbound-{port}")
    folder.mkdir(exist_ok=True)
    here = f"""server:
    directory: "{folder}"
    chroot: ""
    username: ""
    pidfile: "{folder}/pid"
    use-syslog: no
    logfile: ""
    interface: 127.0.0.1@{port}
    port: {port}
    do-ip6: no
    num-threads: 1
    do-not-query-localhost: no
    domain-insecure: "example"
    access-control: 127.0.0.0/8 allow
remote-control:
    control-enable: no
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{authority}
"""
    text = snippet("unbound.conf", ("192.0.2.53@53", f"127.0.0.1@{primary}"), ("192.0.2.53", "127.0.0.1"), *changes)
    config = folder / "unbound.conf"
    config.write_text(here + extra + text)
    return lib.Server(lib.start(lib.program("unbound"), "-d", "-p", "-c", config, log=folder / "log"), port, folder)


def powerdns(tmp, primary, authority, port=None, folder=None, extra=""):
    port = port or lib.free_port()
    folder = Path(folder or Path(tmp) / f"recursor-{port}")
    folder.mkdir(exist_ok=True)
    lua = folder / "recursor.lua"
    lua.write_text(snippet("recursor.lua", ("192.0.2.53:53", f"127.0.0.1:{primary}"), ("refresh = 5", "refresh = 1"),
                           ("/var/lib/pdns-recursor/", f"{folder}/")))
    (folder / "recursor.conf").write_text(snippet("recursor.conf", ("/etc/powerdns/recursor.lua", str(lua)), ("ttl=5", "ttl=1")) + f"""
local-address=127.0.0.1
local-port={port}
socket-dir={folder}
dnssec=off
allow-from=127.0.0.0/8
dont-query=
forward-zones=example=127.0.0.1:{authority}
threads=1
security-poll-suffix=
write-pid=no
disable-syslog=yes
hint-file=no
{extra}""")
    return lib.Server(lib.start(lib.program("pdns_recursor"), f"--config-dir={folder}", "--daemon=no", log=folder / "log"), port, folder)


def kresd(tmp, path, authority, port=None, before=""):
    port = port or lib.free_port()
    folder = Path(tmp) / f"kresd-{port}"
    folder.mkdir(exist_ok=True)
    config = folder / "kresd.conf"
    config.write_text(f"""net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
net.ipv6 = false
trust_anchors.remove('.')
cache.size = 10 * MB
{before}
""" + snippet("kresd.conf", ("/var/lib/dnsmon/rpz.dnsmon.zone", str(path))) + f"""
policy.add(policy.all(policy.FORWARD('127.0.0.1@{authority}')))
""")
    return lib.Server(lib.start(lib.program("kresd"), "-n", "-c", config, folder, log=folder / "log"), port, folder)


# ---- questions ----

def ask(port, *words):
    """(status, answers in short) of a question."""
    text = lib.dig(port, *words)
    status = re.search(r"status: (\w+)", text)
    return status[1] if status else "none", re.findall(r"^\S+\s+\d+\s+IN\s+(?:A|AAAA|CNAME)\s+(\S+)$", text, re.M)


def is_refused(port, name, *words):
    return ask(port, name, "A", *words)[0] == "NXDOMAIN"


def resolves(port, name):
    status, answers = ask(port, name, "A")
    return status == "NOERROR" and bool(answers)


def seconds_until(condition, timeout=30, what="it"):
    begun = time.monotonic()
    lib.wait_until(condition, timeout, what)
    return time.monotonic() - begun


# ---- a network that cuts ----

class Cutter:
    """A proxy for UDP and TCP on one port; the first `cuts` connections end after `bytes` of what the server says."""

    def __init__(self, to, cuts, bytes):
        self.port, self.to, self.cuts, self.bytes, self.made = lib.free_port(), to, cuts, bytes, 0
        self.tcp = socket.create_server(("127.0.0.1", self.port))
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()
        threading.Thread(target=self.datagrams, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.tcp.accept()
            threading.Thread(target=self.pass_on, args=(client,), daemon=True).start()

    def pass_on(self, client):
        with client, socket.create_connection(("127.0.0.1", self.to)) as server:
            try:
                self.copy(client, server)
            finally:  # closing alone would wait for the thread that reads
                for end in (client, server):
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def copy(self, client, server):
        threading.Thread(target=self.forward, args=(client, server), daemon=True).start()
        passed, counted = 0, False
        while data := server.recv(65536):
            passed += len(data)
            if passed > self.bytes and not counted:
                counted, self.made = True, self.made + 1
            if counted and self.made <= self.cuts:
                return
            try:
                client.sendall(data)
            except OSError:
                return

    @staticmethod
    def forward(client, server):
        try:
            while data := client.recv(65536):
                server.sendall(data)
        except OSError:
            pass

    def datagrams(self):
        while True:
            data, peer = self.udp.recvfrom(65536)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.settimeout(2)
                out.sendto(data, ("127.0.0.1", self.to))
                try:
                    self.udp.sendto(out.recv(65536), peer)
                except OSError:
                    pass
