"""`inspect` in a process of its own, as it closes the network for good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from paper2code_local.artifacts.inspection import inspection
from tests.small_model import write_model
from tests.tei_fixtures import parse, tei

BODY = """<div><head n="1">Intro \x85duction</head><p>Some words.</p><formula>a = b<label>(1)</label></formula></div>
<div><head n="1.1">Inner</head><p>More.</p></div>"""
WORDS = """{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":null,
"pre_tokenizer":{"type":"WhitespaceSplit"},"post_processor":null,"decoder":null,
"model":{"type":"WordLevel","vocab":{"[UNK]":0},"unk_token":"[UNK]"}}"""


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "paper.tei.xml"
    path.write_bytes(tei(BODY))
    return path


def inspect(path: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "paper2code_local", "inspect", str(path), *args]
    environment = {**os.environ, "P2C_MODELS": str(path.parent / "models")}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=environment)


def test_json_is_the_inspection_and_nothing_else(paper: Path) -> None:
    told = inspect(paper, "--json")
    assert (told.returncode, told.stderr) == (0, "")
    assert json.loads(told.stdout) == inspection(parse(BODY))


def test_a_person_reads_title_sections_counts_and_how_to_count_tokens(paper: Path) -> None:
    told = inspect(paper, "--model", "qwen2.5-coder-0.5b-instruct")
    assert told.returncode == 0
    assert told.stdout.startswith("Cooling Schedules\nAda B Quill, Moss\n")
    assert "1 formula, 0 tables" in told.stdout
    assert "     1.1 Inner" in told.stdout
    assert "p2c-local models pull qwen2.5-coder-0.5b-instruct" in told.stdout
    assert not [c for c in told.stdout if ord(c) in range(0x7F, 0xA0)]


def test_tokens_are_those_of_the_models_own_tokenizer(paper: Path) -> None:
    model = write_model(paper.parent / "my-model")
    (model / "tokenizer.json").write_text(WORDS)
    told = inspect(paper, "--model", str(model))
    assert told.returncode == 0, told.stderr
    (line,) = (line for line in told.stdout.splitlines() if line.startswith("tokens"))
    assert int(line.split()[1]) > 15
    assert line.endswith("for my-model, whose context is 4,096")


@pytest.mark.parametrize(
    ("content", "args", "code"),
    [
        (None, (), 3),
        (b"", (), 3),
        (b"%PDF-1.7 and nothing else", ("--parser", "pdf"), 3),
        (b"<html/>", (), 3),
        (tei(BODY), ("--model", "no-such-model"), 5),
    ],
)
def test_what_cannot_be_read_has_one_message_and_its_code(
    tmp_path: Path, content: bytes | None, args: tuple[str, ...], code: int
) -> None:
    path = tmp_path / "paper.any"
    if content is not None:
        path.write_bytes(content)
    told = inspect(path, *args)
    assert (told.returncode, told.stdout) == (code, "")
    assert told.stderr.startswith("error: ")
    assert told.stderr.count("\n") == 2
