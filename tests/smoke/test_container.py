"""Containers of an image. A script stands in for podman: it says what the runner says, and writes down its words."""

from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.errors import SandboxError
from paper2code_local.smoke import find_sandbox, smoke

PODMAN = """#!/bin/sh
echo "$@" >> {log}
case "$1" in
    image) [ "$5" = here ] && echo sha256:1234 ;;
    run) exec {python} -S -c '
import json, sys
job = json.load(sys.stdin)
print(job["nonce"] + json.dumps(dict(step="started", devices=["lo"] + {devices}, version="3.11.0")))
print(job["nonce"] + json.dumps(dict(step="ok")))' ;;
esac
"""


def stand_in(folder: Path, devices: str = "[]") -> Path:
    import sys

    place = folder / "podman"
    place.write_text(PODMAN.format(log=folder / "log", python=sys.executable, devices=devices.replace("'", '"')))
    place.chmod(0o755)
    return folder / "log"


def test_an_image_is_used_where_there_is_no_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = stand_in(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    report = smoke({"a.py": b""}, find_sandbox(image="here"))
    assert (report.sandbox, report.count("ok")) == ("podman here", 1)
    (*_, run) = log.read_text().splitlines()
    for option in ("--network none", "--read-only", "--cap-drop ALL", "--pull never", "--user 65534", "/repo:ro"):
        assert f" {option}" in run or option in run, option
    assert run.endswith(" here -I -B /runner.py")


def test_a_container_with_a_network_is_no_sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in(tmp_path, "['eth0']")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="has a network: lo, eth0"):
        find_sandbox(image="here")


@pytest.mark.parametrize(("image", "said"), [("", "no image is named"), ("gone", "podman has no image gone")])
def test_without_any_sandbox_it_says_what_was_tried(
    image: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError) as raised:
        find_sandbox(image=image)
    assert (raised.value.code, raised.value.exit_code) == ("sandbox.missing", 5)
    assert "bubblewrap is not installed" in raised.value.message
    assert said in raised.value.message
