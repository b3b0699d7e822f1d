"""What the end of a job means: a trial for the report, and findings.

In: a job and how it ended. Out: a `Trial` and `Finding`s. Must not know sandboxes.
"""

from __future__ import annotations

import errno
import signal
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Literal

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.artifacts.smoke import SmokePolicy, Status, Trial
from paper2code_local.smoke.jobs import Job
from paper2code_local.smoke.runner import REPO
from paper2code_local.smoke.trying import Ended, Step

FAILS, ENDS, EXCEEDS, ENTRY, LEAVES = "P2C010", "P2C011", "P2C012", "P2C013", "P2C014"
NO_TIME = "no time was left for it"
_LIMITS = frozenset({errno.EAGAIN, errno.ENOSPC, errno.EMFILE, errno.EFBIG, errno.ENOMEM, errno.EDQUOT})
_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ECONNREFUSED})
_LONGEST = 500

_HINTS = {
    FAILS: "Mend that line; what is loaded, fetched or written belongs in a function, not in a module.",
    ENDS: "Move what ends the process under `if __name__ == '__main__':`.",
    EXCEEDS: "Move the work into a function that `if __name__ == '__main__':` calls.",
    ENTRY: "Read the command line first, so that --help is answered before anything is loaded.",
    LEAVES: "Start processes in a function, and wait for their end there.",
}


def judged(job: Job, ended: Ended, files: Collection[str], policy: SmokePolicy) -> tuple[Trial, tuple[Finding, ...]]:
    """Say what came of a job. `files` are the repository's, as only they can be where a finding is."""
    raised, done = ended.step("raised"), ended.step("ok")
    if ended.how == "stopped":
        return _trial(job, ended, "not checked", NO_TIME), ()
    if ended.how == "by itself" and done is not None:
        return _trial(job, ended, "ok"), _left(job, done)
    if raised is not None:
        return _of_exception(job, ended, raised, files)
    return _of_end(job, ended, policy)


def _of_exception(job: Job, ended: Ended, raised: Step, files: Collection[str]) -> tuple[Trial, tuple[Finding, ...]]:
    path, line = _place(raised, job, files)
    if "SystemExit" in raised.kinds and job.kind == "help" and raised.exit == 0:
        return _trial(job, ended, "ok"), ()
    if "ModuleNotFoundError" in raised.kinds and raised.name and not raised.found:
        package = _clean(raised.name.split(".")[0])
        if path == job.path:
            return _trial(job, ended, "not installed", package), ()
        return _trial(job, ended, "not checked", f"{path} needs {package}, which is not installed"), ()
    code = _code(job, raised)
    if code != EXCEEDS and (raised.outside == "import" or (raised.outside and "ImportError" in raised.kinds)):
        why = f"a package cannot be imported here: {_said(raised, ended)}"
        return _trial(job, ended, "not checked", why), ()
    said = _said(raised, ended)
    trace = tuple(f"{_clean(file.removeprefix(REPO))}:{line} in {_clean(name)}" for file, line, name in raised.trace)
    finding = _finding(code, path, line, f"{_begin(job)} {_deed(code)}: {said}", _hint(code, raised))
    return _trial(job, ended, "failed", said, trace), (finding,)


def _of_end(job: Job, ended: Ended, policy: SmokePolicy) -> tuple[Trial, tuple[Finding, ...]]:
    """Judge a job that was ended by a limit, or ended without a word."""
    cpu = 128 + signal.SIGXCPU
    match ended.how:
        case "time":
            code, said = EXCEEDS, f"it takes more than {policy.seconds:g} s"
        case "memory":
            code, said = EXCEEDS, f"it needs more than {policy.memory >> 20:,} MiB of memory"
        case "output":
            code, said = EXCEEDS, "it writes without end into what is not its own"
        case _ if ended.code == cpu:
            code, said = EXCEEDS, f"it computes for more than {policy.cpu_seconds} s"
        case _ if ended.code > 128:
            code, said = ENDS, f"the process is ended by {_signal(ended.code - 128)}"
        case _:
            code, said = ENDS, f"the process ends by itself (exit code {ended.code})"
    finding = _finding(code, job.path, 0, f"{_begin(job)} does not come to an end of its own: {said}", _HINTS[code])
    return _trial(job, ended, "failed", said), (finding,)


def _left(job: Job, done: Step) -> tuple[Finding, ...]:
    if not done.left:
        return ()
    message = f"{_begin(job)} leaves {done.left} other processes behind"
    return (_finding(LEAVES, job.path, 0, message, _HINTS[LEAVES], "warning"),)


def _code(job: Job, raised: Step) -> str:
    if "MemoryError" in raised.kinds or raised.errno in _LIMITS:
        return EXCEEDS
    if job.kind == "help":
        return ENTRY
    return ENDS if "SystemExit" in raised.kinds else FAILS


def _deed(code: str) -> str:
    return {ENDS: "ends the process", EXCEEDS: "goes past a limit"}.get(code, "fails")


def _hint(code: str, raised: Step) -> str:
    if raised.errno == errno.EROFS:
        return "The repository is read-only while it is tried: write in a function, not while a module is imported."
    if raised.errno in _UNREACHABLE or "gaierror" in raised.type or "URLError" in raised.type:
        return "There is no network while it is tried: fetch in a function, not while a module is imported."
    return _HINTS[code]


def _place(raised: Step, job: Job, files: Collection[str]) -> tuple[str, int]:
    """Return where in the repository an exception comes from; what the sandbox says of it may be anything."""
    path = raised.file.removeprefix(REPO)
    if raised.file.startswith(REPO) and path in files and PurePosixPath(path).suffix == ".py":
        return path, max(0, min(raised.line, 10_000_000))
    return job.path, 0


def _said(raised: Step, ended: Ended) -> str:
    text = ended.step("text")
    said = f"{raised.type}: {text.text}" if text else f"{raised.type} (its text cannot be had)"
    return _clean(said.removesuffix(": ").replace(REPO, ""))


def _begin(job: Job) -> str:
    return f"`{_clean(job.path)} --help`" if job.kind == "help" else "importing it"


def _signal(number: int) -> str:
    known = {item.value: item.name for item in signal.Signals}
    return known.get(number, f"signal {number}")


def _clean(text: str) -> str:
    """Return a stranger's text on one line, printable and of bounded length."""
    shown = "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text[: 4 * _LONGEST].split()))
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


def _trial(job: Job, ended: Ended, status: Status, reason: str = "", trace: tuple[str, ...] = ()) -> Trial:
    kind: Literal["import", "help"] = "help" if job.kind == "help" else "import"
    return Trial(path=job.path, kind=kind, status=status, reason=reason, trace=trace, seconds=round(ended.seconds, 3))


def _finding(code: str, path: str, line: int, message: str, hint: str, severity: Severity = "error") -> Finding:
    return Finding(code=code, severity=severity, path=path, line=line, message=message, hint=hint)
