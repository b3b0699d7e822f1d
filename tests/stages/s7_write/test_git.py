"""Everything that is written is committed, with the user's identity and none of the user's programs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from paper2code_local.stages.s7_write import MARKER, write_repository

FILES = {"main.py": b"print(1)\n", "data/loader.py": b"x = 1\n"}
NEWER = {"main.py": b"print(2)\n", "model.py": b"y = 1\n"}


def log(folder: Path) -> list[str]:
    done = subprocess.run(["git", "log", "--format=%an %s"], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "beside" / "out"


@pytest.fixture
def no_identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.mark.usefixtures("no_identity")
def test_everything_is_committed_and_history_goes_on_when_the_content_changes(out: Path) -> None:
    assert write_repository(FILES, out, run="run-1", git=True) == ""
    write_repository(FILES, out, run="run-1", git=True)
    assert log(out) == ["paper2code_local Write the repository with paper2code_local"]
    write_repository(NEWER, out, run="run-1", git=True)
    assert len(log(out)) == 2
    status = subprocess.run(["git", "status", "--porcelain"], cwd=out, capture_output=True, check=True)
    assert status.stdout == b""
    listed = subprocess.run(["git", "ls-files"], cwd=out, capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) == {*NEWER, MARKER}


@pytest.mark.usefixtures("no_identity")
def test_the_users_identity_is_used_and_their_hooks_ignores_and_signing_are_not(out: Path, tmp_path: Path) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-commit", "post-commit", "commit-msg"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
        (hooks / name).chmod(0o755)
    (tmp_path / "ignored").write_text("*.py\n")
    (tmp_path / "gitconfig").write_text(
        f"[user]\n name = Ada\n email = ada@a.example\n[core]\n hooksPath = {hooks}\n"
        f" excludesFile = {tmp_path}/ignored\n autocrlf = true\n safecrlf = true\n[commit]\n gpgsign = true\n"
    )
    assert write_repository(FILES, out, run="run-1", git=True) == ""
    assert log(out)[0].startswith("Ada ")
    assert not (tmp_path / "ran").exists()
    listed = subprocess.run(["git", "ls-files"], cwd=out, capture_output=True, text=True, check=True)
    assert set(listed.stdout.split()) == {*FILES, MARKER}


@pytest.mark.usefixtures("no_identity")
def test_inside_a_hook_of_another_repository_that_repository_is_left_alone(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    subprocess.run(["git", "init", "-q", other], check=True)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    write_repository(FILES, out, run="run-1", git=True)
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_WORK_TREE")
    assert len(log(out)) == 1
    assert not (other / ".git" / "index").exists()


def test_without_git_the_files_are_written_and_the_user_is_told(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert "git is not installed" in write_repository(FILES, out, run="run-1", git=True)
    assert {path: (out / path).read_bytes() for path in FILES} == FILES
    assert not (out / ".git").exists()


def test_a_git_that_fails_costs_the_commit_and_not_the_files(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("#!/bin/sh\nmkdir -p .git\necho 'fatal: no quota left' >&2\nexit 128\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert "fatal: no quota left" in write_repository(FILES, out, run="run-1", git=True)
    assert {path: (out / path).read_bytes() for path in FILES} == FILES
    assert not (out / ".git").exists()
