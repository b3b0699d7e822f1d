"""Code that means harm gets nowhere: it is bounded, it is reported, and nothing of it runs on."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from paper2code_local.artifacts.smoke import SmokePolicy
from paper2code_local.smoke import find_sandbox, smoke
from tests.smoke.attacks import ATTACKS

TIGHT = SmokePolicy(
    seconds=3, cpu_seconds=60, memory=256 << 20, processes=24, file_size=8 << 20, disk=16 << 20, open_files=64
)


@pytest.fixture
def listeners(tmp_path: Path) -> Iterator[list[socket.socket]]:
    """Listen at a port, a path and an abstract name of this machine."""
    places = [
        (socket.AF_INET, ("127.0.0.1", 0)),
        *((socket.AF_UNIX, mark + str(tmp_path / "s")) for mark in ("", "\0")),
    ]
    opened = [socket.socket(family) for family, _ in places]
    for listener, (_, place) in zip(opened, places, strict=True):
        listener.bind(place)
        listener.listen()
        listener.setblocking(False)
    yield opened
    for listener in opened:
        listener.close()


@pytest.mark.sandbox
@pytest.mark.thorough
def test_every_attack_gets_nowhere_and_is_reported(
    tmp_path: Path, listeners: list[socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("P2C_SECRET", "hidden")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    places = {
        "FREE": str(tmp_path / "free"),
        "PORT": str(listeners[0].getsockname()[1]),
        "PATH": str(tmp_path / "s"),
        "HOST_HOME": str(Path.home()),
    }
    report = smoke(
        {f"{name}.py": filled(attack.text, places) for name, attack in ATTACKS.items()}, find_sandbox(), TIGHT
    )

    found = {finding.path: finding for finding in report.findings}
    said = {name: found[f"{name}.py"].message if f"{name}.py" in found else "" for name in ATTACKS}
    codes = {name: found[f"{name}.py"].code if f"{name}.py" in found else "" for name in ATTACKS}
    assert codes == {name: attack.code for name, attack in ATTACKS.items()}
    assert {name: said[name] for name, attack in ATTACKS.items() if attack.said not in said[name]} == {}
    assert all(len(message) < 700 and (message or "-").isprintable() for message in said.values())
    assert found.keys() == {f"{name}.py" for name, code in codes.items() if code}
    assert {trial.status for trial in report.trials} == {"ok", "failed"}
    assert report.seconds < 120
    assert not (tmp_path / "free").exists()
    for listener in listeners:
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert inside(tmp_path) == []


def filled(text: str, places: dict[str, str]) -> bytes:
    for name, place in places.items():
        text = text.replace(name, place)
    return f"{text}\n".encode()


def inside(folder: Path) -> list[str]:
    """Return the processes of this machine that see a repository whose copy lies in `folder`."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):
                if f"{folder}/p2c-smoke-" in (process / "mountinfo").read_text():
                    found.append(process.name)
    return found
