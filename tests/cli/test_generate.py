"""`generate` as people run it: killed and started again, every bad input, one object with --json."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import grobid_stand_in
from tests.command_line import CommandLine, Told
from tests.grobid_stand_in import StandIn
from tests.pdf_writer import Sheet, pdf
from tests.small_model import write_model
from tests.tei_fixtures import tei
from tests.test_pipeline import BODY, contents, write_paper

KEYS = {
    *("schema_version", "ok", "repo", "run", "findings", "stubbed", "config", "calls", "reasked", "tokens", "seconds"),
    *("model", "parser"),
}
FAULTY = ("--seed", "6", "--engine-arg", "faults=0.12")


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with CommandLine() as started:
        yield started


def generate(cli: CommandLine, folder: Path, *args: object, largest_file: int = 0) -> Told:
    """Run `generate ARGS -o out` in `folder`."""
    return cli.run(folder, "generate", *args, "-o", "out", largest_file=largest_file)


# -- killed and started again ------------------------------------------------------------------------------------------


def calls(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Return inode, size and time of every whole answer that is kept."""
    found = {path: path.stat() for path in folder.glob("runs/*/calls/[!.]*.json")}
    return {path: (stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found.items()}


def killed_when_there_are(count: int, cli: CommandLine, folder: Path) -> bool:
    """Start a run and kill it, and all that it started, as soon as so many answers are kept; tell whether it was."""
    slow = ("-q", *FAULTY, "--engine-arg", "delay=0.01")
    pid = cli.start(folder, "generate", "cooling.tei.xml", "-o", "out", *slow)
    deadline = time.monotonic() + 30
    while len(calls(folder)) < count and time.monotonic() < deadline:
        time.sleep(0.002)
    os.killpg(pid, signal.SIGKILL)
    return cli.wait(folder, pid).returncode == -signal.SIGKILL


@pytest.mark.thorough
def test_killed_at_ten_points_no_answer_is_asked_for_again_and_the_result_is_the_same(
    cli: CommandLine, tmp_path: Path
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
        write_paper(folder)
    told = generate(cli, whole, "cooling.tei.xml", *FAULTY)
    assert told.returncode in (0, 1), told.stderr
    all_calls = len(calls(whole))
    assert all_calls > 20
    kills, before = 0, calls(broken)
    for point in range(10):
        kills += killed_when_there_are(1 + point * (all_calls - 1) // 9, cli, broken)
        after = calls(broken)
        assert before.items() <= after.items(), "an answer that was there was written again"
        before = after
    assert kills >= 9
    again = generate(cli, broken, "cooling.tei.xml", *FAULTY)
    assert (again.returncode, again.stdout.split("repository")[0].splitlines()[:-1]) == (
        told.returncode,
        told.stdout.split("repository")[0].splitlines()[:-1],
    )
    assert before.items() <= calls(broken).items()
    assert {path.name for path in calls(broken)} == {path.name for path in calls(whole)}
    assert contents(broken / "out") == contents(whole / "out")
    for name in ("1-paper.json", "2-plan.json", "5-findings.json"):
        (one,), (other,) = (list(folder.glob(f"runs/*/{name}")) for folder in (whole, broken))
        assert one.read_bytes() == other.read_bytes()
    assert not list(broken.rglob("*.tmp")), "what a killed run left half written is swept up"


# -- one object, whatever the exit -------------------------------------------------------------------------------------


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    return write_paper(tmp_path)


def test_json_is_one_object_with_the_documented_keys(cli: CommandLine, paper: Path) -> None:
    folder = paper.parent
    told = generate(cli, folder, paper, "--json", *FAULTY, "--events", "e.jsonl")
    said = json.loads(told.stdout)
    assert set(said) >= KEYS
    assert said["schema_version"] == 1
    assert told.returncode == (0 if said["ok"] else 1)
    assert said["ok"] == (not [f for f in said["findings"] if f["severity"] == "error"])
    assert Path(said["repo"]) == folder / "out"
    assert set(said["stubbed"]) == {"files", "names"}
    assert set(said["config"]) == {"traced", "untraced", "assumed"}
    assert set(said["tokens"]) == {"prompt", "cached", "completion"}
    assert {"parse", "plan", "analyse", "code"} <= set(said["seconds"])
    assert (said["model"], said["parser"]) == ("scripted", "tei")
    assert said["calls"] == len(calls(folder))
    assert said["reasked"] > 0
    first, *_ = (folder / "e.jsonl").read_text().splitlines()
    assert json.loads(first)["event"] == "stage_started"


BROKEN = f'<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body>{BODY}'.encode()
DOCTYPE = b'<!DOCTYPE TEI [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + tei(BODY)
TEXT = Sheet()
TEXT.heading("1 Introduction")
TEXT.text("We cool a softmax while we train it. " * 9)
IMAGE = Sheet()
IMAGE.image()
LONG = "".join(
    f"<biblStruct><analytic><title>Kettle {n} of the year</title></analytic></biblStruct>" for n in range(5000)
)


@pytest.mark.parametrize(
    ("content", "args", "code", "error"),
    [
        (None, (), 3, "input."),
        (b"", (), 3, "input."),
        (b"A paper \0 in no words.", (), 3, "input.unknown_format"),
        (pdf(TEXT, encrypt=True), (), 3, "input.encrypted"),
        (pdf(IMAGE), (), 3, "input."),
        (pdf(TEXT)[:300], (), 3, "input."),
        (b"<html><body/></html>", (), 3, "input."),
        (BROKEN, (), 3, "input."),
        (DOCTYPE, (), 3, "input."),
        (tei(f"<div><head>Much</head><p>{'kettle ' * 40_000}</p></div>"), (), 3, "input.too_long"),
        (tei(BODY), ("--notes", "absent.md"), 3, "input.notes"),
        (pdf(TEXT), ("--parser", "grobid", "--grobid", "http://127.0.0.1:9"), 4, "grobid."),
        (tei(BODY), ("--engine", "vllm", "--model", "no-such-model"), 5, "model."),
        (tei(BODY), ("--engine", "vllm", "--model", "no-template"), 5, "model."),
        (tei(BODY), ("--engine-arg", "faults=1"), 6, "answer.overview"),
        (tei(BODY), ("--engine-arg", "faults=high"), 2, "usage.engine_arg"),
        (tei(BODY), ("--attempts", "0"), 2, "usage.command_line"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_bad_input_has_its_code_one_message_and_leaves_nothing(
    cli: CommandLine, tmp_path: Path, content: bytes | None, args: tuple[str, ...], code: int, error: str
) -> None:
    if content is not None:
        (tmp_path / "paper").write_bytes(content)
    write_model(tmp_path / "no-template")
    (tmp_path / "no-template/chat_template.jinja").unlink()
    before = contents(tmp_path)
    told = generate(cli, tmp_path, "paper", "--json", *args)
    assert told.returncode == code, told.stdout + told.stderr
    said = json.loads(told.stdout)
    assert (said["schema_version"], said["ok"]) == (1, False)
    assert said["error"]["code"].startswith(error)
    assert said["error"]["message"]
    assert said["error"]["hint"]
    assert not (tmp_path / "out").exists()
    if not error.startswith("answer."):
        assert contents(tmp_path) == before
        assert not (tmp_path / "runs").exists()


def test_a_page_that_is_no_answer_of_grobid_is_4(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(pdf(TEXT))
    with StandIn(faults=[grobid_stand_in.html] * 9) as grobid:
        told = generate(cli, tmp_path, "paper.pdf", "--parser", "grobid", "--grobid", grobid.url)
    assert (told.returncode, told.stdout) == (4, "")
    assert told.stderr.count("error: ") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.thorough
def test_a_paper_of_grobid_is_asked_for_once(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(pdf(TEXT))
    with StandIn(tei(BODY)) as grobid:
        told = generate(cli, tmp_path, "paper.pdf", "--until", "plan", "--grobid", grobid.url, "--json")
        assert len(grobid.received) == 1
    assert json.loads(told.stdout)["parser"] == "grobid"
    again = generate(cli, tmp_path, "paper.pdf", "--until", "plan", "--grobid", grobid.url, "--json")
    assert json.loads(again.stdout)["parser"] == "grobid", "with the server gone the run goes on as it began"


def test_a_long_paper_is_cut_in_the_stated_order_and_says_so(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "long.tei.xml").write_bytes(tei(BODY, f"<listBibl>{LONG}</listBibl>"))
    told = generate(cli, tmp_path, "long.tei.xml", "--until", "plan")
    assert told.returncode == 0, told.stderr
    assert "cut: references" in told.stderr


def test_a_folder_that_is_not_ours_is_refused_before_any_question(cli: CommandLine, paper: Path) -> None:
    folder = paper.parent
    (folder / "out").mkdir()
    (folder / "out/thesis.txt").write_text("mine")
    told = generate(cli, folder, paper)
    assert (told.returncode, told.stdout) == (7, "")
    assert "thesis.txt" in told.stderr
    assert contents(folder / "out") == {"thesis.txt": b"mine"}
    assert not (folder / "runs").exists()


@pytest.mark.thorough
def test_a_full_disk_is_7_and_the_same_command_goes_on(cli: CommandLine, paper: Path) -> None:
    folder = paper.parent
    full = generate(cli, folder, paper, "--json", largest_file=6_000)
    assert full.returncode == 7, full.stderr
    assert json.loads(full.stdout)["error"]["code"] == "write.failed"
    assert not (folder / "out").exists()
    told = generate(cli, folder, paper, "-q")
    assert told.returncode in (0, 1), told.stderr
    assert (folder / "out/main.py").is_file()


def test_an_estimate_needs_no_engine_and_writes_nothing(cli: CommandLine, paper: Path) -> None:
    folder = paper.parent
    before = contents(folder)
    told = generate(cli, folder, paper, "--dry-run", "--json")
    assert told.returncode == 0
    said = json.loads(told.stdout)
    assert said["estimate"]["calls"] > 10
    assert said["paper_tokens"] > 20
    assert contents(folder) == before


# -- quick help --------------------------------------------------------------------------------------------------------


def test_help_takes_no_longer_than_four_times_importing_click() -> None:
    def seconds(*args: str) -> float:
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([sys.executable, *args], capture_output=True, check=True)
            times.append(time.perf_counter() - started)
        return statistics.median(times)

    assert seconds("-m", "paper2code_local", "--help") < 4 * seconds("-c", "import click")


@pytest.mark.sandbox
def test_the_result_is_imported_in_a_sandbox_and_a_second_run_remembers(cli: CommandLine, tmp_path: Path) -> None:
    write_paper(tmp_path)
    told = generate(cli, tmp_path, "cooling.tei.xml", "--smoke", "--json")
    said = json.loads(told.stdout)["smoke"]
    assert said["ok"] >= 1
    assert said["failed"] == 0
    page = (tmp_path / "out" / "VALIDATION.md").read_text()
    assert "| main.py | import | ok |" in page
    again = generate(cli, tmp_path, "cooling.tei.xml", "--smoke", "--json")
    assert json.loads(again.stdout)["smoke"] == said
    assert (tmp_path / "out" / "VALIDATION.md").read_text() == page


def test_what_is_not_imported_says_why(cli: CommandLine, tmp_path: Path) -> None:
    write_paper(tmp_path)
    told = generate(cli, tmp_path, "cooling.tei.xml", "--json")
    assert json.loads(told.stdout)["smoke"] == {"skipped": "not asked for"}
    assert "The code was not run: not asked for." in (tmp_path / "out" / "VALIDATION.md").read_text()
