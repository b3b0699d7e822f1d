"""Any family: each architecture, its template and its tokenizer, with random weights, through the real engine.

Random weights know nothing, so what holds here is held by the engine: schema, limits, stop strings, prefix, seeds.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from paper2code_local.engine import sizing, vllm
from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.hardware import hardware
from paper2code_local.engine.protocol import Request
from paper2code_local.engine.reasoning import Reasoning
from paper2code_local.modelstore.folder import open_folder
from paper2code_local.session import shape_of
from tests.engine.longest import SAMPLING
from tests.engine.schema import problem
from tests.engine.test_contract import PREFILL, SCHEMA
from tests.tiny_models import CONTEXT, MODELS, write_tiny_model

BUDGET = 40
"""Tokens of thoughts, for the one that thinks."""


async def start(name: str, folder: Path) -> vllm.VllmEngine:
    """Start the real engine on a tiny model, as a user's folder is started."""
    model = open_folder(write_tiny_model(name, folder / name), None)
    special = {"bos_token": model.bos_token, "eos_token": model.eos_token}
    reasoning = Reasoning("qwen3", budget=BUDGET) if MODELS[name].family.thinks else None
    tokenizer = ChatTokenizer(model.tokenizer, model.chat_template, special, reasoning)
    arguments = sizing.engine_args(hardware(), shape_of(model), sizing.Need(context=CONTEXT, in_flight=8))
    return await vllm.start(model.path, model.identity, tokenizer, arguments, folder / "engine.log")


def ask(user: str, **more: object) -> Request:
    asked = Request(label="q", system="Be brief.", user=user, max_tokens=40, sampling=SAMPLING, seed=5)
    return asked.model_copy(update=more)


@pytest.mark.engine
@pytest.mark.parametrize("name", MODELS)
async def test_every_family_keeps_what_an_engine_promises(name: str, tmp_path: Path) -> None:
    engine = await start(name, tmp_path)
    thoughts = BUDGET if MODELS[name].family.thinks else 0
    try:
        await a_schema_is_obeyed(engine)
        await limits_and_stop_strings_end_the_answer(engine, thoughts)
        await an_opening_is_gone_on_from(engine)
        await a_prefix_is_computed_once(engine)
    finally:
        await engine.close()


async def a_schema_is_obeyed(engine: vllm.VllmEngine) -> None:
    asked = [ask(f"Plan {i}.", answer_schema=SCHEMA, max_tokens=400, seed=i) for i in range(4)]
    answers = await asyncio.gather(*map(engine.complete, asked))
    for answer in answers:
        assert answer.finish == "stop"
        assert problem(SCHEMA, answer.text) == ""
    assert len({answer.text for answer in answers}) > 1, "seeds make a difference"


async def limits_and_stop_strings_end_the_answer(engine: vllm.VllmEngine, thoughts: int) -> None:
    """And nothing before it: thoughts have a limit of their own, and no stop string ends them."""
    asked = ask("Go on for long.", answer_schema=SCHEMA, max_tokens=7)
    cut = await engine.complete(asked)
    assert cut.finish == "length"
    assert 7 + (thoughts > 0) <= cut.completion_tokens <= 7 + thoughts
    stopped = await engine.complete(asked.model_copy(update={"stop": ("never said", "e")}))
    assert stopped.finish == "stop"
    assert stopped.text == '{"fil'
    assert stopped.completion_tokens > thoughts / 2


async def an_opening_is_gone_on_from(engine: vllm.VllmEngine) -> None:
    asked = ask("Write a mean.", prefill=PREFILL, max_tokens=20)
    first, again = [await engine.complete(asked) for _ in range(2)]
    assert first.completion_tokens > 0
    assert PREFILL not in first.text
    assert first.text == again.text, "the same question with the same seed, alone, has the same answer"


async def a_prefix_is_computed_once(engine: vllm.VllmEngine) -> None:
    paper = "".join(f"Line {i} of this paper is about {i * 7} things.\n" for i in range(60))
    asked = [ask(f"{paper}\nSay {word}.", max_tokens=4) for word in ("a", "b", "c")]
    answers = await asyncio.gather(*map(engine.complete, asked))
    length = answers[0].prompt_tokens
    assert length > 800
    assert sorted(answer.cached_tokens > length * 0.6 for answer in answers) == [False, True, True]
