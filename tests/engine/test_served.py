"""A server that is kept warm: whose state file is believed, when it fits, how vLLM is started."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from paper2code_local import __version__
from paper2code_local.engine import served, sizing
from paper2code_local.engine.served import Process, Served
from paper2code_local.errors import EngineError, UsageError, WriteError


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"XDG_RUNTIME_DIR": str(tmp_path)}


@pytest.fixture
def state(environ: dict[str, str]) -> Iterator[Served]:
    """What a server that is running says of itself; it listens, and says nothing."""
    with served.place(environ) as place, socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(place / served.SOCKET))
        listening.listen()
        kept = Served(
            socket=str(place / served.SOCKET),
            pid=os.getpid(),
            model="tiny",
            identity="abc",
            context=4096,
            cache=70_000,
            vllm=served.vllm_version(),
            version=__version__,
        )
        served.keep(place, kept)
        yield kept


def test_what_is_running_is_found(environ: dict[str, str], state: Served) -> None:
    assert served.running(environ) == state
    assert served.home(environ).stat().st_mode & 0o777 == 0o700
    assert (served.home(environ) / served.STATE).stat().st_mode & 0o777 == 0o600


def test_nothing_is_found_where_nothing_runs(environ: dict[str, str]) -> None:
    assert served.running(environ) is None
    with served.place(environ):
        assert served.running(environ) is None


def test_a_server_that_no_longer_listens_is_not_running(environ: dict[str, str], state: Served) -> None:
    Path(state.socket).unlink()
    assert served.running(environ) is None


@pytest.mark.parametrize("mode", [0o640, 0o602, 0o666])
def test_what_others_may_read_or_write_is_not_believed(environ: dict[str, str], state: Served, mode: int) -> None:
    (served.home(environ) / served.STATE).chmod(mode)
    assert served.running(environ) is None


def test_a_folder_that_others_may_enter_is_not_believed(environ: dict[str, str], state: Served) -> None:
    served.home(environ).chmod(0o755)
    assert served.running(environ) is None


def test_a_link_is_not_followed(environ: dict[str, str], state: Served, tmp_path: Path) -> None:
    path = served.home(environ) / served.STATE
    path.rename(tmp_path / "elsewhere.json")
    path.symlink_to(tmp_path / "elsewhere.json")
    assert served.running(environ) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_file_of_somebody_else_is_not_believed(environ: dict[str, str], state: Served) -> None:
    os.chown(served.home(environ) / served.STATE, 12345, -1)
    assert served.running(environ) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"socket": 1}', "\0" * 100])
def test_what_is_no_state_is_not_believed(environ: dict[str, str], state: Served, text: str) -> None:
    (served.home(environ) / served.STATE).write_text(text)
    assert served.running(environ) is None


def test_a_second_server_is_refused_and_says_which_runs(environ: dict[str, str], state: Served) -> None:
    with pytest.raises(UsageError) as raised, served.place(environ):
        pass
    assert "tiny" in raised.value.message
    assert served.running(environ) == state, "the first one goes on"


def test_what_a_killed_server_left_is_swept_up(environ: dict[str, str]) -> None:
    with served.place(environ) as place:
        pass
    (place / served.STATE).write_text("{}")
    (place / served.SOCKET).write_text("")
    with served.place(environ):
        assert not (place / served.STATE).exists()
        assert not (place / served.SOCKET).exists()


def test_a_path_that_is_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(WriteError) as raised, served.place({"XDG_RUNTIME_DIR": str(tmp_path / ("x" * 100))}):
        pass
    assert "XDG_RUNTIME_DIR" in raised.value.hint


@pytest.mark.parametrize(
    ("change", "context", "fits"),
    [
        ({}, 4096, True),
        ({}, 4097, False),
        ({"identity": "other"}, 1000, False),
        ({"version": "0.0.0"}, 1000, False),
        ({"vllm": "0.1"}, 1000, False),
    ],
)
def test_it_is_used_only_where_it_answers_as_ours_would(
    state: Served, change: dict[str, str], context: int, fits: bool
) -> None:
    assert (not state.model_copy(update=change).unfit("abc", context)) == fits


def test_the_command_line_says_what_our_own_engine_is_told() -> None:
    settings = {"model": "/m", "max_model_len": 2048, "enforce_eager": True, "x_y": False, "grammar": {"backend": "g"}}
    words = served.command(Path("/run/s.sock"), "tiny", settings)
    said = " ".join(words)
    for part in ("--uds /run/s.sock", "--served-model-name tiny", "--model /m", "--max-model-len 2048", "--no-x-y"):
        assert part in said
    assert '--grammar {"backend": "g"}' in said
    assert words[words.index("--enforce-eager") + 1].startswith("--")
    quantised = served.command(Path("/run/s.sock"), "tiny", settings | {"quantization": sizing.INT8})
    assert "engine.int8" in " ".join(quantised), "vLLM knows it only where it is registered"
    assert "engine.int8" not in said


def process(folder: Path, program: str, stdout: int | None = None) -> Process:
    child = subprocess.Popen([sys.executable, "-S", "-c", program], stdout=stdout, start_new_session=True)
    return Process(child, os.open(os.devnull, os.O_RDONLY), folder)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / served.LOG).write_text("INFO fine\nValueError: no such dtype\nbye\n")
    started = process(tmp_path, "raise SystemExit(3)")
    with pytest.raises(EngineError) as raised:
        started.wait_ready(lambda: None)
    started.stop()
    assert "no such dtype" in raised.value.message
    assert served.LOG in raised.value.hint


def test_a_server_that_ends_by_itself_is_lost(tmp_path: Path) -> None:
    started = process(tmp_path, "pass")
    with pytest.raises(EngineError) as raised:
        started.wait()
    started.stop()
    assert raised.value.code == "engine.lost"


def test_its_children_end_with_it(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    program = "import os, time; os.fork(); print(end='x', flush=True); time.sleep(60)"
    started = process(tmp_path, program, write_end)
    os.close(write_end)
    assert os.read(read_end, 1) == b"x"
    started.stop()
    while os.read(read_end, 9):  # until nobody holds the other end any more
        pass
    os.close(read_end)
