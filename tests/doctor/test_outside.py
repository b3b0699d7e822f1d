"""GROBID that answers or not, proxies, and a guard that holds."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from paper2code_local.doctor.outside import grobid, proxy
from tests.doctor.machines import Machine
from tests.grobid_stand_in import StandIn


def test_grobid_is_told_with_its_version(machine: Machine) -> None:
    with StandIn() as server:
        (check,) = grobid(machine.subject(grobid=server.url))
    assert (check.status, server.url in check.found) == ("ok", True)


@pytest.mark.parametrize(
    ("version", "status"), [(b"0.9.1", "ok"), (b"0.8.2", "warn"), (b"0.8.1", "warn"), (b"1.0", "ok")]
)
def test_an_old_grobid_is_a_warning(machine: Machine, version: bytes, status: str) -> None:
    with StandIn(version=version) as server:
        assert next(grobid(machine.subject(grobid=server.url))).status == status


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(("daemon", "fix"), [(0, "/scripts/start-grobid --port"), (1, "start the daemon of docker")])
def test_where_grobid_is_missing_what_starts_it_depends_on_what_works(machine: Machine, daemon: int, fix: str) -> None:
    (machine.folder / "checkout" / "scripts").mkdir(parents=True)
    (machine.folder / "checkout" / "scripts" / "setup").touch()
    subject = machine.subject(grobid=f"http://127.0.0.1:{closed_port()}")
    assert "install docker" in next(grobid(subject)).fix
    machine.says("docker", "", daemon)
    (check,) = grobid(subject)
    assert (check.status, "none answers" in check.found, fix in check.fix) == ("warn", True, True)


def test_what_is_no_address_is_told(machine: Machine) -> None:
    (check,) = grobid(machine.subject(grobid="127.0.0.1:8070"))
    assert (check.status, "http://HOST:PORT" in check.fix) == ("warn", True)


@pytest.mark.parametrize(
    ("environ", "status"),
    [
        ({}, "ok"),
        ({"no_proxy": "localhost"}, "ok"),
        ({"http_proxy": "http://proxy:3128"}, "warn"),
        ({"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "example.org"}, "warn"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "127.0.0.1, localhost"}, "ok"),
        ({"http_proxy": "http://proxy:3128", "no_proxy": "*"}, "ok"),
        ({"all_proxy": "socks5://proxy", "no_proxy": "localhost", "NO_PROXY": "127.0.0.1,localhost"}, "warn"),
    ],
)
def test_a_proxy_must_not_take_this_machine(machine: Machine, environ: dict[str, str], status: str) -> None:
    machine.environ = environ
    (check,) = proxy(machine.subject())
    assert check.status == status
    if check.fix:
        mended = dict(word.split("=", 1) for word in check.fix.split()[1:])
        machine.environ = environ | mended
        assert next(proxy(machine.subject())).status == "ok", "the fix works"


def test_passwords_of_proxies_are_not_told(machine: Machine) -> None:
    machine.environ = {"http_proxy": "http://me:secret@proxy:3128"}
    (check,) = proxy(machine.subject())
    assert ("proxy" in check.found, "secret" in check.found + check.fix) == (True, False)


@pytest.mark.parametrize(("before", "status"), [("", "fail"), ("guard()", "ok")])
def test_the_guard_is_tried(before: str, status: str) -> None:
    """In a process of its own: the guard cannot be taken away again."""
    script = (
        f"from paper2code_local.doctor.check import Subject\nfrom paper2code_local.doctor.outside import network\n"
        f"from paper2code_local.offline import guard\n{before}\n"
        f"print(next(network(Subject({{}}, 'http://127.0.0.1:8070'))).status)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == status
