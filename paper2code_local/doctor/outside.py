"""What a run may talk to: GROBID, and nothing that is not on this machine or named by the user."""

from __future__ import annotations

import asyncio
import shlex
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from paper2code_local import offline
from paper2code_local.doctor.check import Check, Subject, failed, fine, warned
from paper2code_local.errors import GrobidError
from paper2code_local.stages.s1_parse.grobid import alive
from paper2code_local.stages.s1_parse.grobid_answers import IMAGE, advice

NOWHERE = ("192.0.2.1", "198.51.100.1")
"""Reserved for documentation (RFC 5737): no machine has these addresses."""
SECONDS = 8.0
"""A GROBID on a busy machine may take so long; one that is not there refuses at once."""
CONTAINERS = {"docker": ("docker", "version"), "podman": ("podman", "info"), "apptainer": ("apptainer", "--version")}
"""What scripts/start-grobid can use, and how one asks it whether it works."""


def grobid(subject: Subject) -> Iterator[Check]:
    """Ask GROBID for its version. Without it the embedded parser reads PDFs."""
    try:
        version = asyncio.run(alive(subject.grobid, seconds=SECONDS))
    except GrobidError as error:
        yield warned("grobid", error.message, error.hint)
        return
    if version is None:
        found = f"none answers at {subject.grobid}: PDFs are read by the embedded parser, which finds less"
        yield warned("grobid", found, f"{_start(subject)}; until then PDFs are read without it")
    elif better := advice(version, subject.grobid):
        yield warned("grobid", better, f"stop this one, then {_start(subject)}")
    else:
        yield fine("grobid", f"{version} at {subject.grobid}")


def _start(subject: Subject) -> str:
    """Say how GROBID is started where it should answer."""
    parts = urlsplit(subject.grobid)
    if parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        return f"start one on {parts.hostname}, or name another with --grobid URL"
    script = subject.checkout / "scripts" / "start-grobid"
    start = shlex.join([str(script), *(["--port", str(parts.port)] if parts.port not in (None, 8070) else [])])
    if not subject.is_checkout:
        start = f"docker run --detach --rm --init --publish 127.0.0.1:{parts.port or 8070}:8070 {IMAGE}"
    here = [name for name in CONTAINERS if subject.which(name)]
    if any(subject.run(*CONTAINERS[name], seconds=2)[0] == 0 for name in here):
        return start
    trouble = f"start the daemon of {here[0]}" if here else "install docker, podman or apptainer"
    return f"{trouble}, then {start}"


def network(subject: Subject) -> Iterator[Check]:
    """Check that the guard refuses what leaves this machine.

    A datagram socket is given an address of nobody: that sends nothing, even where it is not refused.
    """
    named = offline.host_of(subject.grobid)
    address = next(each for each in NOWHERE if each not in named)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((address, 9))
        except offline.OfflineError:
            hosts = " and ".join(("this machine", *(host for host in named if not _is_loopback(host))))
            found = f"only {hosts} can be reached: {address} was refused; the engine gets HF_HUB_OFFLINE=1"
            yield fine("network", found)
            return
        except OSError:
            pass
    yield failed("network", f"{address} is not refused: a library could connect to it", "report it: this is a bug")


def _is_loopback(host: str) -> bool:
    return host in ("127.0.0.1", "localhost", "::1")


def proxy(subject: Subject) -> Iterator[Check]:
    """Check that a proxy of the environment does not take what is meant for this machine."""
    environ = subject.environ
    proxies = {}
    for name in ("http", "https", "all", "no"):
        value = environ.get(f"{name}_proxy") or environ.get(f"{name.upper()}_PROXY")
        if value:
            proxies[name] = value
    bypass = proxies.pop("no", "")
    if not proxies:
        yield fine("proxy", "none in the environment")
        return
    said = ", ".join(f"{name}_proxy is {urlsplit(value).hostname or 'set'}" for name, value in proxies.items())
    local = ("127.0.0.1", "localhost")
    taken = [host for host in local if not {host, "*"} & {each.strip() for each in bypass.split(",")}]
    if not taken:
        yield fine("proxy", f"{said}, but not for this machine")
        return
    hosts = ",".join((*((bypass,) if bypass else ()), *taken))
    found = f"{said}, for {' and '.join(taken)} too: GROBID is reached without it, an engine's own server may not be"
    yield warned("proxy", found, f"export no_proxy={shlex.quote(hosts)} NO_PROXY={shlex.quote(hosts)}")
