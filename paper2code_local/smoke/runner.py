"""What runs inside the sandbox: it imports one module, or runs one script with --help, and says how that went.

In: a job, as JSON on standard input. Out: steps, as lines of JSON on standard output, each after the job's nonce. It is
a script of its own that imports nothing of ours, as it runs under any Python from 3.8 on. Before any code of the
repository runs, it sets the limits, and standard input, output and error lead nowhere. Must not know what is a failure.

Code that means to look well can read the nonce out of this process and say "ok" itself: the smoke run finds faults, it
does not judge malice. What keeps such code in is the sandbox, not this file.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import resource
import runpy
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import dropwhile
from typing import Any

REPO = "/repo/"
MAX_TEXT = 2000
MAX_FRAMES = 12
_NOT_THEIRS = ("<frozen ", "/runner.py")
_KINDS = (SystemExit, MemoryError, ImportError, ModuleNotFoundError)


def main() -> None:
    """Do the job that standard input describes, and end this process."""
    job = json.loads(sys.stdin.buffer.read())
    me, leave = os.getpid(), os._exit
    tell = _teller(os.dup(1), job["nonce"], me)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    os.close(nothing)
    for name, limits in job["limits"].items():
        resource.setrlimit(getattr(resource, name), tuple(limits))
    tell("started", {"devices": _devices(), "version": ".".join(map(str, sys.version_info[:3]))})
    if job["kind"] == "probe":
        leave(0)
    sys.path[:] = [*job["first"], *sys.path, *job["last"]]
    sys.argv[:] = [REPO + job["path"], *job["arguments"]]
    try:
        _run(job["kind"], REPO + job["path"], job["module"])
    except BaseException as error:  # noqa: BLE001 (whatever it is, it is told)
        tell("raised", _raised(error))
        tell("text", {"text": _text(error)})
    else:
        tell("ok", {"left": _others(me)})
    leave(0)


def _teller(out: int, nonce: str, me: int) -> Callable[[str, dict[str, Any]], None]:
    """Return a function that tells a step; it keeps what it needs, as modules may replace functions of the library."""
    write, dumps, process = os.write, json.dumps, os.getpid

    def tell(step: str, values: dict[str, Any]) -> None:
        if process() == me:  # a fork of the module's comes by here too
            write(out, (nonce + dumps({"step": step, **values}) + "\n").encode("ascii"))

    return tell


def _run(kind: str, path: str, module: str) -> None:
    if kind == "help" and module:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    elif kind == "help":
        runpy.run_path(path, run_name="__main__")
    elif not module or _place(importlib.import_module(module)) != path:
        name = f"{module or 'script'}_"  # its own name may be that of a module of the library
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = loaded
        spec.loader.exec_module(loaded)


def _place(module: Any) -> str:
    return str(getattr(module, "__file__", None) or "")


def _devices() -> list[str]:
    with open("/proc/net/dev", encoding="ascii") as lines:  # noqa: PTH123 (shorter where it runs once)
        return [line.partition(":")[0].strip() for line in lines if ":" in line]


def _raised(error: BaseException) -> dict[str, Any]:
    """Say what was raised and where, without running code of its class where that can be had."""
    frames = list(dropwhile(lambda frame: not frame[0].startswith(REPO), _frames(error)))
    ours = [frame for frame in frames if frame[0].startswith(REPO)]
    file, line, _ = ours[-1] if ours else ("", 0, "")
    if isinstance(error, SyntaxError) and str(error.filename).startswith(REPO):
        file, line = str(error.filename), error.lineno or 0
    name = error.name if isinstance(error, ImportError) and isinstance(error.name, str) else ""
    return {
        "type": str(type.__dict__["__name__"].__get__(type(error)))[:100],
        "kinds": [kind.__name__ for kind in _KINDS if isinstance(error, kind)],
        "errno": error.errno if isinstance(error, OSError) and isinstance(error.errno, int) else 0,
        "exit": _exit_code(error),
        "name": name[:200],
        "found": bool(name) and _is_there(name.split(".")[0]),
        "file": file[:500],
        "line": line,
        "outside": _outside(frames),
        "trace": [[file[-200:], line, function[:80]] for file, line, function in frames[-MAX_FRAMES:]],
    }


def _outside(frames: list[tuple[str, int, str]]) -> str:
    """Say whether it was raised in a package: while that was imported, or while it was called; "" in the repository."""
    last = max((at for at, frame in enumerate(frames) if frame[0].startswith(REPO)), default=-1)
    if last == len(frames) - 1:
        return ""
    return "import" if frames[last + 1][2] == "<module>" else "call"


def _frames(error: BaseException) -> Iterator[tuple[str, int, str]]:
    at = error.__traceback__
    while at is not None:
        code = at.tb_frame.f_code
        if not code.co_filename.startswith(_NOT_THEIRS):
            yield code.co_filename, at.tb_lineno, code.co_name
        at = at.tb_next


def _exit_code(error: BaseException) -> int:
    """Return the exit code that a SystemExit stands for; 1 for a message."""
    code = error.code if isinstance(error, SystemExit) else 0
    if code is None:
        return 0
    return code if isinstance(code, int) else 1


def _is_there(name: str) -> bool:
    with suppress(ImportError, ValueError, AttributeError):
        return name in sys.modules or importlib.util.find_spec(name) is not None
    return True


def _text(error: BaseException) -> str:
    """Return what an exception says; its class may say anything, or fail at it."""
    try:
        return str(error)[:MAX_TEXT]
    except BaseException:  # noqa: BLE001 (it is code of the repository)
        return "(its text cannot be had)"


def _others(me: int) -> int:
    """Count the processes of this sandbox that are neither its first nor this one."""
    return sum(name.isdigit() and int(name) not in (1, me) for name in os.listdir("/proc"))  # noqa: PTH208


if __name__ == "__main__":
    main()
