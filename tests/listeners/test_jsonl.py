"""Events survive the way to a file and back, whatever happened to the file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from paper2code_local.artifacts.finding import Finding
from paper2code_local.errors import InputError, WriteError
from paper2code_local.events import CallFinished, Checked, Event, Notice, StageStarted, Tokens
from paper2code_local.listeners.jsonl import JsonLines, read_events

FINDING = Finding(code="P2C101", severity="error", path="a.py", line=3, message="no “Python”\nat all", hint="")
EVENTS: tuple[Event, ...] = (
    StageStarted(stage="parse"),
    Notice(level="warning", message="two\nlines \u2028 and é"),
    CallFinished(
        label="code.a.py", replayed=False, prompt_tokens=10, cached_tokens=8, completion_tokens=3, seconds=0.25
    ),
    Checked(when="final", findings=(FINDING,)),
    Tokens(count=7),
)


def write(path: Path, events: tuple[Event, ...] = EVENTS) -> None:
    with JsonLines(path) as log:
        for event in events:
            log(event)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write(tmp_path / "new" / "events.jsonl")
    assert read_events(tmp_path / "new" / "events.jsonl") == EVENTS


def test_every_event_is_one_json_line_with_a_time(tmp_path: Path) -> None:
    write(tmp_path / "e")
    lines = (tmp_path / "e").read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [datetime.fromisoformat(json.loads(line)["t"]).utcoffset() is not None for line in lines] == [True] * 5


def test_an_event_is_there_before_the_log_is_closed(tmp_path: Path) -> None:
    with JsonLines(tmp_path / "e") as log:
        log(EVENTS[0])
        assert read_events(tmp_path / "e") == EVENTS[:1]


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_torn_by_a_kill_costs_only_itself(tmp_path: Path, cut: int) -> None:
    write(tmp_path / "e")
    data = (tmp_path / "e").read_bytes()
    (tmp_path / "e").write_bytes(data[:-cut])
    write(tmp_path / "e")
    kept = read_events(tmp_path / "e")
    assert kept[-len(EVENTS) :] == EVENTS
    assert len(kept) in (2 * len(EVENTS) - 1, 2 * len(EVENTS) - 2, 2 * len(EVENTS))


@pytest.mark.parametrize(
    "line", [b"", b"null", b"[]", b"{}", b'{"event": "of the future"}', b"[" * 100_000, b"\xff\xfe", b'{"event": {}}']
)
def test_lines_that_hold_no_event_are_left_out(tmp_path: Path, line: bytes) -> None:
    write(tmp_path / "e", EVENTS[:1])
    with (tmp_path / "e").open("ab") as stream:
        stream.write(line + b"\n")
    write(tmp_path / "e", EVENTS[1:])
    assert read_events(tmp_path / "e") == EVENTS


def test_no_file_is_an_error_of_the_input(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        read_events(tmp_path)
    assert raised.value.code == "input.no_events"


def test_a_full_disk_is_an_error_that_says_what_to_do() -> None:
    with JsonLines(Path("/dev/full")) as log, pytest.raises(WriteError) as raised:
        log(EVENTS[0])
    assert "space" in raised.value.hint


def test_a_folder_in_the_way_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WriteError):
        JsonLines(tmp_path)
