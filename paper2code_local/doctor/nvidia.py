"""The GPUs as nvidia-smi sees them: asked without torch, which takes seconds to import."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

MIB = 1 << 20
QUERY = "name,driver_version,compute_cap,memory.free,memory.total"
SECONDS = 10.0
"""Without its persistence daemon the driver is loaded first."""


@dataclass(frozen=True)
class Seen:
    """One GPU."""

    name: str
    driver: str
    capability: float
    free: int
    """Bytes."""
    total: int
    """Bytes."""


@dataclass(frozen=True)
class Nvidia:
    """What nvidia-smi says; `trouble` when it is there and fails."""

    gpus: tuple[Seen, ...] = ()
    trouble: str = ""


def nvidia(environ: Mapping[str, str]) -> Nvidia:
    """Ask nvidia-smi."""
    program = shutil.which("nvidia-smi", path=environ.get("PATH", ""))
    if program is None:
        return Nvidia()
    try:
        asked = [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
        done = subprocess.run(
            asked, env=dict(environ), capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return Nvidia(trouble=f"nvidia-smi does not answer within {SECONDS:.0f} s")
    except OSError as error:
        return Nvidia(trouble=f"nvidia-smi cannot be run: {error.strerror}")
    if done.returncode:
        return Nvidia(
            trouble=" ".join((done.stdout or done.stderr).split()) or f"nvidia-smi ends with {done.returncode}"
        )
    try:
        return Nvidia(tuple(_seen(line) for line in done.stdout.splitlines() if line.strip()))
    except ValueError:
        return Nvidia(trouble=f"nvidia-smi answers {' '.join(done.stdout.split())[:100]!r}")


def _seen(line: str) -> Seen:
    name, driver, capability, free, total = (part.strip() for part in line.rsplit(",", 4))
    return Seen(name, driver, float(capability), int(free) * MIB, int(total) * MIB)
