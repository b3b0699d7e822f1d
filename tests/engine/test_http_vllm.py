"""A real vLLM server, asked as any server is asked: what is found out about it, and the engine on top."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from paper2code_local.connecting import Connection, connect
from paper2code_local.engine import served, sizing
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.wire import Wire
from paper2code_local.errors import EngineError, UsageError
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import open_model, tokenizer_of
from paper2code_local.settings import Job
from tests.engine.schema import problem
from tests.engine.test_contract import PREFILL, SCHEMA, ask

pytestmark = [pytest.mark.engine, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def found(warm: served.Served) -> Connection:
    """What asking finds out when nothing but the address is given."""
    return await connect(warm.url, None, None, {}, None)


@pytest_asyncio.fixture(loop_scope="session")
async def chat(found: Connection) -> AsyncGenerator[HttpEngine]:
    engine = await found.engine()
    yield engine
    await engine.close()


async def test_what_is_found_out(found: Connection, tiny_model: ModelFolder) -> None:
    server = found.server
    assert (server.model, server.context) == (tiny_model.id, 2048)
    assert (server.tokens, server.extended, server.system) == (False, True, True)
    assert server.schema_as == "json_schema"
    assert server.prefill_as == "continue_final_message", "vLLM ends the last message unless told otherwise"
    assert server.counted


async def test_schemas_hold_in_a_chat(chat: HttpEngine) -> None:
    asked = [ask("Describe a function.", answer_schema=SCHEMA, max_tokens=120) for _ in range(4)]
    for completion in await asyncio.gather(*map(chat.complete, asked)):
        assert not problem(SCHEMA, completion.text)
        assert 0 < completion.completion_tokens <= 120


async def test_an_answer_is_continued(found: Connection, warm_engine: HttpEngine) -> None:
    forced = found.server.model_copy(update={"prefill_as": "continue_final_message"})
    chat = HttpEngine(forced, Wire(forced.url), found.tokenizer)
    for engine in (chat, warm_engine):
        asked = ask("Count to twenty.", prefill="one, two, three, four, five, six, seven,", max_tokens=6)
        completion = await engine.complete(asked)
        assert completion.text.strip().startswith("eight")
        bare = await engine.complete(asked.model_copy(update={"prefill": ""}))
        assert 10 < completion.prompt_tokens - bare.prompt_tokens < 20, "the opening, and no new message"
    await chat.close()


async def test_the_estimate_is_above_the_truth_and_not_far(found: Connection, tiny_model: ModelFolder) -> None:
    exact = tokenizer_of(tiny_model)
    for text in ("The encoder maps tokens to vectors of size 512, as in Section 3. " * 20, PREFILL * 20):
        assert exact.count(text) <= found.tokenizer.count(text) <= 2 * exact.count(text)


async def test_with_its_tokenizer_prompts_go_as_token_ids(warm: served.Served, tiny_model: ModelFolder) -> None:
    connection = await connect(warm.url, tiny_model.id, tiny_model.path, {}, None)
    assert connection.server.tokens
    assert connection.server.can_prefill
    request = ask("What is a tensor?", max_tokens=8)
    engine = await connection.engine()
    completion = await engine.complete(request)
    await engine.close()
    assert completion.prompt_tokens == len(tokenizer_of(tiny_model).encode(request.system, request.user))


async def test_as_many_papers_run_together_as_what_is_kept_warm_holds(
    warm: served.Served, tiny_model: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need = sizing.Need(context=2048, prefix=1000, papers=99)
    model = await open_model(Job(paper=tmp_path, out=tmp_path), str(tiny_model.path))
    alone = model.papers(need)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(Path(warm.socket).parent.parent))
    assert 1 < model.papers(need) == sizing.held(warm.cache, need) < alone
    other = await open_model(Job(paper=tmp_path, out=tmp_path, engine_args={"seed": 1}), str(tiny_model.path))
    assert other.papers(need) == alone, "with arguments of its own it starts an engine of its own"


async def test_the_tokenizer_of_another_model_is_refused(warm: served.Served, small_model: ModelFolder) -> None:
    with pytest.raises(UsageError) as raised:
        await connect(warm.url, None, small_model.path, {}, None)
    assert raised.value.code == "usage.tokenizer"


async def test_a_prompt_that_is_too_long_is_said(chat: HttpEngine) -> None:
    with pytest.raises(EngineError) as raised:
        await chat.complete(ask("word " * 4000))
    assert raised.value.code == "engine.context"


async def test_a_model_that_is_not_served_is_said(found: Connection) -> None:
    other = found.server.model_copy(update={"model": "nothing"})
    engine = HttpEngine(other, Wire(other.url), found.tokenizer)
    with pytest.raises(EngineError) as raised:
        await engine.complete(ask("What?"))
    await engine.close()
    assert raised.value.code == "engine.not_found"
