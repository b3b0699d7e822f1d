"""`report` tells a run from its folder, whoever made the folder."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from paper2code_local.artifacts.finding import Finding
from paper2code_local.cli import main
from paper2code_local.events import AskedAgain, CallFinished, Checked, Event, StageFinished, StageStarted
from paper2code_local.listeners.jsonl import JsonLines
from paper2code_local.settings import MODEL_STAGES, ModelRecord, RunRecord

FINDING = Finding(code="P2C201", severity="error", path="a.py", line=4, message="names \x1b[2Jnothing", hint="mend it")
CALL = CallFinished(
    label="code.a.py", replayed=False, prompt_tokens=200, cached_tokens=150, completion_tokens=20, seconds=2
)
RUN: tuple[Event, ...] = (
    StageStarted(stage="parse"),
    StageFinished(stage="parse", seconds=1.25, note="3 sections \x1b[2J"),
    StageStarted(stage="code"),
    AskedAgain(label="code.a.py", reason="empty"),
    CALL,
    StageFinished(stage="code", seconds=200, note="1 of 1 files"),
    Checked(when="before_repair", findings=(FINDING, FINDING)),
    Checked(when="final", findings=(FINDING,)),
    StageStarted(stage="write"),
    StageFinished(stage="write", seconds=0.1, note=""),
)

MODEL = ModelRecord(id="a-model", spec="a-model", identity="1" * 64, context=9000, paper_budget=5000)


def make(folder: Path, events: tuple[Event, ...] = RUN) -> Path:
    (folder / "out").mkdir(exist_ok=True)
    record = RunRecord(
        paper="paper\x1b.pdf",
        paper_sha256="0" * 64,
        parser="pdf",
        models=dict.fromkeys(MODEL_STAGES, MODEL),
        seed=7,
        version="0",
        out=str(folder / "out"),
    )
    (folder / "run.json").write_text(record.model_dump_json())
    with JsonLines(folder / "events.jsonl") as log:
        for event in events:
            log(event)
    return folder


def report(run: Path, *args: str) -> Result:
    return CliRunner().invoke(main, ["report", str(run), *args])


def test_a_person_reads_the_whole_story(tmp_path: Path) -> None:
    told = report(make(tmp_path))
    assert told.exit_code == 0
    for part in (
        "read by pdf",
        "a-model, context 9,000, seed 7",
        str(tmp_path / "out"),
        "1 (0 from the run folder), 1 answers refused",
        "200 of prompts (75% cached), 20 of answers",
        "3 min 20 s",
        "     4  error P2C201 names",
        "1 error, 0 warnings",
    ):
        assert part in told.output
    assert "\x1b" not in told.output


def test_a_machine_reads_the_same(tmp_path: Path) -> None:
    told = json.loads(report(make(tmp_path), "--json").stdout)
    assert (told["schema_version"], told["ok"], told["stopped_in"], told["attempts"]) == (1, False, None, 1)
    assert told["repo"] == str(tmp_path / "out")
    assert (told["calls"], told["reasked"]) == (1, 1)
    assert told["tokens"] == {"prompt": 200, "cached": 150, "completion": 20}
    assert told["seconds"] == {"parse": 1.25, "code": 200, "write": 0.1}
    assert (told["before_repair"], len(told["findings"])) == ({"P2C201": 2}, 1)


def test_a_run_that_was_killed_says_where_and_how_to_go_on(tmp_path: Path) -> None:
    told = report(make(tmp_path, RUN[:4])).output
    assert "repository  not written" in told
    assert "code        " in told
    assert "stopped" in told
    assert "generate" in told


def test_of_several_attempts_the_last_is_told(tmp_path: Path) -> None:
    make(tmp_path, RUN[:5])
    told = json.loads(report(make(tmp_path), "--json").stdout)
    assert (told["attempts"], told["calls"], told["stopped_in"]) == (2, 1, None)


def test_a_repository_that_was_moved_away_is_not_named(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "out").rmdir()
    assert "no longer where it was" in report(tmp_path).output
    assert json.loads(report(tmp_path, "--json").stdout)["repo"] is None


def test_what_is_no_run_folder_is_3(tmp_path: Path) -> None:
    for place in (tmp_path, tmp_path / "none", Path(__file__)):
        told = report(place, "--json")
        assert told.exit_code == 3
        assert json.loads(told.stdout)["error"]["code"] == "input.not_a_run"


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b"[" * 100_000, b'{"paper": 1}', b"{}" + b" " * (2 << 20)])
def test_a_run_record_that_is_none_costs_only_what_it_told(tmp_path: Path, content: bytes) -> None:
    (make(tmp_path) / "run.json").write_bytes(content)
    told = report(tmp_path)
    assert told.exit_code == 0
    assert told.output.startswith("run.json is missing or cannot be read")
    assert "1 answers refused" in told.output


def test_a_pipe_in_the_place_of_a_file_does_not_hold_us(tmp_path: Path) -> None:
    make(tmp_path)
    for name in ("run.json", "events.jsonl"):
        (tmp_path / name).unlink()
        os.mkfifo(tmp_path / name)
    assert report(tmp_path).exit_code == 3
