"""From `guard` on nothing leaves the machine. In processes of their own: the guard cannot be taken away again."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from paper2code_local.offline import permitted

ELSEWHERE = "192.0.2.7"
"""An address for documentation (RFC 5737): nobody answers there, were the guard to fail."""


def guarded(code: str, *hosts: str) -> str:
    """Run `code` under the guard and return the name of what it raised, "" when nothing."""
    script = (
        f"import socket\nfrom paper2code_local.offline import guard\nguard(*{hosts!r})\n"
        f"try:\n    {code}\nexcept Exception as error: print(type(error).__name__, end='')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost", "LOCALHOST", "", None, b"localhost"])
def test_this_machine_is_permitted(host: object) -> None:
    assert permitted(host)


@pytest.mark.parametrize(
    "host", [ELSEWHERE, "10.0.0.1", "fe80::1%eth0", "2001:db8::1", "example.org", "127.0.0.1.example.org", 7]
)
def test_anything_else_is_not(host: object) -> None:
    assert not permitted(host)


TCP, UDP = "socket.socket()", "socket.socket(type=socket.SOCK_DGRAM)"


@pytest.mark.parametrize(
    "code",
    [
        f"{TCP}.connect(({ELSEWHERE!r}, 80))",
        f"{TCP}.connect_ex(({ELSEWHERE!r}, 80))",
        f"{UDP}.sendto(b'x', ({ELSEWHERE!r}, 53))",
        f"{UDP}.sendmsg([b'x'], [], 0, ({ELSEWHERE!r}, 53))",
        "socket.getaddrinfo('example.org', 80)",
        "socket.gethostbyname('example.org')",
        f"socket.gethostbyaddr({ELSEWHERE!r})",
        f"socket.getnameinfo(({ELSEWHERE!r}, 80), 0)",
        f"import urllib.request; urllib.request.urlopen('http://{ELSEWHERE}/')",
    ],
)
def test_every_way_out_is_closed(code: str) -> None:
    assert guarded(code) in ("OfflineError", "URLError")


def test_loopback_and_unix_sockets_go_on() -> None:
    server = "s = socket.create_server(('127.0.0.1', 0)); socket.create_connection(('localhost', s.getsockname()[1]))"
    assert guarded(server) == ""
    assert guarded("a, b = socket.socketpair(); a.send(b'x')") == ""


def test_a_host_that_the_user_named_is_reached_by_name_and_by_what_the_name_stands_for() -> None:
    name = socket.gethostname()
    look_up = "import socket; print(socket.gethostbyname(socket.gethostname()))"  # the guard may hold in this process
    address = subprocess.check_output([sys.executable, "-c", look_up], text=True).strip()
    with socket.socket() as probe:
        probe.bind((address, 0))  # bound and not listening: a connection is refused at once
        port = probe.getsockname()[1]
        assert guarded(f"socket.create_connection(({name!r}, {port}), 5)", name) == "ConnectionRefusedError"
    if not permitted(address):
        assert guarded(f"socket.create_connection(({name!r}, {port}), 5)") == "OfflineError"
