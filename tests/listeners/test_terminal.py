"""A run on the terminal: everything on the given console, plain or live, and never silent for long."""

from __future__ import annotations

import io
import time

import pytest
from rich.console import Console

from paper2code_local.events import (
    AskedAgain,
    CallStarted,
    EngineReady,
    EngineStarting,
    Event,
    FileState,
    Notice,
    StageFinished,
    StageStarted,
)
from paper2code_local.listeners.terminal import TerminalView


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


RUN: tuple[Event, ...] = (
    StageStarted(stage="parse"),
    Notice(level="warning", message="no GROBID \x1b[2J[red]answers[/red]"),
    Notice(level="info", message="by the way"),
    StageFinished(stage="parse", seconds=1.5, note="12 sections"),
    StageStarted(stage="code"),
    EngineStarting(model="a-model", context=9000),
    EngineReady(seconds=31),
    FileState(path="model.py", state="coding"),
    CallStarted(label="code.model.py"),
    AskedAgain(label="code.model.py", reason="the answer is empty"),
    FileState(path="model.py", state="written"),
    StageFinished(stage="code", seconds=80, note="1 of 1 files"),
)


def shown(stream: io.StringIO, *, quiet: bool = False, verbose: bool = False) -> str:
    console = Console(file=stream, width=80, height=40, force_terminal=stream.isatty(), _environ={"TERM": "xterm"})
    with TerminalView(console, quiet, verbose) as view:
        for event in RUN:
            view(event)
    return stream.getvalue()


def test_plain_lines_tell_stages_engine_and_warnings() -> None:
    assert shown(io.StringIO()).splitlines() == [
        "parse: started",
        "warning: no GROBID \ufffd[2J[red]answers[/red]",
        "note: by the way",
        "parse: done in 1.5 s (12 sections)",
        "code: started",
        "engine: starting a-model with a context of 9,000 tokens; this may take minutes",
        "engine: ready after 31 s",
        "code: done in 80 s (1 of 1 files)",
    ]


def test_refused_answers_and_files_are_told_when_asked_for() -> None:
    lines = shown(io.StringIO(), verbose=True).splitlines()
    assert "asked again: code.model.py: the answer is empty" in lines
    assert "model.py: written" in lines


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_quiet_leaves_only_warnings(stream: type[io.StringIO]) -> None:
    assert [line[:7] for line in shown(stream(), quiet=True).replace("\x1b[33m", "").splitlines()] == ["warning"]


def test_long_lines_are_not_broken_in_a_file() -> None:
    stream = io.StringIO()
    with TerminalView(Console(file=stream, width=80), quiet=False, verbose=False) as view:
        view(Notice(level="info", message="word " * 60))
    assert len(stream.getvalue().splitlines()) == 1


def test_something_that_runs_is_never_silent_for_long() -> None:
    stream = io.StringIO()
    with TerminalView(Console(file=stream, width=200), quiet=False, verbose=False, silence=0.05) as view:
        view(StageStarted(stage="plan"))
        deadline = time.monotonic() + 10
        while "plan: 0." not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.01)
        view(StageFinished(stage="plan", seconds=1, note=""))
    assert "plan: 0." in stream.getvalue()


def test_when_nothing_runs_nothing_is_said() -> None:
    stream = io.StringIO()
    with TerminalView(Console(file=stream), quiet=False, verbose=False, silence=0.01):
        time.sleep(0.1)
    assert stream.getvalue() == ""


def test_the_live_view_ends_with_stages_files_and_numbers() -> None:
    text = shown(Terminal())
    last = text[text.rindex("parse") :]
    assert "12 sections" in last
    assert "1 of 1 files" in last
    assert "model.py" in last
    assert "written" in last
    assert "1 in flight" in last
    assert "\x1b[2J" not in text


def test_the_live_view_fits_its_terminal_however_many_files_there_are() -> None:
    stream = Terminal()
    console = Console(file=stream, width=80, height=30, force_terminal=True, _environ={"TERM": "xterm"})
    with TerminalView(console, quiet=False, verbose=False) as view:
        for i in range(90):
            view(FileState(path=f"f{i}.py", state="written" if i else "coding"))
    last = stream.getvalue()[-1500:]
    assert "f0.py" in last
    assert "and 76 more" in last


def test_colour_is_left_out_on_request() -> None:
    stream = Terminal()
    environment = {"TERM": "xterm", "NO_COLOR": "1"}
    console = Console(file=stream, width=80, force_terminal=True, _environ=environment)
    with TerminalView(console, quiet=False, verbose=False) as view:
        for event in RUN:
            view(event)
    assert "\x1b[32m" not in stream.getvalue()
    assert "\x1b[33m" not in stream.getvalue()


def test_nothing_goes_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    shown(io.StringIO(), verbose=True)
    shown(Terminal(), verbose=True)
    assert capsys.readouterr().out == ""
