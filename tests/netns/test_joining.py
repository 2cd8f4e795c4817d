"""Who gets into a cluster through the real port of a real node, and what strangers can do to it."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import time

import nodes
import pytest
from places import Place, Program, Refused, assert_all_right


def test_a_good_token_lets_a_node_in(place: Place) -> None:
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=20, seconds=0, far=True)
        results = program.ask("results")
    assert_all_right(results, 20)
    assert results["where"] == {node.session: 20}


def test_wrong_and_missing_tokens_and_fingerprints(place: Place) -> None:
    head = place.start()
    address, token, fingerprint = head.join_string.split("#")
    other_token = ("A" if token[0] != "A" else "B") + token[1:]
    other_print = ("0" if fingerprint[0] != "0" else "1") + fingerprint[1:]
    spot = place.spot()
    for join, complaint in (
        (f"{address}#{other_token}#{fingerprint}", "wrong token"),
        (f"{address}#{token}#{other_print}", "wrong fingerprint"),
        (f"{address}##{fingerprint}", "0 that are no token"),
        (f"{address}#{token}", "#FINGERPRINT is missing"),
        (f"{address}#{token}#insecure", "--insecure"),
        (address, "#TOKEN#FINGERPRINT is missing"),
    ):
        with pytest.raises(Refused, match=complaint) as refused:
            place.start(spot=spot, join=join)
        said = str(refused.value) + head.log() + head.log("gateway")
        assert token not in said and other_token not in said
    place.start(spot=spot, join=head.join_string)
    assert list(head.others().values()) == [True]


def test_a_join_string_may_have_an_end(place: Place) -> None:
    head = place.start("--join-life", "4")
    node = place.start(join=head.join_string)
    time.sleep(4)
    with pytest.raises(Refused, match="expired token"):
        place.start(join=head.join_string)
    # Who is in stays in.
    nodes.wait_until(lambda: place.knows(head, node), "the head knows the node")
    assert head.others() == {node.node_id: True}


# What each connection says, and whether it waits for the answer.
SCANNERS = """
import random, socket, sys, time
host, port, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random = random.Random(seed)
probes = [b"GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n", b"SSH-2.0-OpenSSH_9.2\\r\\n", b"\\x16\\x03\\x01\\x02\\x00\\x01\\x00", b"\\0" * 5000, b""]
probes += [random.randbytes(random.randrange(1, 5000)) for _ in range(60)]
for probe in probes:
    with socket.create_connection((host, port)) as stranger:
        try:
            stranger.sendall(probe)
            stranger.shutdown(socket.SHUT_WR)
            stranger.settimeout(30)
            while stranger.recv(4096):
                pass
        except OSError:
            pass  # it is closed already
print("done", flush=True)
"""

# More connections than the port keeps, each of which says a byte now and then, until standard input ends.
SLOW = """
import select, socket, sys, time
host, port = sys.argv[1], int(sys.argv[2])
def fresh():
    return socket.create_connection((host, port))
strangers = [fresh() for _ in range(160)]
print("ready", flush=True)
closed = 0
while not select.select([sys.stdin], [], [], 0.2)[0]:
    for number, stranger in enumerate(strangers):
        try:
            stranger.sendall(b"\\x16")
        except OSError:
            closed += 1
            strangers[number] = fresh()
print(closed, flush=True)
"""


def strangers(place: Place, code: str, *words: str) -> subprocess.Popen[str]:
    command = place.spot().command(sys.executable, "-c", code, *words)
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_strangers_cost_nobody_anything(place: Place) -> None:
    head, node = place.pair()
    with Program(head) as program:
        program.ask("submit", count=20, seconds=0, far=True)
        assert_all_right(program.ask("results"), 20)
        head.note_descriptors()
        node.note_descriptors()
        seed = random.randrange(1 << 30)
        print(f"seed {seed}")
        for victim in (head, node):
            host, port = victim.address.split(":")
            with strangers(place, SCANNERS, host, port, str(seed)) as scanner:
                program.ask("submit", count=200, seconds=0.001, far=True)
                assert_all_right(program.ask("results"), 200)
                assert scanner.stdout is not None and scanner.stdout.readline() == "done\n"
        head.assert_no_descriptor_leaked()
        node.assert_no_descriptor_leaked()
    # One line a minute about an address, not one for each connection.
    assert head.log("gateway").count("node port: refused") <= 4, head.log("gateway")


def test_who_is_slow_keeps_nobody_out(place: Place) -> None:
    head, node = place.pair()
    head.note_descriptors()
    host, port = head.address.split(":")
    with strangers(place, SLOW, host, port) as slow:
        assert slow.stdout is not None and slow.stdin is not None
        assert slow.stdout.readline() == "ready\n"
        with Program(head) as program:
            program.ask("submit", count=200, seconds=0.001, far=True)
            assert_all_right(program.ask("results"), 200)
        another = place.start(join=head.join_string)
        nodes.wait_until(lambda: place.knows(head, another), "a node joins beside them")
        place.note_processes()
        subprocess.run([sys.executable, "-m", "sabir", "stop", "--address", another.session], check=True)
        slow.stdin.close()
        assert int(slow.stdout.readline()) > 0, "who says nothing that makes sense is closed"
    nodes.wait_until(lambda: head.others() == {node.node_id: True, another.node_id: False}, "it has left")
    head.assert_no_descriptor_leaked()


def test_who_connects_in_plain_text_hears_what_is_wrong(place: Place) -> None:
    """A node without TLS, and a head with it: told so, on both sides of the mistake."""
    head = place.start()
    address, token, _ = head.join_string.split("#")
    with pytest.raises(Refused, match=r"needs TLS|with TLS"):
        place.start("--insecure", join=f"{address}#{token}#insecure")
    plain = place.start("--insecure")
    with pytest.raises(Refused, match="without TLS"):
        place.start(join=plain.join_string.replace("#insecure", head.join_string[head.join_string.rindex("#") :]))
    host, port = head.address.split(":")
    if place.network is None:
        with socket.create_connection((host, int(port))) as stranger:
            stranger.sendall(b"hello\n")
            assert b"sabir" not in stranger.recv(100).lower()
