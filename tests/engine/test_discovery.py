"""What is found out about a server by asking it: its model, its context, its dialects."""

from __future__ import annotations

from typing import Any

import pytest

from paper2code_local.engine.dialects import SCHEMA_DIALECTS, EstimatingTokenizer, Server
from paper2code_local.engine.discovery import DEFAULT_CONTEXT, discover, reached
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.wire import Wire
from paper2code_local.errors import EngineError, P2CError, UsageError
from tests.engine.schema import problem
from tests.engine.test_contract import PREFILL, SCHEMA, ask
from tests.openai_stand_in import Speaks, StandIn, busy


async def found(stand_in: StandIn, model: str | None = None, context: int | None = None) -> Server:
    wire = Wire(stand_in.url, first_wait=0.01)
    try:
        return await discover(wire, model, None, False, context)
    finally:
        await wire.close()


@pytest.mark.parametrize("dialect", SCHEMA_DIALECTS)
async def test_the_dialect_of_schemas_is_found_by_asking(dialect: str) -> None:
    with StandIn(Speaks(schema=dialect)) as stand_in:
        server = await found(stand_in)
        assert server.schema_as == dialect
        engine = HttpEngine(server, Wire(stand_in.url), EstimatingTokenizer(1.2))
        completion = await engine.complete(ask("What is it?", answer_schema=SCHEMA, max_tokens=200))
        await engine.close()
    if dialect == "words":
        assert "at most 3" in stand_in.completions()[-1]["messages"][-1]["content"]
    else:
        assert not problem(SCHEMA, completion.text)


@pytest.mark.parametrize("way", ["continue_final_message", "last_message", "none"])
async def test_whether_an_answer_can_be_begun_is_found_by_asking(way: str) -> None:
    with StandIn(Speaks(prefill=way)) as stand_in:
        server = await found(stand_in)
        assert (server.prefill_as, server.can_prefill) == (way, way != "none")
        if server.can_prefill:
            engine = HttpEngine(server, Wire(stand_in.url), EstimatingTokenizer(1.2))
            completion = await engine.complete(ask("Write average.", prefill=PREFILL))
            await engine.close()
            assert completion.text.startswith("    "), "the body follows where the opening ended"


async def test_a_server_that_counts_nothing_is_not_trusted_to_go_on() -> None:
    with StandIn(Speaks(prefill="last_message", usage=False)) as stand_in:
        assert not (await found(stand_in)).can_prefill


async def test_what_a_server_turns_down_is_not_sent_again() -> None:
    with StandIn(Speaks(strict=True, system=False, prefill="last_message")) as stand_in:
        server = await found(stand_in)
    assert (server.extended, server.system, server.prefill_as) == (False, False, "last_message")


OLLAMA = {"/api/ps": {"models": [{"name": "m", "context_length": 4096}]}}
PLACES: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    ({"max_model_len": 2048}, {}, 2048),
    ({"meta": {"n_ctx_train": 131072}}, {"/props": {"default_generation_settings": {"n_ctx": 6144}}}, 6144),
    ({}, OLLAMA, 4096),
    ({}, {"/api/v0/models": {"data": [{"id": "m", "loaded_context_length": 7000, "max_context_length": 99999}]}}, 7000),
    ({}, {"/props": ["?"], "/api/ps": {"models": "?"}, "/api/v0/models": None}, DEFAULT_CONTEXT),
]


@pytest.mark.parametrize(("entry", "pages", "context"), PLACES)
async def test_the_context_is_that_of_the_loaded_model(
    entry: dict[str, Any], pages: dict[str, Any], context: int
) -> None:
    with StandIn(Speaks(models=({"id": "m"} | entry,), pages=pages)) as stand_in:
        assert (await found(stand_in)).context == context
        assert (await found(stand_in, context=3000)).context == 3000


async def test_a_server_that_counts_calibrates_the_estimate() -> None:
    with StandIn(Speaks(tokenizes=True)) as counting, StandIn() as silent:
        assert (await found(counting)).tokens_per_piece != (await found(silent)).tokens_per_piece


async def test_one_model_is_chosen_and_several_are_listed() -> None:
    with StandIn(Speaks(models=({"id": "a"}, {"id": "b"}))) as stand_in:
        assert (await found(stand_in, "b")).model == "b"
        for model in (None, "c"):
            with pytest.raises(UsageError) as raised:
                await found(stand_in, model)
            assert "a, b" in raised.value.hint


async def test_the_identity_is_of_the_weights_and_not_of_the_address() -> None:
    entry = {"id": "m", "root": "/models/m", "created": 1, "max_model_len": 2048}
    tags = {"/api/tags": {"models": [{"name": "m", "digest": "abc"}]}}
    identities = []
    for speaks in (
        Speaks(models=(entry,)),
        Speaks(models=(entry | {"created": 2, "max_model_len": 4096},), schema="words"),
        Speaks(models=(entry | {"root": "/models/other"},)),
        Speaks(models=(entry,), pages=tags),
    ):
        with StandIn(speaks) as stand_in:
            identities.append((await found(stand_in)).identity)
    assert identities[0] == identities[1]
    assert len(set(identities)) == 3


async def test_a_server_that_serves_other_weights_by_now_is_refused() -> None:
    with StandIn() as stand_in:
        server = await found(stand_in)
        await reached(Wire(stand_in.url), server)
        with pytest.raises(EngineError) as raised:
            await reached(Wire(stand_in.url), server.model_copy(update={"identity": "other"}))
        assert raised.value.code == "engine.changed"


async def test_a_server_that_still_loads_its_model_is_waited_for() -> None:
    with StandIn(faults=[busy(0.01, 503), busy(0.01, 503)]) as stand_in:
        assert (await found(stand_in)).schema_as == "json_schema"


@pytest.mark.parametrize("models", [(), ({},), ({"id": ""},)])
async def test_a_server_without_models_is_an_error(models: tuple[dict[str, Any], ...]) -> None:
    with StandIn(Speaks(models=models)) as stand_in, pytest.raises(P2CError):
        await found(stand_in)
