"""One commit of a folder, made by the git of this machine.

In: a folder. Out: a commit, or the reason why there is none. Must not know what the files are.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

_SETTINGS = (
    "commit.gpgsign=false",
    "core.autocrlf=false",
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.safecrlf=false",
    "gc.auto=0",
    "init.defaultBranch=main",
)
"""No hooks, signatures or programs of the user's run, files are kept as they are, nothing goes on in the background."""
_IDENTITY = {"user.name": "paper2code_local", "user.email": "paper2code_local@localhost"}
_SECONDS = 120


def commit_all(folder: Path, message: str) -> str:
    """Commit everything in `folder`, in the repository that it has or in a new one.

    Return "" when it is committed or nothing has changed since the last commit, else why there is no commit.
    """
    is_new = not (folder / ".git").exists()
    reason = _why_not(folder, message, is_new)
    if reason and is_new:
        shutil.rmtree(folder / ".git", ignore_errors=True)
    return reason


def _why_not(folder: Path, message: str, is_new: bool) -> str:
    try:
        if is_new:
            _git(folder, "init", "--quiet", "--template=")
        _git(folder, "add", "--all", "--force")
        if not _git(folder, "status", "--porcelain"):
            return ""
        ours = [f"{key}={value}" for key, value in _IDENTITY.items() if not _has_setting(folder, key)]
        _git(folder, "commit", "--quiet", "--no-verify", "--message", message, settings=ours)
    except OSError:
        return "git is not installed, or cannot be run"
    except subprocess.TimeoutExpired:
        return f"git took longer than {_SECONDS} s"
    except subprocess.CalledProcessError as error:
        lines = str(error.stderr).strip().splitlines()
        return lines[-1] if lines else f"git ended with exit code {error.returncode}"
    return ""


def _has_setting(folder: Path, key: str) -> bool:
    try:
        return bool(_git(folder, "config", "--get", key).strip())
    except subprocess.CalledProcessError:
        return False


def _git(folder: Path, *arguments: str, settings: list[str] | None = None) -> str:
    options = [part for setting in (*_SETTINGS, *(settings or ())) for part in ("-c", setting)]
    done = subprocess.run(
        ["git", *options, *arguments],
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
        check=True,
    )
    return done.stdout


def _environment() -> dict[str, str]:
    """Return our environment without what would send git to another repository, as inside a hook."""
    kept = ("GIT_AUTHOR_", "GIT_COMMITTER_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
    own = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key.startswith(kept)}
    return own | {"LC_ALL": "C"}
