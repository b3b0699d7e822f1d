"""The smoke run: every module of a repository imported, every entry point asked for its help, each in a sandbox.

In: a folder, or files that are not on a disk yet. Out: a `SmokeReport`. Must not know who reads it. It runs strangers'
code, so it is an effect and no stage; without a sandbox it runs nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Lock

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport, Trial
from paper2code_local.errors import SandboxError, WriteError
from paper2code_local.smoke.bubblewrap import bubblewrap
from paper2code_local.smoke.container import container
from paper2code_local.smoke.interpreter import interpreter
from paper2code_local.smoke.jobs import Job, jobs, left_alone
from paper2code_local.smoke.judging import judged
from paper2code_local.smoke.memory import key, remember, remembered
from paper2code_local.smoke.sandbox import Sandbox
from paper2code_local.smoke.staging import digest, stage
from paper2code_local.smoke.trying import Ended, tried

AT_ONCE = 4
"""Sandboxes at a time, and no more than there are processors."""
_PROBE = Job("", "probe", "", (), ())
_PROBE_SECONDS = 30.0


def find_sandbox(python: Path | None = None, image: str = "") -> Sandbox:
    """Return a sandbox that was tried on this machine: bubblewrap with `python`, or else a container of `image`.

    Raises SandboxError (`sandbox.missing`) with what was tried, UsageError (`usage.python`).
    """
    reasons: list[str] = []
    for sandbox in _sandboxes(python, image):
        reason = sandbox if isinstance(sandbox, str) else _problem(sandbox)
        if not isinstance(sandbox, str) and not reason:
            return sandbox
        reasons.append(reason)
    hint = "Install bubblewrap (`apt install bubblewrap`), or name an image that podman or docker has: --image NAME."
    raise SandboxError("missing", f"nothing is run without a sandbox, and there is none: {'; '.join(reasons)}", hint)


def smoke(
    files: Mapping[str, bytes],
    sandbox: Sandbox,
    policy: SmokePolicy | None = None,
    *,
    left_out: tuple[str, ...] = (),
    cache: Path | None = None,
    again: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
    stop: Event | None = None,
) -> SmokeReport:
    """Try a repository, given as path → bytes; blocks, so an event loop gives it a thread.

    `files` and `left_out` are what `files_of` returns for a folder.

    With `cache` a report is remembered there, and used the next time unless `again`. `progress` hears how many trials
    are done, and of how many, from several threads one at a time. Once `stop` is set, what runs is ended and the rest
    is not checked. Raises InputError for paths outside of a repository, SandboxError (`sandbox.failed`) if no sandbox
    can be started any more, WriteError (`write.smoke`) if there is no room for the copy that is run.
    """
    policy = policy or SmokePolicy()
    name = key(digest(files), policy, sandbox.name, sandbox.identity)
    if cache is not None and not again and (known := remembered(cache, name)):
        return known
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="p2c-smoke-") as folder:
        try:
            stage(files, Path(folder))
        except OSError as error:
            hint = "Free some space there, or set TMPDIR to another folder."
            raise WriteError("smoke", f"the copy that is run cannot be written to {folder}: {error}", hint) from error
        run = _Run(sandbox, Path(folder), files, policy, progress, stop or Event())
        results = run.all()
    alone = [Trial(path=path, kind="import", status="not checked", reason=why) for path, why in left_alone(files)]
    report = SmokeReport(
        sandbox=sandbox.name,
        python=run.version,
        policy=policy,
        trials=(*alone, *(trial for trial, _ in results)),
        findings=tuple(dict.fromkeys(finding for _, found in results for finding in found)),
        left_out=left_out,
        seconds=round(time.monotonic() - began, 3),
    )
    if cache is not None:
        remember(cache, name, report)
    return report


class _Run:
    """All jobs of one repository."""

    def __init__(
        self,
        sandbox: Sandbox,
        staged: Path,
        files: Mapping[str, bytes],
        policy: SmokePolicy,
        progress: Callable[[int, int], None],
        stop: Event,
    ) -> None:
        self._sandbox, self._staged, self._files, self._policy = sandbox, staged, files, policy
        self._progress, self._stop, self._lock = progress, stop, Lock()
        self._jobs, self._done = tuple(jobs(files)), 0
        self._until = time.monotonic() + policy.total_seconds
        self.version = ""

    def all(self) -> list[tuple[Trial, tuple[Finding, ...]]]:
        """Do them, several at a time; results are in the order of the jobs."""
        self._progress(0, len(self._jobs))
        with ThreadPoolExecutor(min(AT_ONCE, os.cpu_count() or 1), "smoke") as pool:
            try:
                return list(pool.map(self._one, self._jobs))
            except BaseException:
                self._stop.set()
                raise

    def _one(self, job: Job) -> tuple[Trial, tuple[Finding, ...]]:
        left = self._until - time.monotonic()
        if left <= 0 or self._stop.is_set():
            return judged(job, Ended((), "stopped", 0, 0.0, ""), self._files.keys(), self._policy)
        ended = _started(self._sandbox, self._staged, job, self._policy, min(left, self._policy.seconds), self._stop)
        if ended.how == "time" and left < self._policy.seconds:
            ended = Ended(ended.steps, "stopped", ended.code, ended.seconds, ended.said)
        with self._lock:
            self._done += 1
            if started := ended.step("started"):
                self.version = started.version[:20]
            self._progress(self._done, len(self._jobs))
        return judged(job, ended, self._files.keys(), self._policy)


def _started(sandbox: Sandbox, staged: Path, job: Job, policy: SmokePolicy, seconds: float, stop: Event) -> Ended:
    """Do a job. Raises SandboxError (`failed`) if the runner did not even begin."""
    hint = "Look at memory, disk and limits of this machine, and run the same command again."
    try:
        ended = tried(sandbox, staged, job, policy, seconds, stop)
    except OSError as error:
        raise SandboxError("failed", f"{sandbox.name} cannot be started: {error}", hint) from error
    if ended.step("started") is None and ended.how == "by itself":
        raise SandboxError("failed", f"{sandbox.name} ended before it began: {ended.said[:300]}", hint)
    return ended


def _sandboxes(python: Path | None, image: str) -> Iterator[Sandbox | str]:
    yield bubblewrap(interpreter(python))
    yield container(image) if image else "no image is named"


def _problem(sandbox: Sandbox) -> str:
    """Start a sandbox and look from inside whether there is a network; return what is wrong, or ""."""
    with tempfile.TemporaryDirectory(prefix="p2c-smoke-") as folder:
        try:
            stage({}, Path(folder))
            ended = _started(sandbox, Path(folder), _PROBE, SmokePolicy(), _PROBE_SECONDS, Event())
        except (OSError, SandboxError) as error:
            return str(error)
    started = ended.step("started")
    if started is None:
        return f"{sandbox.name} does not begin within {_PROBE_SECONDS:.0f} s"
    return "" if set(started.devices) <= {"lo"} else f"{sandbox.name} has a network: {', '.join(started.devices)}"
