"""The shipped fake: a function of the request alone, valid but for the share of faults that was asked for."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.scripted import ScriptedEngine
from tests.engine.longest import SAMPLING, LongestEngine, ask_everything
from tests.engine.schema import problem
from tests.engine.test_contract import SCHEMA


@pytest.fixture(scope="module")
def requests() -> list[Request]:
    """One request of every kind, and more."""
    engine = LongestEngine()
    asyncio.run(ask_everything(engine, ScriptedEngine(), 1.0))
    return [request for request, _ in engine.said]


def answers(requests: list[Request], *, faults: float = 0.0) -> list[Completion]:
    engine = ScriptedEngine(faults=faults)

    async def together() -> list[Completion]:
        return await asyncio.gather(*map(engine.complete, requests))

    return asyncio.run(together())


def body(seed: int) -> Request:
    return Request(label="b", system="s", user="u", prefill="def f():", max_tokens=50, sampling=SAMPLING, seed=seed)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_every_answer_obeys_its_schema(requests: list[Request], seed: int) -> None:
    asked = [request.model_copy(update={"seed": seed}) for request in requests]
    for request, completion in zip(asked, answers(asked), strict=True):
        assert completion.finish == "stop"
        assert problem(request.answer_schema or {}, completion.text) == "", request.label


def test_the_same_question_has_the_same_answer_and_another_seed_another(requests: list[Request]) -> None:
    assert answers(requests) == answers(requests[::-1])[::-1]
    assert len({completion.text for completion in answers([body(seed) for seed in range(30)])}) > 20


@pytest.mark.parametrize("faults", [0.0, 0.25, 0.6, 1.0])
def test_faults_is_the_share_of_spoiled_answers(faults: float) -> None:
    asked = [body(seed) for seed in range(600)]
    spoiled = sum("return value" not in completion.text for completion in answers(asked, faults=faults))
    assert spoiled / len(asked) == pytest.approx(faults, abs=0.06)


def test_faults_are_those_of_small_models() -> None:
    """Cut, empty, prose and repeating itself: each is there."""
    spoiled = answers([body(seed) for seed in range(100)], faults=1.0)
    kinds = {(completion.finish, completion.text[:4].strip()) for completion in spoiled}
    assert {("stop", ""), ("stop", "Sure"), ("length", "the")} < kinds


def test_the_schema_checker_sees_what_is_wrong() -> None:
    good: dict[str, JsonValue] = {"files": ["a.py"], "kind": "class", "does": "x", "pure": True}
    assert problem(SCHEMA, json.dumps(good)) == ""
    wrongs: list[dict[str, JsonValue]] = [
        {"files": []},
        {"files": ["a.py"] * 4},
        {"files": ["A.py"]},
        {"kind": "module"},
        {"does": ""},
        {"does": "x" * 31},
        {"pure": 1},
        {"more": 1},
    ]
    for wrong in wrongs:
        assert problem(SCHEMA, json.dumps(good | wrong)), wrong
