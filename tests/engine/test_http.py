"""An OpenAI-compatible server that is busy, breaks off, talks nonsense, or is not there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from paper2code_local.engine import wire
from paper2code_local.engine.dialects import EstimatingTokenizer, Server
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.wire import Wire, address
from paper2code_local.errors import EngineError, UsageError
from tests.engine.test_contract import ask
from tests.openai_stand_in import (
    Fault,
    Speaks,
    StandIn,
    busy,
    cut,
    endless,
    error_midway,
    failed,
    hang,
    html,
    no_completion,
    no_json,
    redirect,
    reset,
    reset_midway,
    says,
)

KEY = "sk-very-secret-123"


@asynccontextmanager
async def engine(
    stand_in: StandIn, *, timeout: float = 5, patience: float = 5, concurrency: int = 8, key: str = ""
) -> AsyncIterator[HttpEngine]:
    server = Server(
        url=stand_in.url, model="tiny", identity="x", context=4096, tokens=False, schema_as="json_schema", extended=True
    )
    made = HttpEngine(
        server,
        Wire(stand_in.url, key, timeout, patience, first_wait=0.005),
        EstimatingTokenizer(1.2),
        concurrency=concurrency,
    )
    try:
        yield made
    finally:
        await made.close()


async def refused(stand_in: StandIn, **settings: float) -> EngineError:
    async with engine(stand_in, **settings) as asked:  # type: ignore[arg-type]
        with pytest.raises(EngineError) as raised:
            await asked.complete(ask("What?"))
    return raised.value


@pytest.mark.parametrize(
    "faults",
    [[busy()], [busy(0.02), busy(status=503)], [reset, reset], [reset_midway], [cut], [busy(status=502), cut, reset]],
)
async def test_what_passes_is_asked_again_until_it_has_passed(faults: list[Fault]) -> None:
    with StandIn(faults=faults) as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What?"))
        assert completion.text
        assert len(stand_in.completions()) == len(faults) + 1


async def test_a_server_says_itself_when_to_come_back() -> None:
    with StandIn(faults=[busy(0.4)]) as stand_in:
        began = time.monotonic()
        async with engine(stand_in) as asked:
            await asked.complete(ask("What?"))
        assert time.monotonic() - began >= 0.4


async def test_patience_ends_and_nobody_waits_for_longer_than_it() -> None:
    with StandIn(faults=[busy(3600)]) as stand_in:
        began = time.monotonic()
        assert (await refused(stand_in)).code == "engine.busy"
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("fault", [reset, reset_midway, cut])
async def test_a_connection_that_is_lost_again_and_again_is_lost(fault: Fault) -> None:
    """`lost` is the code on which `RecordedEngine` starts anew."""
    with StandIn(faults=[fault] * 9) as stand_in:
        assert (await refused(stand_in)).code == "engine.lost"
        assert len(stand_in.completions()) == wire.LOST_TRIES + 1


async def test_nobody_there_is_said() -> None:
    with StandIn() as gone:
        pass
    error = await refused(gone)
    assert error.code == "engine.lost"
    assert gone.url in error.message


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (failed(401, "who are you"), "denied"),
        (failed(403, "not you"), "denied"),
        (failed(404, "no model tiny"), "not_found"),
        (failed(400, "maximum context length is 2048 tokens"), "context"),
        (failed(400, "the request exceeds the available context size"), "context"),
        (failed(422, "extra fields"), "refused"),
        (failed(413, ""), "context"),
        (failed(500, "CUDA error"), "server"),
        (failed(418, "teapot"), "not_openai"),
        (redirect("http://example.org/v1"), "redirected"),
        (html, "not_openai"),
        (no_json, "not_openai"),
        (no_completion, "not_openai"),
        (error_midway, "server"),
    ],
)
async def test_what_does_not_pass_is_one_clear_error(fault: Fault, code: str) -> None:
    with StandIn(faults=[fault]) as stand_in:
        error = await refused(stand_in)
        assert error.code == f"engine.{code}"
        assert stand_in.url in error.message
        assert error.hint
        assert "\n" not in error.message
        assert len(error.message) < 500
        assert len(stand_in.completions()) == 1, "it is not asked again"


async def test_silence_ends_by_time() -> None:
    with StandIn(faults=[hang]) as stand_in:
        assert (await refused(stand_in, timeout=0.2)).code == "engine.timeout"


async def test_talk_without_end_is_cut() -> None:
    with StandIn(faults=[endless]) as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What?", max_tokens=50))
        assert completion.finish == "length"
        assert len(completion.text) < 10_000


async def test_a_stop_string_that_the_server_ignores_ends_the_answer_all_the_same() -> None:
    with StandIn(Speaks(stops=False)) as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What?", stop=("return",)))
        assert "def " in completion.text
        assert "return" not in completion.text
        assert completion.finish == "stop"


async def test_more_stop_strings_than_a_server_takes_are_heeded_all_the_same() -> None:
    with StandIn() as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What?", stop=("@1", "@2", "@3", "@4", "return")))
        assert "def " in completion.text
        assert "return" not in completion.text


async def test_a_server_that_counts_nothing_is_counted_for() -> None:
    with StandIn(Speaks(usage=False)) as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What? " * 100))
        assert completion.prompt_tokens > 100
        assert completion.completion_tokens > 0


async def test_thoughts_in_the_answer_are_cut_off() -> None:
    with StandIn(faults=[says("<think>\nreturn? No.\n</think>\n\nx = 1")]) as stand_in:
        async with engine(stand_in) as asked:
            completion = await asked.complete(ask("What?", stop=("return",)))
        assert completion.text == "x = 1"


async def test_no_more_are_in_flight_than_allowed() -> None:
    with StandIn(Speaks(delay=0.03)) as stand_in:
        async with engine(stand_in, concurrency=3) as asked:
            await asyncio.gather(*(asked.complete(ask(f"What is {i}?")) for i in range(12)))
        assert 1 < stand_in.most <= 3


async def test_tokens_are_told_as_they_arrive() -> None:
    told: list[int] = []
    with StandIn() as stand_in:
        async with engine(stand_in) as asked:
            asked.on_token(told.append)
            await asked.complete(ask("What?"))
    assert len(told) > 1


async def test_the_key_is_sent_and_never_shown() -> None:
    with StandIn(key=KEY) as stand_in:
        async with engine(stand_in, key=f" {KEY}\n") as asked:
            assert (await asked.complete(ask("What?"))).text
            assert KEY not in repr(vars(asked)) + repr(asked)
        async with engine(stand_in, key="sk-wrong-456") as asked:
            with pytest.raises(EngineError) as raised:
                await asked.complete(ask("What?"))
        assert raised.value.code == "engine.denied"
        assert "sk-wrong-456" not in raised.value.message + raised.value.hint, "though the server repeats it"


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with StandIn() as stand_in:
        async with engine(stand_in) as asked:
            assert (await asked.complete(ask("What?"))).text


@pytest.mark.parametrize(
    ("url", "base", "socket"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1", None),
        ("https://gpu.lab/llm/v1/", "https://gpu.lab/llm/v1", None),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1", None),
        ("unix:///run/user/1/p2c%20local/s.sock", "http://localhost/v1", "/run/user/1/p2c local/s.sock"),
    ],
)
def test_addresses(url: str, base: str, socket: str | None) -> None:
    assert address(url) == (base, socket)


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://x/v1", "http://", "http://x:99999/", "unix://", "http://a:b@x/v1", "http://x?k=v"],
)
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(UsageError) as raised:
        address(url)
    assert raised.value.code == "usage.engine_url"
