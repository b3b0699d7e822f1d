"""A server that the user named: what is taken from the command line, from the server, and from an earlier run."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import JsonValue

from paper2code_local.connecting import connect
from paper2code_local.errors import EngineError, P2CError
from paper2code_local.modelstore.card import Granularity
from tests.engine.test_contract import ask
from tests.openai_stand_in import Speaks, StandIn


@pytest.mark.thorough
async def test_what_is_known_is_not_asked_again() -> None:
    with StandIn() as server:
        known = (await connect(server.url, None, None, {}, None)).server
    asked = len(server.received)
    again = await connect(server.url, None, None, {}, known)
    assert (again.server, len(server.received)) == (known, asked), "though the server is gone"
    with pytest.raises(EngineError) as raised:
        await again.engine()
    assert raised.value.code == "engine.lost"


async def test_what_is_known_of_another_model_or_context_is_asked_again() -> None:
    models: tuple[dict[str, JsonValue], ...] = ({"id": "a"}, {"id": "b"})
    with StandIn(Speaks(models=models)) as server:
        known = (await connect(server.url, "a", None, {}, None)).server
        assert (await connect(server.url, "b", None, {}, known)).server.model == "b"
        assert (await connect(server.url, "a", None, {"context": 1000}, known)).server.context == 1000


async def test_an_engine_on_what_was_found_out_answers() -> None:
    with StandIn() as server:
        engine = await (await connect(server.url, "tiny", None, {"concurrency": 2}, None)).engine()
        assert (await engine.complete(ask("What?"))).text
        await engine.close()


@pytest.mark.parametrize(
    ("name", "granularity", "expected"),
    [
        ("qwen3-coder:30b", None, "file"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", None, "file"),
        ("llama-3.2-3b-instruct", None, "unit"),
        ("qwen2.5-coder-1.5b-instruct", None, "unit"),
        ("gpt-4.1", None, "unit"),
        ("phi-4b-mini", None, "file"),
        ("3bears", None, "unit"),
        ("nameless", "file", "file"),
    ],
)
async def test_the_size_in_the_name_says_how_much_is_asked_at_a_time(
    name: str, granularity: Granularity | None, expected: Granularity
) -> None:
    with StandIn(Speaks(models=({"id": name},))) as server:
        arguments: dict[str, JsonValue] = {"granularity": granularity} if granularity else {}
        connection = await connect(server.url, None, None, arguments, None)
    assert connection.granularity == expected
    assert connection.scale == (1 if expected == "unit" else 2)


@pytest.mark.parametrize(
    "arguments",
    [{"max_num_seqs": 3}, {"context": "many"}, {"concurrency": 0}, {"granularity": "line"}],
)
async def test_what_no_server_takes_is_refused_and_what_it_takes_is_said(arguments: dict[str, JsonValue]) -> None:
    with pytest.raises(P2CError) as raised:
        await connect("http://127.0.0.1:9/v1", None, None, arguments, None)
    assert raised.value.code == "usage.engine_arg"
    assert "concurrency" in raised.value.hint


async def test_a_folder_without_a_tokenizer_is_said(tmp_path: Path) -> None:
    with StandIn() as server, pytest.raises(P2CError) as raised:
        await connect(server.url, None, tmp_path, {}, None)
    assert raised.value.code == "model.no_tokenizer"
