"""dnsmon capture in the background: started, waited for, ended."""
import os
import signal
import socket

import lib


def may_capture():
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
    except (OSError, AttributeError) as why:
        lib.skip(f"capturing is not permitted: {why}")


def as_whom(words, wrapper):
    """Tests' folders are root's when root runs them, and so are the databases in them."""
    return ["--user", "root"] if os.geteuid() == 0 and not wrapper and "--user" not in words and "--config" not in words else []


def capture(tmp, name, *words, wrapper=()):
    """Returns when it listens; the database is tmp/name."""
    log = tmp / f"{name}.log"
    log.unlink(missing_ok=True)  # what an earlier run said
    process = lib.start(*wrapper, lib.dnsmon_path(), "capture", "--db", tmp / name, *as_whom(words, wrapper), *words,
                        log=log)

    def listens():
        process.expect_alive()
        return "listening" in process.output()
    lib.wait_until(listens, 10, f"{name} to listen")
    return process


def finish(process, what):
    process.send_signal(signal.SIGTERM)
    status = process.wait(30)
    assert status == 0, f"{what}: exit {status}\n{process.output()[-3000:]}"
