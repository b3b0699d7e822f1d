"""One job in one sandbox: started, listened to, ended.

In: a sandbox, a staged repository, a job. Out: what the runner said and how it ended. Must not know what is a failure.
Whatever comes out of the sandbox is a stranger's: so many bytes, lines that begin with the nonce, JSON of known shape.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Literal

from pydantic import ValidationError

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.smoke import SmokePolicy
from paper2code_local.smoke.jobs import Job
from paper2code_local.smoke.sandbox import Running, Sandbox, ready

MAX_SAID = 64 << 10
_LOOK = 0.1
_WEIGH = 0.25
"""Seconds between two looks at the clock, and at the memory."""

How = Literal["by itself", "time", "memory", "output", "stopped"]


class Step(Frozen):
    """One line of the runner: which step it is, and what belongs to that step."""

    step: Literal["started", "raised", "text", "ok"]
    devices: tuple[str, ...] = ()
    version: str = ""
    left: int = 0
    text: str = ""
    type: str = ""
    kinds: tuple[str, ...] = ()
    errno: int = 0
    exit: int = 0
    name: str = ""
    found: bool = False
    file: str = ""
    line: int = 0
    outside: Literal["", "import", "call"] = ""
    trace: tuple[tuple[str, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a job ended."""

    steps: tuple[Step, ...]
    how: How
    code: int
    """The exit code; 128 + n for signal n."""
    seconds: float
    said: str
    """What the sandbox itself complained of."""

    def step(self, name: str) -> Step | None:
        """Return the first step of a name: what is said twice is said by somebody else."""
        return next((step for step in self.steps if step.step == name), None)


def tried(sandbox: Sandbox, staged: Path, job: Job, policy: SmokePolicy, seconds: float, stop: Event) -> Ended:
    """Run `job` for at most `seconds`; when this returns, nothing of it runs any more. Raises OSError (no start)."""
    nonce, began = secrets.token_hex(16), time.monotonic()
    running = sandbox.start(staged, policy)
    how: How = "stopped"
    text = bytearray()
    try:
        with suppress(BrokenPipeError):
            running.job.write(json.dumps(_told(job, policy, nonce)).encode())
            running.job.close()
        how = _listened(running, text, policy.memory, began + seconds, stop)
    finally:
        code = running.end()
    return Ended(_steps(bytes(text), nonce.encode()), how, code, time.monotonic() - began, running.said())


def _told(job: Job, policy: SmokePolicy, nonce: str) -> dict[str, object]:
    """Say what the runner is to do. RLIMIT_DATA counts private memory only: libraries map far more than they use."""
    limits = {
        "RLIMIT_CPU": (policy.cpu_seconds, policy.cpu_seconds + 1),  # SIGXCPU, which says what it was, then SIGKILL
        "RLIMIT_DATA": (policy.memory,) * 2,
        "RLIMIT_FSIZE": (policy.file_size,) * 2,
        "RLIMIT_NOFILE": (policy.open_files,) * 2,
        "RLIMIT_NPROC": (policy.processes,) * 2,
        "RLIMIT_CORE": (1, 1),  # no dump of a crash: 0 would not stop one that the kernel pipes to a program
    }
    return {**asdict(job), "arguments": job.arguments, "nonce": nonce, "limits": limits}


def _listened(running: Running, text: bytearray, memory: int, until: float, stop: Event) -> How:
    """Collect what is said in `text` until the runner ends, or goes too far."""
    out, weighed, closed = running.out.fileno(), time.monotonic(), False
    while not stop.is_set():
        if closed:
            time.sleep(_LOOK / 10)
        elif ready(out, _LOOK):
            more = os.read(out, MAX_SAID)
            text += more
            closed = not more
        if len(text) > MAX_SAID:
            return "output"
        if closed and running.ended():
            return "by itself"
        if running.ended() and not ready(out, 0):
            return "by itself"
        now = time.monotonic()
        if now > until:
            return "time"
        if now - weighed > _WEIGH:
            weighed = now
            if running.memory() > memory:
                return "memory"
    return "stopped"


def _steps(text: bytes, nonce: bytes) -> tuple[Step, ...]:
    found = []
    for line in text[:MAX_SAID].split(b"\n"):
        if line.startswith(nonce):
            with suppress(ValidationError):
                found.append(Step.model_validate_json(line[len(nonce) :]))
    return tuple(found)
