"""Which model answers in which stage."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local import casting
from paper2code_local.asking import Passage
from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.recorded import RecordedEngine
from paper2code_local.engines import Engines
from paper2code_local.errors import UsageError
from paper2code_local.rundir import RunDir
from paper2code_local.session import Model
from paper2code_local.settings import MODEL_STAGES, Job, ModelRecord, RunRecord, by_stage
from tests.engines import SAMPLING, Answering, asker, in_turn

names = st.text("abcxyz0./-", min_size=1)


@given(st.none() | names)
def test_one_name_is_for_every_stage(name: str | None) -> None:
    assert by_stage(name, "--model") == dict.fromkeys(MODEL_STAGES, name)


@given(st.dictionaries(st.sampled_from(MODEL_STAGES), names, min_size=1))
def test_a_stage_that_is_not_named_uses_what_the_one_before_it_does(named: dict[str, str]) -> None:
    used = by_stage(",".join(f"{stage}={name}" for stage, name in named.items()), "--model")
    before = None
    for stage in MODEL_STAGES:
        before = named.get(stage, before)
        assert used[stage] == before


@pytest.mark.parametrize("text", ["plan=a,write=b", "plan=", "plan=a,", "plan=a,b", "coding=a"])
def test_what_names_no_stage_is_refused_by_the_name_of_the_option(text: str) -> None:
    with pytest.raises(UsageError, match="--engine-url") as error:
        by_stage(text, "--engine-url")
    assert "plan=" in error.value.hint


def record(**identities: str) -> RunRecord:
    models = {
        stage: ModelRecord(id=f"m-{i}", spec="", identity=i, context=len(i), paper_budget=1)
        for stage, i in identities.items()
    }
    return RunRecord.model_validate(
        {"paper": "p", "paper_sha256": "0", "parser": "pdf", "models": models, "seed": 0, "version": "0", "out": "o"}
    )


def test_a_run_names_one_model_alone_and_several_with_their_stages() -> None:
    assert record(plan="a", analyse="a", code="a").model == "m-a"
    assert record(plan="aa", analyse="a", code="a").model == "m-aa (plan), m-a (analyse, code)"
    assert record(plan="aa", analyse="a", code="a").model_identity == "aa (plan), a (analyse, code)"
    assert record(plan="aa", analyse="a", code="a").context == 2


def test_run_json_survives_its_file(tmp_path: Path) -> None:
    one = record(plan="aa", analyse="a", code="a")
    assert RunRecord.model_validate(json.loads(one.model_dump_json())) == one


def test_the_more_answers_there_are_the_less_is_still_written() -> None:
    model: Any = SimpleNamespace(granularity="unit", scale=1.0)
    left = [casting.unwritten(5_000, model, answers) for answers in (0, 10, 30, 10_000)]
    assert left[0] > left[1] > left[2] > left[3] == 0


class Ahead(Engines):
    """Remembers which models' weights it was to read."""

    read: tuple[str, ...] = ()

    def read_ahead(self, models: Iterable[Model]) -> None:
        self.read += tuple(sorted({model.id for model in models}))


async def test_weights_are_read_ahead_for_a_run_that_will_ask_and_for_no_other(tmp_path: Path) -> None:
    job = Job(paper=tmp_path / "paper.md", out=tmp_path / "out", engine="scripted")
    folder, engines = RunDir(tmp_path / "run"), Ahead(lambda _: None, tmp_path / "log")
    question = Request(label="q", system="", user="?", max_tokens=9, sampling=SAMPLING, seed=0)
    with folder.locked():
        await casting.models(job, folder, engines, lambda _: None)
        assert engines.read == ("scripted",)
        folder.remember(question, "0" * 64, await Answering(in_turn("x")).complete(question))
        await casting.models(job, folder, engines, lambda _: None)
    assert engines.read == ("scripted",)


class Counting(Answering):
    """Counts how often it is closed."""

    closed = 0

    async def close(self) -> None:
        self.closed += 1


class Forgetful:
    """A call store and a listener that keep nothing."""

    def recall(self, request: Request, identity: str) -> None:
        return None

    def remember(self, request: Request, identity: str, completion: Completion) -> None:
        """Nothing is kept."""

    def asked(self, request: Request) -> None:
        """Nobody listens."""

    def answered(self, request: Request, completion: Completion, *, replayed: bool) -> None:
        """Nobody listens."""


def part(engine: Answering) -> casting.Part:
    async def start() -> Engine:
        return engine

    recorded = RecordedEngine(engine.model, True, start, Forgetful(), Forgetful())
    nothing: Any = None  # what this test does not look at
    return casting.Part(nothing, nothing, recorded, nothing, asker(recorded), nothing)


async def test_a_stage_has_the_memory_for_itself_and_what_was_closed_starts_again_when_asked() -> None:
    large, small = Counting(in_turn("x")), Counting(in_turn("y"))
    shared = part(small)
    cast = {"plan": part(large), "analyse": shared, "code": shared}
    question = Passage("a", ("tell",), "", (), 10, lambda _: None)
    await cast["plan"].asker.write(question)
    await casting.only(cast, "analyse")
    assert (large.closed, small.closed) == (1, 0)
    await cast["analyse"].asker.write(question)
    await casting.only(cast, "code")
    assert (large.closed, small.closed) == (1, 0), "the same model goes on"
    await casting.close(cast)
    assert (large.closed, small.closed) == (1, 1)
    assert await cast["plan"].asker.write(question) == "x"


def test_what_is_told_reaches_all_and_what_was_shared_stays_shared() -> None:
    shared = part(Counting(in_turn("y")))
    cast = casting.told({"plan": part(Counting(in_turn("x"))), "analyse": shared, "code": shared}, "# The plan")
    assert all(each.asker.shared.endswith("# The plan\n\n") for each in cast.values())
    assert cast["analyse"] is cast["code"] is not cast["plan"]
