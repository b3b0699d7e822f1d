"""Every way in which a command can end has one message, one exit code, and with --json one object."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import pytest

from paper2code_local.cli.boundary import Boundary, say
from paper2code_local.errors import EngineError, InputError, P2CError, WriteError

Ended = tuple[int, str, str]


def end(
    capsys: pytest.CaptureFixture[str], command: Callable[[], object], *, json: bool = False, run: Path | None = None
) -> Ended:
    """Return exit code, standard output and standard error."""
    boundary = Boundary(["--json"] if json else [], {})
    boundary.run = run
    code = boundary.exit_code(command)
    out, err = capsys.readouterr()
    return code, out, err


def fail(error: BaseException) -> Callable[[], NoReturn]:
    def command() -> NoReturn:
        raise error

    return command


ENDINGS: list[tuple[BaseException, int, str]] = [
    *(
        (kind("reason", "what", "do this"), kind.exit_code, f"{kind.family}.reason")
        for kind in P2CError.__subclasses__()
    ),
    (click.UsageError("what"), 2, "usage.command_line"),
    (click.BadParameter("what"), 2, "usage.command_line"),
    (KeyboardInterrupt(), 130, "interrupted.sigint"),
    (ExceptionGroup("tasks", [ExceptionGroup("t", [EngineError("lost", "what", "do this")])]), 5, "engine.lost"),
    (ZeroDivisionError("what"), 70, "bug.unexpected"),
    (ExceptionGroup("tasks", [EngineError("lost", "", ""), KeyError("what")]), 70, "bug.unexpected"),
    (EOFError("what"), 70, "bug.unexpected"),
]


@pytest.mark.parametrize(("error", "code", "name"), ENDINGS, ids=[type(e).__name__ + n for e, _, n in ENDINGS])
def test_each_error_has_its_code_and_both_shapes(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, error: BaseException, code: int, name: str
) -> None:
    ended, out, err = end(capsys, fail(error), run=tmp_path)
    assert (ended, out) == (code, "")
    assert err.startswith("error: ")
    assert "\n  hint: " in err
    ended, out, err = end(capsys, fail(error), json=True, run=tmp_path)
    told = json.loads(out)
    assert (ended, err) == (code, "")
    assert (told["schema_version"], told["ok"], told["error"]["code"]) == (1, False, name)
    assert set(told) == {"schema_version", "ok", "error"}
    assert all(told["error"].values())


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (1, 1), (5, 5), ("text", 0)])
def test_a_command_returns_its_exit_code(capsys: pytest.CaptureFixture[str], returned: object, code: int) -> None:
    assert end(capsys, lambda: returned) == (code, "", "")


def test_a_bug_leaves_its_traceback_in_the_run_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = end(capsys, fail(ZeroDivisionError("surprise \x1b[2J")), run=tmp_path)
    assert code == 70
    assert "ZeroDivisionError: surprise" in (tmp_path / "traceback.txt").read_text()
    assert str(tmp_path / "traceback.txt") in err
    assert "report" in err
    assert "\x1b" not in err


def test_a_bug_without_a_run_folder_leaves_it_where_temporary_files_go(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    _, _, err = end(capsys, fail(ZeroDivisionError("surprise")))
    (trace,) = tmp_path.iterdir()
    assert "surprise" in trace.read_text()
    assert str(trace) in err


def test_a_bug_that_can_be_kept_nowhere_is_printed(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    code, _, err = end(capsys, fail(ZeroDivisionError("surprise")), run=tmp_path / "none")
    assert code == 70
    assert "Traceback (most recent call last)" in err


def test_an_interrupt_says_that_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert "same command again" in end(capsys, fail(KeyboardInterrupt()))[2]


def test_a_termination_unwinds_and_is_143(capsys: pytest.CaptureFixture[str]) -> None:
    closed: list[str] = []

    async def works() -> None:
        try:
            asyncio.get_running_loop().call_later(0.1, os.kill, os.getpid(), signal.SIGTERM)
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(30))
        finally:
            closed.append("engine")

    before = signal.getsignal(signal.SIGTERM)
    code, _, err = end(capsys, lambda: asyncio.run(works()))
    assert (code, closed) == (143, ["engine"])
    assert "same command again" in err
    assert signal.getsignal(signal.SIGTERM) == before


@pytest.mark.parametrize(
    ("args", "environ", "json_asked"),
    [
        (["validate", "--json", "x"], {}, True),
        (["validate", "--", "--json"], {}, False),
        (["validate", "x"], {"P2C_JSON": "1"}, True),
        (["validate", "x"], {"P2C_JSON": "0"}, False),
        ([], {}, False),
    ],
)
def test_json_is_asked_for_by_flag_or_environment(args: list[str], environ: dict[str, str], json_asked: bool) -> None:
    assert Boundary(args, environ).json is json_asked


def test_messages_hold_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = end(capsys, fail(InputError("x", "a \x1b]0;title\x07 name", "hint \x9b1m")))
    assert not {"\x1b", "\x07", "\x9b"} & set(err)


def run(code: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    """Run a command that says things, behind the boundary, in a process of its own."""
    start = "import sys; from paper2code_local.cli.boundary import Boundary, say\n"
    ending = "\nsys.exit(Boundary(sys.argv[1:], {}).exit_code(command))"
    stdout = options.pop("stdout", subprocess.PIPE)
    command = [sys.executable, "-c", start + code + ending]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, timeout=60, check=False, **options)


def test_a_reader_that_went_away_ends_us_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = run("def command():\n    for _ in range(9): say('x' * 9000)", stdout=writing)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, b"")


def test_a_full_standard_output_is_a_write_error() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = run("def command(): say('x')", stdout=full)
    assert ended.returncode == WriteError.exit_code
    assert ended.stderr.startswith(b"error: standard output cannot be written")
    assert ended.stderr.count(b"\n") == 2


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_no_character_fails_for_want_of_an_encoding(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    ended = run("def command(): say('caf\\u00e9 \\udcff \\U0001f600 end')", env=environment)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.startswith(b"caf")
    assert ended.stdout.endswith(b" end\n")


def test_say_leaves_no_escape_sequence(capsys: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[31mb\n\tc")
    assert capsys.readouterr().out == "a\ufffd[31mb\n\tc\n"
