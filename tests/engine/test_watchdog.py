"""When ours is gone, however it went, its engine is gone within seconds; nobody else is touched."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from paper2code_local.engine import watchdog
from paper2code_local.modelstore.folder import ModelFolder

SECONDS = 5.0
MARKER = "P2C_TEST_MARKER"
GUARDED = """
import os, subprocess, sys, time
from paper2code_local.engine import watchdog
pipe = watchdog.guard()
sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(sleeper, start_new_session=True)
del os.environ[watchdog.MARK]
other = subprocess.Popen(sleeper, start_new_session=True)
print(os.getpid(), child.pid, other.pid, flush=True)
if "close" in sys.argv:
    os.close(pipe)
time.sleep(60)
"""
ENGINE = """
import asyncio, os, sys
from pathlib import Path
from paper2code_local.engine import sizing, vllm
from paper2code_local.engine.hardware import hardware
from paper2code_local.engine.recorded import RecordedEngine
from paper2code_local.modelstore.folder import model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.session import shape_of, tokenizer_of
from tests.engine.test_contract import ask
from tests.engine.test_recorded import Memory

folder = model_folder("smollm2-135m-instruct", default_store(os.environ))
arguments = sizing.engine_args(hardware(), shape_of(folder), sizing.Need(context=1024, in_flight=4))

async def start():
    return await vllm.start(folder.path, folder.identity, tokenizer_of(folder), arguments, Path(sys.argv[1]))

async def main():
    memory = Memory()
    engine = RecordedEngine(folder.identity, True, start, memory, memory)
    await engine.complete(ask("Anything?", max_tokens=4))
    print("answered", flush=True)
    sys.stdin.readline()
    await engine.complete(ask("Anything else?", max_tokens=4))
    print("answered", flush=True)
    sys.stdin.read()

if __name__ == "__main__":
    asyncio.run(main())
"""


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def within(seconds: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def carrying(marker: str) -> set[int]:
    """Return the running processes whose environment carries `marker`."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"{MARKER}={marker}".encode() in environment and alive(int(entry.name)):
            found.add(int(entry.name))
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, "close"])
def test_the_engine_ends_with_us_and_nobody_else_does(end: signal.Signals | str) -> None:
    """The shell that called us goes on; so does what we started that is no part of the engine."""
    marker = secrets.token_hex(8)
    command = ["sh", "-c", '"$@"; echo shell went on', "sh", sys.executable, "-c", GUARDED, str(end)]
    environment = os.environ | {MARKER: marker}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as shell:
        assert shell.stdout is not None
        ours, child, other = map(int, shell.stdout.readline().split())
        try:
            if isinstance(end, signal.Signals):
                assert alive(child)
                os.kill(ours, end)
                assert shell.stdout.readline() == "shell went on\n"
            assert within(SECONDS, lambda: not alive(child))
            assert alive(other)
            assert alive(ours) == (end == "close")
        finally:
            for pid in {ours, child, other} & carrying(marker):
                os.kill(pid, signal.SIGKILL)
    assert within(SECONDS, lambda: not carrying(marker)), "the watchdog itself has ended too"


def test_the_watchdog_does_not_carry_the_mark() -> None:
    """It would kill itself first."""
    script = "import os, time; from paper2code_local.engine import watchdog; watchdog.guard(); time.sleep(1);"
    script += "assert watchdog.marked(os.environ[watchdog.MARK]) == []"
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    assert watchdog.MARK not in os.environ


@pytest.mark.engine
def test_a_real_engine_is_replaced_when_killed_and_dies_with_us(tiny_model: ModelFolder, tmp_path: Path) -> None:
    """First vLLM's own process is killed: the next question has a new one. Then we are: no process is left."""
    marker = secrets.token_hex(8)
    script = tmp_path / "run_engine.py"
    script.write_text(ENGINE)
    environment = os.environ | {MARKER: marker, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, script, tmp_path / "engine.log"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as ours:
        assert ours.stdout is not None
        assert ours.stdin is not None
        try:
            assert ours.stdout.readline() == "answered\n", (tmp_path / "engine.log").read_text()[-2000:]
            children = heavy(carrying(marker) - {ours.pid})
            assert children
            for pid in children:
                os.kill(pid, signal.SIGKILL)
            ours.stdin.write("\n")
            ours.stdin.flush()
            assert ours.stdout.readline() == "answered\n", (tmp_path / "engine.log").read_text()[-2000:]
            assert heavy(carrying(marker) - {ours.pid})
        finally:
            ours.kill()
            ours.wait()
            gone = within(SECONDS, lambda: not carrying(marker))
            for pid in carrying(marker):
                os.kill(pid, signal.SIGKILL)
        assert gone


def heavy(pids: set[int]) -> set[int]:
    """Return those that hold more than 300 MB: vLLM's core, not its small helpers."""
    page = os.sysconf("SC_PAGE_SIZE")
    return {pid for pid in pids if int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * page > 300 << 20}
