"""`generate --engine-url`: a run on servers that are there already, and again without them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command_line import CommandLine, Told
from tests.openai_stand_in import Speaks, StandIn
from tests.test_pipeline import contents, write_paper

KEY = "sk-very-secret-123"
ROOMY = {"id": "tiny", "root": "/models/tiny", "max_model_len": 32768}


@pytest.fixture(scope="module")
def cli() -> Iterator[CommandLine]:
    with CommandLine(P2C_ENGINE="vllm", P2C_API_KEY=KEY) as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_paper(tmp_path)
    return tmp_path


def generate(cli: CommandLine, folder: Path, *args: object) -> Told:
    return cli.run(folder, "generate", "cooling.tei.xml", "-o", "out", *args)


@pytest.mark.thorough
def test_a_run_on_a_server_replays_without_it_and_its_key_is_nowhere(cli: CommandLine, folder: Path) -> None:
    with StandIn(Speaks(models=(ROOMY,), prefill="last_message"), key=KEY) as server:
        told = generate(cli, folder, "--engine-url", server.url)
        assert told.returncode in (0, 1), told.stderr
        assert told.stderr.count("as json_schema") == 1, "what was found out is said, once"
    before = contents(folder / "out")
    again = generate(cli, folder, "--json")
    assert again.returncode == told.returncode, again.stderr
    assert contents(folder / "out") == before
    assert json.loads(again.stdout)["model"] == "tiny"
    record = json.loads(next(folder.glob("runs/*/run.json")).read_text())
    assert record["models"]["code"]["server"]["url"] == server.url
    for path in folder.rglob("*"):
        assert not path.is_file() or KEY.encode() not in path.read_bytes(), path
    assert KEY not in told.stdout + told.stderr + again.stdout + again.stderr


def test_each_stage_may_have_a_server_of_its_own(cli: CommandLine, folder: Path) -> None:
    other = Speaks(models=({"id": "other", "max_model_len": 32768},), schema="guided_json")
    with StandIn(Speaks(models=(ROOMY,))) as first, StandIn(other) as second:
        urls = f"plan={first.url},analyse={second.url}"
        told = generate(cli, folder, "--engine-url", urls, "--until", "analyse")
        assert told.returncode == 0, told.stderr
        assert sum("messages" in body for body in first.completions()) > 8
        assert sum("guided_json" in body for body in second.completions()) > 2


def test_what_cannot_be_is_one_message(cli: CommandLine, folder: Path) -> None:
    told = generate(cli, folder, "--engine-url", "127.0.0.1:8000")
    assert told.returncode == 2
    assert told.stderr.count("error:") == 1
    assert "http://" in told.stderr
