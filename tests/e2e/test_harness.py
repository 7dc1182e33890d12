"""The harness itself: the real servers start, answer, and stop."""
import lib

ZONES = {"example.com.": "www A 192.0.2.1\nalias CNAME www"}


def test_knot_answers(tmp):
    server = lib.knot(tmp, ZONES)
    assert "192.0.2.1" in lib.dig(server.port, "www.example.com", "A", "+short")
    assert server.stop() == 0


def test_bind_answers(tmp):
    server = lib.bind(tmp, ZONES)
    assert "192.0.2.1" in lib.dig(server.port, "www.example.com", "A", "+short")
    server.stop()


def test_unbound_resolves_through_knot(tmp):
    authority = lib.knot(tmp, ZONES)
    resolver = lib.unbound(tmp, stubs={"example.com.": authority.port})
    answer = lib.dig(resolver.port, "alias.example.com", "A", "+short")
    assert "www.example.com." in answer and "192.0.2.1" in answer, answer


def test_bind_forwards_to_unbound(tmp):
    authority = lib.knot(tmp, ZONES)
    resolver = lib.unbound(tmp, stubs={"example.com.": authority.port})
    forwarder = lib.bind(tmp, forward_to=resolver.port)
    assert "192.0.2.1" in lib.dig(forwarder.port, "www.example.com", "A", "+short")


def test_a_stopped_server_is_gone(tmp):
    server = lib.knot(tmp, ZONES)
    server.stop()
    assert not server.process.alive()
