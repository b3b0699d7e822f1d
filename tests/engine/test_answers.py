"""Every answer has an end: the longest one that a schema allows fits the question's own limit of tokens."""

from __future__ import annotations

import asyncio
import math
import re

import pytest
from pydantic import JsonValue

from paper2code_local.asking import smaller
from paper2code_local.engine.protocol import Request
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import tokenizer_of
from paper2code_local.settings import ANSWER_TOKENS
from tests.engine.longest import SAMPLING, LongestEngine, ask_everything, longest_match

QUESTIONS = {
    "plan.overview",
    "plan.files",
    "plan.needs",
    "plan.names",
    "plan.interface",
    "plan.relations",
    "plan.calls",
    "plan.logic",
    "plan.config",
    "analyse",
}
Said = list[tuple[Request, str]]


@pytest.fixture(scope="module", params=[1.0, 2.0, 4.0])
def scale(request: pytest.FixtureRequest) -> float:
    return float(request.param)


@pytest.fixture(scope="module")
def said(scale: float) -> Said:
    """Every question with its longest answer."""
    engine = LongestEngine()
    asyncio.run(ask_everything(engine, ScriptedEngine(), scale))
    return engine.said


def kind(request: Request) -> str:
    parts = request.label.split("~")[0].split(".")
    return ".".join(parts[: 1 if parts[0] == "analyse" else 2])


def test_the_longest_answer_fits_the_limit_of_its_question(said: Said) -> None:
    assert {kind(request) for request, _ in said} == QUESTIONS
    too_long = {r.label: (math.ceil(len(t) / 3), r.max_tokens) for r, t in said if len(t) / 3 > r.max_tokens}
    assert not too_long


def test_the_room_kept_for_answers_holds_every_answer(said: Said, scale: float) -> None:
    assert max(request.max_tokens for request, _ in said) <= ANSWER_TOKENS * scale


@pytest.mark.engine
def test_the_longest_answer_fits_by_the_models_own_tokens(
    said: Said, small_model: ModelFolder, tiny_model: ModelFolder
) -> None:
    for folder in (small_model, tiny_model):
        count = tokenizer_of(folder).count
        assert not {r.label: (count(t), r.max_tokens) for r, t in said if count(t) >= r.max_tokens}


async def test_a_smaller_question_allows_shorter_answers_of_the_same_shape(said: Said) -> None:
    for request, text in said:
        schema = request.answer_schema
        assert schema is not None
        engine = LongestEngine()
        shorter = smaller(schema)
        completion = await engine.complete(request.model_copy(update={"answer_schema": shorter}))
        assert len(completion.text) <= len(text), request.label
        while shorter != (again := smaller(shorter)):
            shorter = again
        await engine.complete(request.model_copy(update={"answer_schema": shorter}))  # still allows something


@pytest.mark.parametrize(
    ("pattern", "limit", "length"),
    [
        (r"^[a-z]{2,5}$", 9, 5),
        (r"^[a-z]{2,5}$", 3, 3),
        (r"^(no|[A-Z][a-z]{0,3}|maybe)( x){0,2}$", 9, 9),
        (r"^1e-$", 9, 3),
    ],
)
def test_longest_match_is_as_long_as_allowed(pattern: str, limit: int, length: int) -> None:
    match = longest_match(pattern, limit, lambda separator: iter("word" * 9))
    assert len(match) == length
    assert re.fullmatch(pattern, match)


@pytest.mark.parametrize("schema", [{"type": "integer"}, {"type": "string"}, {"type": "array", "items": {"const": 1}}])
async def test_an_answer_without_an_end_is_noticed(schema: dict[str, JsonValue]) -> None:
    request = Request(label="q", system="", user="", answer_schema=schema, max_tokens=9, sampling=SAMPLING, seed=0)
    with pytest.raises((AssertionError, KeyError)):
        await LongestEngine().complete(request)
