"""What only the real engine has: its errors, its view of a schema, the tokens it tells of."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from threading import Thread

import pytest
from pydantic import JsonValue

from paper2code_local.engine import sizing, vllm, watchdog
from paper2code_local.engine.hardware import Hardware, hardware
from paper2code_local.errors import EngineError
from paper2code_local.events import Event, Notice
from paper2code_local.modelstore.card import Sampling
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import Sayer, open_model, shape_of, tokenizer_of
from paper2code_local.settings import Job
from tests.engine.test_contract import ask


def test_a_grammar_sees_no_annotations_and_every_field() -> None:
    schema: dict[str, JsonValue] = {
        "title": "Answer",
        "description": "says nothing",
        "properties": {
            "title": {"type": "string", "title": "Title", "maxLength": 3, "examples": ["a"]},
            "default": {"$ref": "#/$defs/examples", "default": 1},
        },
        "$defs": {"examples": {"anyOf": [{"title": "X", "const": "description"}]}},
        "required": ["title", "default"],
    }
    assert vllm.constraints(schema) == {
        "properties": {"title": {"type": "string", "maxLength": 3}, "default": {"$ref": "#/$defs/examples"}},
        "$defs": {"examples": {"anyOf": [{"const": "description"}]}},
        "required": ["title", "default"],
    }


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_a_prompt_longer_than_the_context_is_refused_and_the_engine_lives(real_engine: vllm.VllmEngine) -> None:
    with pytest.raises(EngineError) as caught:
        await real_engine.complete(ask("word " * 6000))
    assert caught.value.code == "engine.refused"
    assert (await real_engine.complete(ask("Still there?", max_tokens=2))).completion_tokens == 2


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_every_new_token_is_told_once(real_engine: vllm.VllmEngine) -> None:
    told: list[int] = []
    real_engine.on_token(told.append)
    completions = await asyncio.gather(*(real_engine.complete(ask("Count.", max_tokens=9)) for _ in range(3)))
    real_engine.on_token(lambda _: None)
    assert sum(told) == sum(completion.completion_tokens for completion in completions)
    assert len(told) > 3, "as they come, not at the end"


@pytest.mark.engine
def test_each_drafted_token_has_the_value_of_its_request() -> None:
    import torch

    from paper2code_local.engine.cpu_worker import expand

    warmth, counts = torch.tensor([0.0, 0.7, 1.5]), (2, 0, 3)
    spread = torch.full((sum(counts),), -1.0)
    expand(spread, warmth, torch.tensor(counts).cumsum(0), 0, 1)
    assert spread.tolist() == pytest.approx([1.0, 1.0, 1.5, 1.5, 1.5])
    whole = torch.full((sum(counts),), -1)
    expand(whole, torch.tensor([20, 30, 40]), torch.tensor(counts).cumsum(0), 0, 0)
    assert whole.tolist() == [20, 20, 40, 40, 40]


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_what_repeats_the_prompt_is_drafted_and_sampled_like_the_rest(
    small_model: ModelFolder, tmp_path: Path
) -> None:
    ngram = {"method": "ngram", "num_speculative_tokens": 4, "prompt_lookup_min": 3, "prompt_lookup_max": 5}
    need, extra = sizing.Need(context=1024), {"speculative_config": ngram}
    arguments = sizing.engine_args(hardware(), shape_of(small_model), need, extra)
    engine = await vllm.start(
        small_model.path, small_model.identity, tokenizer_of(small_model), arguments, tmp_path / "log"
    )
    names = ("centre", "spread", "largest", "smallest", "middle", "total")
    lines = ["def describe(values):", *(f"    {name} = {name}_of(values)" for name in names)]
    code = "\n".join([*lines, f"    return {', '.join(names)}"])
    asked = ask(
        f"Write this function again, without any change:\n```python\n{code}\n```",
        prefill="```python\n",
        stop=("\n```",),
        max_tokens=120,
        sampling=Sampling(temperature=0.3, top_k=20, repetition_penalty=1.0),
    )
    told: list[int] = []
    engine.on_token(told.append)
    several = [asked.model_copy(update={"label": f"copy{seed}", "seed": seed}) for seed in range(4)]
    completions = await asyncio.gather(*(engine.complete(each) for each in several))
    await engine.close()
    copied = [sum(line in completion.text for line in code.split("\n")) for completion in completions]
    assert max(copied) >= 6, "code, not noise; one of them may word it otherwise"
    assert max(told) > 1, "several tokens in a step"


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_to_be_avoided_is_not_written(real_engine: vllm.VllmEngine) -> None:
    opening = "```python\ndef later():\n    # Placeholder implementation\n   "
    plain = ask("Write a function that does nothing.", prefill=opening, max_tokens=8)
    assert "pass" in (await real_engine.complete(plain)).text
    avoiding = plain.model_copy(update={"avoid": ("pass", "#")})
    completion = await real_engine.complete(avoiding.model_copy(update={"max_tokens": 20}))
    text = completion.text
    assert completion.completion_tokens >= vllm.AVOIDING_LEAST
    assert "pass" not in text
    assert "#" not in text


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_how_likely_an_answer_is_is_told_when_it_is_asked_for(real_engine: vllm.VllmEngine) -> None:
    plain = ask("Count from one to nine.", max_tokens=20)
    assert (await real_engine.complete(plain)).logprob is None
    told = await real_engine.complete(plain.model_copy(update={"scored": True}))
    assert told.logprob is not None
    assert -20.0 * told.completion_tokens < told.logprob <= 0.0


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_more_words_may_be_avoided_than_vllm_takes(real_engine: vllm.VllmEngine) -> None:
    many = tuple(f"some_long_name_{n}" for n in range(200))
    told = await real_engine.complete(ask("Say hello.", max_tokens=4).model_copy(update={"avoid": many}))
    assert told.completion_tokens <= 20


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_an_answer_that_goes_in_circles_is_ended_early_and_the_engine_goes_on(
    real_engine: vllm.VllmEngine,
) -> None:
    opening = "```python\n" + "total = total + value\n" * 30
    circling = await real_engine.complete(ask("Add.", prefill=opening, max_tokens=700))
    assert circling.finish == "length"
    assert circling.completion_tokens < 500
    assert (await real_engine.complete(ask("Still there?", max_tokens=2))).completion_tokens == 2


@pytest.mark.engine
@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_started_beside_the_engine_is_not_its_own(real_engine: vllm.VllmEngine) -> None:
    """Closing the engine ends what carries the mark: nothing that we start later may."""
    assert watchdog.MARK not in os.environ


@pytest.mark.engine
async def test_a_model_that_vllm_cannot_load_is_an_error_that_names_the_log(
    tiny_model: ModelFolder, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"architectures": ["NobodyKnowsMe"], "model_type": "nobody"}')
    arguments = sizing.engine_args(Hardware(memory=1 << 35, cores=2), shape_of(tiny_model), sizing.Need(context=512))
    with pytest.raises(EngineError) as caught:
        await vllm.start(tmp_path, "nobody", tokenizer_of(tiny_model), arguments, tmp_path / "engine.log")
    assert caught.value.code == "engine.start"
    assert str(tmp_path / "engine.log") in caught.value.hint
    assert watchdog.MARK not in os.environ


@pytest.mark.engine
@pytest.mark.parametrize("compiler", ["", "false"])
async def test_a_long_run_is_compiled_and_one_that_cannot_be_is_not(
    compiler: str, tiny_model: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiler:  # one that is there and fails
        monkeypatch.setenv("CXX", compiler)
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    here, heard, log = hardware(), list[Event](), tmp_path / "engine.log"
    need = sizing.Need(context=1024, tokens=10**9)
    model = await open_model(Job(paper=tmp_path, out=tmp_path), str(tiny_model.path))
    engine = await model.launch(need, log, Sayer(heard.append))
    completion = await engine.complete(ask("Say a word.", max_tokens=8))
    await engine.close()
    assert completion.completion_tokens
    compiled = "Warming up done" in log.read_text(encoding="utf-8")
    warnings = [event.message for event in heard if isinstance(event, Notice) and event.level == "warning"]
    if here.gpus or not here.compiler:
        assert sizing.engine_args(here, shape_of(tiny_model), need).enforce_eager == (not here.gpus)
    elif compiler:
        assert not compiled
        assert "without compiling" in warnings[0]
    else:
        assert compiled
        assert not warnings


def test_weights_are_read_ahead_to_their_end_and_what_cannot_be_read_is_no_error(tmp_path: Path) -> None:
    vllm.read_ahead(tmp_path / "nowhere")
    pipe = tmp_path / "model.safetensors"
    os.mkfifo(pipe)
    vllm.read_ahead(tmp_path)
    written = Thread(target=pipe.write_bytes, args=(bytes(3 * vllm.PIECE + 5),), daemon=True)
    written.start()
    written.join(20)
    assert not written.is_alive(), "it ends when somebody has read everything"


def test_all_questions_about_a_paper_go_to_the_same_copy_of_the_model() -> None:
    papers = [[n, *range(2000)] for n in range(64)]
    assert all(vllm.Copies(1).one_for(paper) is None for paper in papers)
    for count in (2, 4, 8):
        copies = vllm.Copies(count)
        used = [copies.one_for(paper) for paper in papers]
        assert {used.count(copy) for copy in range(count)} == {64 // count}, "papers are spread evenly"
        assert [copies.one_for([*paper, 7]) for paper in papers] == used
