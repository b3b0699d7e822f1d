"""What comes out of a sandbox is a stranger's, whatever it says."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Event
from typing import IO

import pytest

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.smoke import SmokePolicy, Trial
from paper2code_local.smoke.jobs import Job
from paper2code_local.smoke.judging import judged
from paper2code_local.smoke.trying import Ended, Step, tried

JOB = Job("pkg/model.py", "import", "pkg.model", ("/repo",), ())
HELP = Job("main.py", "help", "", ("/repo",), ())
FILES = {"pkg/model.py", "main.py", "data.txt"}
RAISED = Step(step="raised", type="ValueError", file="/repo/main.py", line=3)


class Saying:
    """A sandbox of one Python program, which finds its job on standard input and is no sandbox at all."""

    name = identity = "none"

    def __init__(self, program: str) -> None:
        self._program = program

    def start(self, staged: Path, policy: SmokePolicy) -> Said:
        return Said(Popen([sys.executable, "-S", "-c", self._program], stdin=PIPE, stdout=PIPE))


class Said:
    def __init__(self, process: Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self.job: IO[bytes] = process.stdin
        self.out: IO[bytes] = process.stdout
        self._process = process

    def ended(self) -> bool:
        return self._process.poll() is not None

    def memory(self) -> int:
        return 0

    def end(self) -> int:
        self._process.kill()
        with self._process as process:
            return process.wait()

    def said(self) -> str:
        return ""


def after(program: str, seconds: float = 10.0) -> Ended:
    start = "import json, sys, time\njob = json.load(sys.stdin)\nnonce = job['nonce']\n"
    return tried(Saying(start + program), Path(), JOB, SmokePolicy(), seconds, Event())


def test_only_lines_with_the_nonce_and_of_known_shape_count() -> None:
    lines = [
        '{"step": "ok"}',
        "NONCE{",
        'NONCE{"step": "ok", "more": 1}',
        'NONCE{"step": "ok", "left": "x"}',
        "NONCE" + "[" * 20_000,
        'NONCE{"step": "text", "text": "first"}',
        'NONCE{"step": "text", "text": "second"}',
    ]
    ended = after(f"for line in {lines!r}: print(line.replace('NONCE', nonce))")
    assert [step.text for step in ended.steps] == ["first", "second"]
    assert (ended.how, ended.code, ended.step("ok")) == ("by itself", 0, None)
    first = ended.step("text")
    assert first is not None
    assert first.text == "first"


def test_what_goes_on_is_ended() -> None:
    assert after("while True: print('x' * 1000)").how == "output"
    assert after("print(nonce + json.dumps({'step': 'ok'}), flush=True)\ntime.sleep(1e6)", 0.3).how == "time"


def judge(*steps: Step, job: Job = JOB, code: int = 0) -> tuple[Trial, tuple[Finding, ...]]:
    return judged(job, Ended(steps, "by itself", code, 0.1, ""), FILES, SmokePolicy())


@pytest.mark.parametrize("file", ["/repo/../etc/passwd", "/etc/passwd", "/repo/data.txt", "/repo/none.py", "\x1b", ""])
def test_a_place_that_is_no_file_of_the_repository_is_not_believed(file: str) -> None:
    _, (finding,) = judge(RAISED.model_copy(update={"file": file}))
    assert (finding.path, finding.line) == ("pkg/model.py", 0)


def test_text_is_printable_short_and_on_one_line() -> None:
    text = Step(step="text", text="a\nb\x1b[31m\u202e" + "x" * 10_000)
    trial, (finding,) = judge(RAISED, text)
    assert finding.message.startswith("importing it fails: ValueError: a b\ufffd[31m\ufffdxxx")
    assert finding.message.isprintable()
    assert len(finding.message) < 600
    assert trial.reason in finding.message


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (
            {"kinds": ("ImportError", "ModuleNotFoundError"), "name": "torch.nn", "file": "/repo/pkg/model.py"},
            "not installed",
        ),
        ({"kinds": ("ImportError", "ModuleNotFoundError"), "name": "torch.nn"}, "not checked"),
        ({"kinds": ("ImportError", "ModuleNotFoundError"), "name": "torch.nn", "found": True}, "failed"),
        ({"kinds": ("ImportError",), "outside": "call"}, "not checked"),
        ({"outside": "import"}, "not checked"),
        ({"outside": "import", "kinds": ("MemoryError",)}, "failed"),
        ({"outside": "call"}, "failed"),
    ],
)
def test_what_is_not_installed_or_does_not_work_by_itself_is_no_failure(change: dict[str, object], status: str) -> None:
    trial, findings = judge(RAISED.model_copy(update=change))
    assert (trial.status, bool(findings)) == (status, status == "failed")


@pytest.mark.parametrize(("code", "status"), [(0, "ok"), (2, "failed")])
def test_help_ends_with_0(code: int, status: str) -> None:
    step = RAISED.model_copy(update={"kinds": ("SystemExit",), "type": "SystemExit", "exit": code})
    trial, findings = judge(step, job=HELP)
    assert (trial.status, [finding.code for finding in findings]) == (status, ["P2C013"] if code else [])


@pytest.mark.parametrize(
    ("code", "said"), [(0, "exit code 0"), (139, "SIGSEGV"), (137, "SIGKILL"), (128 + 77, "signal 77")]
)
def test_who_ends_without_a_word_is_not_ok(code: int, said: str) -> None:
    trial, (finding,) = judge(code=code)
    assert (trial.status, finding.code) == ("failed", "P2C011")
    assert said in finding.message


def test_a_step_is_json_of_a_known_shape() -> None:
    say: Callable[..., str] = json.dumps
    assert Step.model_validate_json(say({"step": "raised", "trace": [["a.py", 1, "f"]]})).trace == (("a.py", 1, "f"),)
