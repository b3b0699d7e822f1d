"""What is examined, what a check says, and how one asks another program. Needs nothing but the standard library."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

import paper2code_local
from paper2code_local.doctor.nvidia import Nvidia, nvidia


@dataclass(frozen=True)
class Check:
    """One line: what was found, and when it is not as it should be, what mends it."""

    name: str
    status: Literal["ok", "warn", "fail"]
    found: str
    fix: str = ""
    """A command for this machine wherever there is one; empty when all is well."""


def fine(name: str, found: str) -> Check:
    """Say that something is as it should be."""
    return Check(name, "ok", found)


def warned(name: str, found: str, fix: str) -> Check:
    """Say that a run goes on without it, or with less."""
    return Check(name, "warn", found, fix)


def failed(name: str, found: str, fix: str) -> Check:
    """Say that a run would fail."""
    return Check(name, "fail", found, fix)


@dataclass(frozen=True)
class Subject:
    """What is examined. Nothing is read from this process that could be given here instead."""

    environ: Mapping[str, str]
    grobid: str
    """Where GROBID should answer."""
    model: str | None = None
    """What --model says; None for the default of this machine."""
    out: Path | None = None
    """Where the repository would go; None for anywhere in the current folder."""
    deep: bool = False
    """Whether models are hashed."""
    note: Callable[[str], None] = lambda _: None
    """Hears what takes long before it begins."""
    root: Path = Path("/")
    """Where /proc, /sys and /dev are."""
    packages: tuple[str, ...] = field(default_factory=lambda: tuple(sys.path))
    """Where installed packages are looked for."""

    checkout: Path = Path(paper2code_local.__file__).resolve().parents[1]
    """Where the package lies: a checkout with its scripts, or where packages are installed."""

    @property
    def is_checkout(self) -> bool:
        """Tell whether the scripts are here."""
        return (self.checkout / "scripts" / "setup").is_file()

    @cached_property
    def nvidia(self) -> Nvidia:
        """What nvidia-smi says."""
        return nvidia(self.environ)

    @cached_property
    def p2c(self) -> str:
        """How this program is called from a shell of this environment."""
        script = Path(sys.executable).with_name("p2c-local")
        if not script.is_file():
            return f"{sys.executable} -m paper2code_local"
        found = self.which("p2c-local")
        return "p2c-local" if found and Path(found).samefile(script) else str(script)

    def which(self, program: str) -> str | None:
        """Find a program on the PATH of the environment."""
        return shutil.which(program, path=self.environ.get("PATH", ""))

    def text(self, path: str) -> str:
        """Read a file below `root`; empty where there is none."""
        try:
            return (self.root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""

    def run(self, *words: str, seconds: float = 5.0, folder: Path | None = None) -> tuple[int, str]:
        """Run a program; return its exit code and what it said.

        As in a shell, the code is 127 when it is not there, 126 when it cannot be run, 124 when it takes too long.
        """
        program = self.which(words[0])
        if program is None:
            return 127, f"{words[0]} is not installed"
        try:
            done = subprocess.run(
                [program, *words[1:]],
                cwd=folder,
                env=dict(self.environ) | {"LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 124, f"{words[0]} does not answer within {seconds:.0f} s"
        except OSError as error:
            return 126, f"{words[0]} cannot be run: {error.strerror}"
        return done.returncode, done.stdout.strip()


def last_line(text: str) -> str:
    """Return where programs say why they failed."""
    return text.splitlines()[-1].strip() if text.strip() else "no reason given"


def sudo() -> str:
    """Return what goes before a command that changes the system."""
    return "" if os.geteuid() == 0 else "sudo "
