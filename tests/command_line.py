"""The command line without its start-up: one process loads it once and forks for every command that is run.

    with CommandLine() as cli:
        told = cli.run(folder, "generate", "paper.pdf", "-o", "out")      # exit code, standard output and error

In a process of its own, as `generate` closes the network for good. A command runs in a process group of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Told:
    """How a command ended."""

    returncode: int
    """Negative for a signal."""
    stdout: str
    stderr: str


class CommandLine:
    """Runs commands of p2c-local in forks of one process."""

    def __init__(self, **environment: str) -> None:
        """Set what the commands find in their environment."""
        self._environment = {"P2C_ENGINE": "scripted", "P2C_SMOKE": "no"} | environment

    def __enter__(self) -> CommandLine:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("P2C_")}
        environment = mine | self._environment | {"PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "tests.command_line"]
        self._server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.communicate(timeout=10)

    def start(self, folder: Path, *args: object, largest_file: int = 0) -> int:
        """Start a command in `folder` and return its process id; `largest_file` bounds what it may write, in bytes."""
        return self._ask({"folder": str(folder), "args": [str(arg) for arg in args], "largest_file": largest_file})

    def wait(self, folder: Path, pid: int) -> Told:
        """Wait for the end of a command that was started in `folder`."""
        code = self._ask({"wait": pid})
        out, err = (folder / name for name in (".stdout", ".stderr"))
        told = Told(code, out.read_text(), err.read_text())
        out.unlink()
        err.unlink()
        return told

    def run(self, folder: Path, *args: object, largest_file: int = 0) -> Told:
        """Run a command in `folder` to its end."""
        return self.wait(folder, self.start(folder, *args, largest_file=largest_file))

    def _ask(self, request: dict[str, object]) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        return int(self._server.stdout.readline())


def serve() -> None:
    """Fork for each request on standard input; answer with process ids and exit codes."""
    from paper2code_local.cli import generate, main

    assert generate, "loaded before the forks"
    for line in sys.stdin:
        request = json.loads(line)
        if "wait" in request:
            _, status = os.waitpid(request["wait"], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201
            continue
        if not os.fork():
            _become(request)
            main(request["args"])


def _become(request: dict[str, object]) -> None:
    """Make this fork a process like one that a shell starts, and tell its id once it can be signalled and awaited."""
    import resource

    os.setsid()
    os.chdir(str(request["folder"]))
    os.environ["P2C_MODELS"] = "models"
    streams = [os.open(os.devnull, os.O_RDONLY)]
    streams += [os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) for name in (".stdout", ".stderr")]
    print(os.getpid(), flush=True)  # noqa: T201
    for descriptor, stream in enumerate(streams):
        os.dup2(stream, descriptor)
    if limit := request["largest_file"]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(str(limit)),) * 2)


if __name__ == "__main__":
    serve()
