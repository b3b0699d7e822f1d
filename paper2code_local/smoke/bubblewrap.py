"""bubblewrap: namespaces of the kernel, without a daemon and without an image.

In: a Python, and a staged repository. Out: the runner, in a sandbox of its own. Must not know what the runner does.

Seen inside are /usr and the Python's folders (read-only), the repository (read-only), a scratch folder of bounded size,
and a /proc and /dev of its own: no home, no /etc but the tables of the linker, no /tmp, no socket.

An ordinary user gets a user namespace. Root gets none,
as the kernel binds no limit on processes to root, and root's own limits would not bite: bubblewrap is started as root
and the runner as a user number that nobody has, another one for each trial.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from paper2code_local.artifacts.smoke import SmokePolicy
from paper2code_local.smoke.interpreter import Interpreter
from paper2code_local.smoke.sandbox import ENVIRONMENT, SCRATCH, as_root, ready
from paper2code_local.smoke.seccomp import seccomp_filter

_ALONE = ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
_AS_ROOT = ("--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_TABLES = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/localtime")
_USERS = range(64_000, 65_000)
"""User numbers that distributions give to nobody."""
_SHARED_MEMORY = 64 << 20
"""/dev/shm, as large as containers have it."""
_NAME = 1024
"""What the kernel keeps for one file in memory: inode and directory entry."""
_START = 20.0
_END = 10.0
"""Seconds to wait for a sandbox to say its process, and for the kernel to have buried all of it."""


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """Sandboxes made by `bwrap`."""

    python: Interpreter
    program: str
    name: str
    filter: bytes

    @property
    def identity(self) -> str:
        """Say what is installed inside."""
        return self.python.identity

    def start(self, staged: Path, policy: SmokePolicy) -> RunningBubblewrap:
        """Start the runner on `staged`. Raises OSError."""
        said = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has ended)
        told, tells = os.pipe()
        try:
            with tempfile.TemporaryFile() as rules:
                rules.write(self.filter)
                rules.seek(0)
                command = [self.program, "--info-fd", str(tells), "--seccomp", str(rules.fileno())]
                process = subprocess.Popen(
                    [*command, *_view(self.python, staged, policy), "--", *_runner(self.python)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    env=ENVIRONMENT,
                    cwd="/",
                    pass_fds=(tells, rules.fileno()),
                    start_new_session=True,
                )
        except OSError:
            os.close(told)
            raise
        finally:
            os.close(tells)
        with open(told, "rb", buffering=0) as info:  # noqa: PTH123 (a descriptor)
            return RunningBubblewrap(process, _first_process(info.fileno()), said)


class RunningBubblewrap:
    """A sandbox with all its processes, which its first process takes along when it goes."""

    def __init__(self, process: subprocess.Popen[bytes], first: int, said: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.job, self.out = process.stdin, process.stdout
        self._process, self._first, self._said = process, first, said
        self._handle = -1
        with suppress(ProcessLookupError):
            self._handle = os.pidfd_open(first) if first else -1

    def ended(self) -> bool:
        """Tell whether the runner has ended by itself."""
        return self._process.poll() is not None

    def memory(self) -> int:
        """Return the memory of all processes, what several share counted once, and of the names of their files."""
        return sum(map(_proportional, _family(self._first))) + _names(self._first) if self._first else 0

    def end(self) -> int:
        """Kill the first process, and with it all others; wait until the kernel has buried them."""
        if self._handle < 0:
            self._process.kill()
        else:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)
            ready(self._handle, _END)
            os.close(self._handle)
            self._handle = -1
        try:
            return self._process.wait(_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            self.out.close()
            with suppress(OSError):
                self.job.close()

    def said(self) -> str:
        """Return what bubblewrap complained of, or Python when it could not start."""
        with self._said as said:
            said.seek(0)
            return said.read(2000).decode("utf-8", "replace").strip()


def bubblewrap(python: Interpreter) -> Bubblewrap | str:
    """Find bubblewrap on this machine; where there is none that can be used, say why."""
    program, rules = shutil.which("bwrap"), seccomp_filter(platform.machine())
    if program is None:
        return "bubblewrap is not installed"
    if rules is None:
        return f"no filter of system calls is known for {platform.machine()}"
    if as_root() and not shutil.which("setpriv"):
        return "root needs setpriv (util-linux) to start the code as another user"
    try:
        done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=_START, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        return f"bubblewrap cannot be started: {error}"
    return Bubblewrap(python, program, done.stdout.strip()[:40], rules)


def _view(python: Interpreter, staged: Path, policy: SmokePolicy) -> Iterator[str]:
    """Yield the options: what is seen inside, and what is cut off."""
    yield from ("--die-with-parent", "--new-session", "--hostname", "smoke", *_ALONE)
    yield from _AS_ROOT if as_root() else ("--unshare-user",)
    yield from ("--ro-bind", "/usr", "/usr")
    for name in _SYSTEM:
        place = Path("/", name)
        if place.is_symlink():
            yield from ("--symlink", str(place.readlink()), str(place))
        elif place.is_dir():
            yield from ("--ro-bind", str(place), str(place))
    yield from (*_folders("/etc/x"), *(word for table in _TABLES for word in ("--ro-bind-try", table, table)))
    for prefix in python.prefixes:
        yield from (*_folders(prefix), "--ro-bind", prefix, prefix)
    yield from ("--proc", "/proc", "--dev", "/dev")
    yield from ("--perms", "1777", "--size", str(_SHARED_MEMORY), "--tmpfs", "/dev/shm", "--remount-ro", "/dev")
    yield from ("--perms", "1777", "--size", str(policy.disk), "--tmpfs", SCRATCH)
    yield from ("--ro-bind", str(staged / "runner.py"), "/runner.py", "--ro-bind", str(staged / "repo"), "/repo")
    yield from ("--remount-ro", "/", "--chdir", "/repo")


def _folders(place: str) -> Iterator[str]:
    """Yield options that make the folders above `place`, so that any user may pass through them."""
    for folder in reversed(PurePosixPath(place).parents[:-1]):
        yield from ("--perms", "0755", "--dir", str(folder))


def _runner(python: Interpreter) -> Iterator[str]:
    if as_root():
        user = str(secrets.choice(_USERS))
        yield from ("setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps", "-all")
    yield from (python.executable, "-I", "-B", "/runner.py")


def _first_process(info: int) -> int:
    """Read the number of the sandbox's first process; 0 when it ended before it could say it."""
    text, until = b"", time.monotonic() + _START
    while ready(info, until - time.monotonic()):
        if not (more := os.read(info, 4096)):
            break
        text += more
    try:
        return int(json.loads(text)["child-pid"])
    except (ValueError, KeyError, TypeError):
        return 0


def _family(process: int) -> Iterator[int]:
    """Yield a process and all that descend from it; who loses its parent becomes a child of the sandbox's first."""
    waiting = [process]
    while waiting:
        yield (at := waiting.pop())
        for task in Path(f"/proc/{at}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, task.read_text().split())


def _names(process: int) -> int:
    """Return the memory of the names in what may be written: a size bounds contents, not how many files are empty."""
    names = 0
    for place in (SCRATCH, "/dev/shm"):
        with suppress(OSError):
            about = os.statvfs(f"/proc/{process}/root{place}")
            names += about.f_files - about.f_ffree
    return names * _NAME


def _proportional(process: int) -> int:
    """Return the memory of a process, a page that n share counted as 1/n (`Pss` of smaps_rollup, in KiB)."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
