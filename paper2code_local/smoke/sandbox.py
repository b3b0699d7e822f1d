"""What a sandbox is, and which one this machine has.

In: a Python, and perhaps the name of an image. Out: a sandbox that was tried. Must not know what is run inside.

Without a sandbox nothing is run. Each trial has a sandbox of its own: what a module breaks, it breaks for itself, and
ending the sandbox ends everything that was started in it.
"""

from __future__ import annotations

import os
import select
from pathlib import Path
from typing import IO, Protocol

from paper2code_local.artifacts.smoke import SmokePolicy

RUNNER = Path(__file__).with_name("runner.py")
SCRATCH = "/scratch"
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "XDG_CACHE_HOME": f"{SCRATCH}/.cache",
    "USER": "smoke",
    "LOGNAME": "smoke",
    "LANG": "C.UTF-8",
    "MPLBACKEND": "Agg",
    "HF_HUB_OFFLINE": "1",
    "CUDA_VISIBLE_DEVICES": "",
    **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
}
"""All that code in the sandbox finds in its environment. Threads count as processes, hence one for each library."""


class Running(Protocol):
    """One sandbox that was started. `end` must be called, however it went."""

    out: IO[bytes]
    """What the runner says."""
    job: IO[bytes]
    """Where the runner reads its job."""

    def ended(self) -> bool:
        """Tell whether the runner has ended by itself."""
        ...

    def memory(self) -> int:
        """Return the bytes that all its processes use together; 0 where something else bounds them."""
        ...

    def end(self) -> int:
        """Kill whatever still runs inside, wait until it is gone, and return the runner's exit code."""
        ...

    def said(self) -> str:
        """Return what the sandbox itself complained of; once, after its end."""
        ...


class Sandbox(Protocol):
    """Starts the runner on a repository: no network, nothing of the user's, nothing to write but a scratch folder."""

    @property
    def name(self) -> str:
        """What keeps the code in, with its version."""
        ...

    @property
    def identity(self) -> str:
        """Changes with what is installed inside."""
        ...

    def start(self, staged: Path, policy: SmokePolicy) -> Running:
        """Start the runner; `staged` holds `repo/` and `runner.py`. Raises OSError."""
        ...


def ready(descriptor: int, seconds: float) -> bool:
    """Wait until a descriptor can be read or is at its end, for so long at most. `select` refuses those above 1,023."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(max(0.0, seconds) * 1000))


def as_root() -> bool:
    """Tell whether we are root, whom no limit on processes binds: the code then runs as another user."""
    return os.geteuid() == 0
