"""Engines that runs share: started once, replaced when they die, closed when the memory is needed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.sizing import Need
from paper2code_local.engines import Engines
from paper2code_local.errors import EngineError
from paper2code_local.session import Model, Sayer
from tests.engines import SAMPLING, Answering, Words

QUESTION = Request(label="q", system="", user="?", max_tokens=9, sampling=SAMPLING, seed=0)


class Mortal(Answering):
    """Dies at questions that say so."""

    closed = 0

    async def complete(self, request: Request) -> Completion:
        if request.user == "die":
            raise EngineError("lost", "dead", "")
        return await super().complete(request)

    async def close(self) -> None:
        self.closed += 1


@dataclass
class Launching:
    """A model that remembers what was started for it."""

    name: str = "m"
    fails: bool = False
    started: list[Mortal] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)

    async def launch(self, need: Need, _log: Path, _sayer: Sayer) -> Engine:
        await asyncio.sleep(0)
        self.needs.append(need)
        if self.fails:
            raise EngineError("start", "no memory", "")
        self.started.append(Mortal(lambda _: "yes"))
        return self.started[-1]

    def model(self) -> Model:
        return Model(
            id=self.name,
            spec=self.name,
            identity=self.name,
            context=100,
            granularity="unit",
            scale=1.0,
            sampling=SAMPLING,
            tokenizer=Words(),
            can_prefill=True,
            launch=self.launch,
        )


def engines() -> Engines:
    return Engines(lambda _: None, Path("log"))


async def test_all_who_lease_a_model_share_one_engine() -> None:
    launching, shared = Launching(), engines()
    leases = await asyncio.gather(*(shared.lease(launching.model(), context) for context in (10, 20, 30)))
    assert len(launching.started) == 1
    for lease in leases:
        assert (await lease.complete(QUESTION)).text == "yes"
        await lease.close()
        await lease.close()
    assert launching.started[0].closed == 0, "the next paper may want it"
    await shared.close()
    assert launching.started[0].closed == 1


async def test_an_engine_is_started_for_what_all_runs_need() -> None:
    launching, shared = Launching(), engines()
    shared.expect({"m": Need(context=70, papers=4)})
    await shared.lease(launching.model(), Need(context=10))
    assert launching.needs == [Need(context=70, papers=4)]


async def test_without_word_of_others_an_engine_is_started_for_who_asks() -> None:
    launching, shared = Launching(), engines()
    await shared.lease(launching.model(), Need(context=10))
    assert launching.needs == [Need(context=10)]


async def test_a_dead_engine_is_replaced_once_for_all() -> None:
    launching, shared = Launching(), engines()
    leases = [await shared.lease(launching.model(), Need(context=10)) for _ in range(3)]
    for lease in leases:
        with pytest.raises(EngineError):
            await lease.complete(QUESTION.model_copy(update={"user": "die"}))
        await lease.close()
    again = await asyncio.gather(*(shared.lease(launching.model(), Need(context=10)) for _ in range(3)))
    assert len(launching.started) == 2
    assert launching.started[0].closed == 1
    assert (await again[0].complete(QUESTION)).text == "yes"


async def test_whoever_holds_an_engine_that_was_closed_as_dead_hears_that_it_died() -> None:
    launching, shared = Launching(), engines()
    first, other = [await shared.lease(launching.model(), Need(context=10)) for _ in range(2)]
    with pytest.raises(EngineError):
        await first.complete(QUESTION.model_copy(update={"user": "die"}))
    await shared.lease(launching.model(), Need(context=10))
    assert launching.started[0].closed == 1
    with pytest.raises(EngineError) as error:
        await other.complete(QUESTION)
    assert error.value.code == "engine.lost", "so that it asks for a new one"


async def test_a_start_that_failed_is_not_tried_again_by_the_next_paper() -> None:
    launching, shared = Launching(fails=True), engines()
    for _ in range(3):
        with pytest.raises(EngineError, match="no memory"):
            await shared.lease(launching.model(), Need(context=10))
    assert len(launching.needs) == 1


async def test_an_engine_that_nobody_holds_makes_room_for_another() -> None:
    held, left, third, shared = Launching("held"), Launching("left"), Launching("third"), engines()
    await shared.lease(held.model(), Need(context=10))
    lease = await shared.lease(left.model(), Need(context=10))
    assert left.started[0].closed == 0
    await lease.close()
    await shared.lease(third.model(), Need(context=10))
    assert (held.started[0].closed, left.started[0].closed) == (0, 1)


def test_weights_are_read_ahead_once_for_all_papers() -> None:
    read: list[str] = []
    one, other = (replace(Launching(name).model(), read_ahead=partial(read.append, name)) for name in ("a", "b"))
    shared = engines()
    shared.read_ahead([one, one])
    shared.read_ahead([one, other])
    assert read == ["a", "b"]
