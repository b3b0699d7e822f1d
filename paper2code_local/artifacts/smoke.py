"""The smoke run as data: what it may use, and what came of it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.frozen import Frozen

Status = Literal["ok", "failed", "not installed", "not checked"]


class SmokePolicy(Frozen):
    """What the code of a repository may use while it is tried. Sizes are bytes."""

    seconds: float = Field(default=60.0, gt=0, le=3600)
    """Wall time of one trial: one module, or one entry point. Half a minute goes to PyTorch on a cold disk."""
    total_seconds: float = Field(default=600.0, gt=0, le=86400)
    """Wall time of all trials; those that are not reached are not checked."""
    cpu_seconds: int = Field(default=120, gt=0)
    """Processor time of one process of a trial."""
    memory: int = Field(default=4 << 30, ge=64 << 20)
    """Memory of one process, and of all processes of a trial together."""
    processes: int = Field(default=64, ge=2)
    """Processes and threads of one trial."""
    file_size: int = Field(default=64 << 20, ge=0)
    disk: int = Field(default=256 << 20, ge=4096)
    """The scratch folder, which is in memory and gone afterwards."""
    open_files: int = Field(default=256, ge=32)


class Trial(Frozen):
    """One module imported, or one entry point asked for its help, in a sandbox of its own."""

    path: str
    kind: Literal["import", "help"]
    status: Status
    """`not installed`: it needs a package that is not here; `not checked`: it could not be tried to its end."""
    reason: str = ""
    """What failed, the package that is not installed, or why it was not checked."""
    trace: tuple[str, ...] = ()
    """The innermost frames of the traceback, outermost first: "model.py:7 in build"."""
    seconds: float = 0.0


class SmokeReport(Frozen):
    """What came of importing every module of a repository in a sandbox."""

    sandbox: str
    """What kept the code in: "bubblewrap 0.8.0", "podman python:3.11"."""
    python: str
    """The version that ran it: "3.11.7"; "" in an image."""
    policy: SmokePolicy
    trials: tuple[Trial, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...] = ()
    """Files that were too large to be taken along."""
    seconds: float = 0.0
    remembered: bool = False
    """It is the report of an earlier run of the same files."""

    def count(self, status: Status) -> int:
        """Return how many trials ended so."""
        return sum(trial.status == status for trial in self.trials)

    def missing(self) -> tuple[str, ...]:
        """Return the packages that are not installed here, sorted."""
        return tuple(sorted({trial.reason for trial in self.trials if trial.status == "not installed"}))
