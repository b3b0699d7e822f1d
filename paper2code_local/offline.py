"""The network guard: from `guard()` on, this process reaches loopback and the hosts that the user named, nothing else.

An audit hook sees every name look-up and connection that goes through Python, whichever library makes it, and it cannot
be removed again. Engine processes are kept offline by their environment (engine/vllm.py).
"""

from __future__ import annotations

import ipaddress
import socket
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"localhost", "ip6-localhost", ""})
LOOK_UPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
"""Audit events whose first argument is a host."""
CONNECTIONS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getnameinfo"})
"""Audit events whose last argument is an address; a tuple for the internet."""


class OfflineError(PermissionError):
    """Something tried to leave the machine: a bug of ours or of a library."""


_allowed: set[str] = set()


def guard(*hosts: str) -> None:
    """Refuse every connection but to loopback, Unix sockets and `hosts`."""
    if not _allowed:
        _allowed.add("localhost")
        sys.addaudithook(_hook)
    _allowed.update(host.lower() for host in hosts)


def host_of(url: str) -> tuple[str, ...]:
    """Return the host of a URL that the user named, for `guard`; nothing when there is none to be read."""
    with suppress(ValueError):
        return (urlsplit(url).hostname or "localhost",)
    return ()


def permitted(host: object) -> bool:
    """Tell whether `host` (a name or an address) may be reached."""
    if host is None:
        return True
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    name = name.lower().split("%", 1)[0]
    if name in LOOPBACK_NAMES or name in _allowed:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event in LOOK_UPS:
        host = arguments[0]
        refused = not permitted(host)
    elif event in CONNECTIONS and isinstance(arguments[-1], tuple):
        host = arguments[-1][0]
        refused = not permitted(host) and not _is_named(str(host))
    else:
        return
    if refused:
        raise OfflineError(f"{host!r} is not on this machine, and nothing may leave it")


def _is_named(address: str) -> bool:
    """Tell whether a host that the user named has this address: libraries connect to what a look-up gave them."""
    for host in _allowed:
        try:
            found = socket.getaddrinfo(host, None)
        except OSError:
            continue
        if address in {entry[4][0] for entry in found}:
            return True
    return False
