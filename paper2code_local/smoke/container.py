"""podman or docker, for machines where bubblewrap cannot be used: an image that the user names, without network.

In: the name of an image that is already there. Out: the runner, in a container of its own. Must not know what the
runner does. Nothing is pulled.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from paper2code_local.artifacts.smoke import SmokePolicy
from paper2code_local.smoke.sandbox import ENVIRONMENT, SCRATCH

ENGINES = ("podman", "docker")
_SECONDS = 30.0
_HIDDEN = frozenset({"PATH"})
"""The image's own."""


@dataclass(frozen=True, slots=True)
class Container:
    """Sandboxes made by podman or docker."""

    program: str
    image: str
    identity: str
    """The image's digest."""

    @property
    def name(self) -> str:
        """Say what keeps the code in."""
        return f"{Path(self.program).name} {self.image}"

    def start(self, staged: Path, policy: SmokePolicy) -> RunningContainer:
        """Start the runner on `staged`. Raises OSError."""
        label = f"p2c-smoke-{secrets.token_hex(8)}"
        said = tempfile.TemporaryFile()  # noqa: SIM115 (closed when it has ended)
        process = subprocess.Popen(
            [self.program, "run", "--name", label, *options(staged, policy), self.image, "-I", "-B", "/runner.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,
        )
        return RunningContainer(process, (self.program, "rm", "--force", label), said)


class RunningContainer:
    """A container with all its processes."""

    def __init__(self, process: subprocess.Popen[bytes], remove: tuple[str, ...], said: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.job, self.out = process.stdin, process.stdout
        self._process, self._remove, self._said = process, remove, said

    def ended(self) -> bool:
        """Tell whether the runner has ended by itself."""
        return self._process.poll() is not None

    def memory(self) -> int:
        """Return 0: the container has a limit of its own."""
        return 0

    def end(self) -> int:
        """Remove the container with whatever runs in it."""
        if not self.ended():
            with suppress(OSError, subprocess.SubprocessError):
                subprocess.run(self._remove, capture_output=True, timeout=_SECONDS, check=False)
            self._process.kill()
        self.out.close()
        with suppress(OSError):
            self.job.close()
        return self._process.wait()

    def said(self) -> str:
        """Return what podman or docker complained of."""
        with self._said as said:
            said.seek(0)
            return said.read(2000).decode("utf-8", "replace").strip()


def container(image: str) -> Container | str:
    """Find an engine that has `image`; where there is none, say why."""
    reason = "neither podman nor docker is installed"
    for program in filter(None, map(shutil.which, ENGINES)):
        ask = (program, "image", "inspect", "--format", "{{.Id}}", image)
        try:
            done = subprocess.run(ask, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"{Path(program).name} cannot be started: {error}"
            continue
        if done.returncode == 0:
            return Container(program, image, done.stdout.strip()[:200])
        reason = f"{Path(program).name} has no image {image}: {' '.join(done.stderr.split())[:200]}"
    return reason


def options(staged: Path, policy: SmokePolicy) -> list[str]:
    """Return the options that cut a container off and bound it; the image's `python3` is what is started."""
    given = [f"{name}={value}" for name, value in ENVIRONMENT.items() if name not in _HIDDEN]
    return [
        *("--rm", "--interactive", "--pull", "never", "--network", "none", "--read-only", "--workdir", "/repo"),
        *("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--security-opt", "label=disable"),
        *("--user", "65534:65534", "--pids-limit", str(policy.processes)),
        *("--memory", str(policy.memory), "--memory-swap", str(policy.memory)),
        *("--tmpfs", f"{SCRATCH}:rw,mode=1777,size={policy.disk}"),
        *("--volume", f"{staged / 'repo'}:/repo:ro", "--volume", f"{staged / 'runner.py'}:/runner.py:ro"),
        *(word for variable in given for word in ("--env", variable)),
        *("--entrypoint", "python3"),
    ]
