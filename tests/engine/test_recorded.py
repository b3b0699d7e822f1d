"""What was asked once is not asked again; a dead engine is replaced, but not for ever."""

from __future__ import annotations

import asyncio

import pytest

from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.recorded import RESTARTS, RecordedEngine
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.errors import EngineError
from tests.engine.longest import SAMPLING


class Memory:
    """Satisfies `CallStore` and `CallListener`."""

    def __init__(self) -> None:
        self.kept: dict[str, Completion] = {}
        self.heard: list[str] = []

    def recall(self, request: Request, identity: str) -> Completion | None:
        return self.kept.get(identity)

    def remember(self, request: Request, identity: str, completion: Completion) -> None:
        self.kept[identity] = completion

    def asked(self, request: Request) -> None:
        self.heard.append(f"asked {request.label}")

    def answered(self, request: Request, completion: Completion, *, replayed: bool) -> None:
        assert replayed or completion in self.kept.values(), "an answer is kept before it is used"
        self.heard.append(f"{'replayed' if replayed else 'answered'} {request.label}")


class Mortal:
    """An engine that answers `lives` questions and is then lost, or refuses them with another error."""

    model = "mortal"
    can_prefill = True

    def __init__(self, lives: int, error: str = "lost") -> None:
        self.closed = 0
        self._lives, self._error, self._healthy = lives, error, ScriptedEngine()

    async def complete(self, request: Request) -> Completion:
        await asyncio.sleep(0)
        self._lives -= 1
        if self._lives < 0:
            raise EngineError(self._error, f"no answer to {request.label}", "Try again.")
        return await self._healthy.complete(request)

    async def close(self) -> None:
        self.closed += 1


class Fleet:
    """Starts engines that answer so many questions each."""

    def __init__(self, *lives: int, error: str = "lost") -> None:
        self.started: list[Mortal] = []
        self._lives, self._error = list(lives), error

    async def start(self) -> Engine:
        await asyncio.sleep(0)
        self.started.append(Mortal(self._lives.pop(0), self._error))
        return self.started[-1]

    def recorded(self, memory: Memory) -> RecordedEngine:
        return RecordedEngine("mortal", True, self.start, memory, memory)


def question(number: int, label: str = "q") -> Request:
    return Request(label=f"{label}{number}", system="", user=f"{number}?", max_tokens=99, sampling=SAMPLING, seed=0)


async def test_a_question_already_asked_is_not_asked_again() -> None:
    memory, fleet = Memory(), Fleet(3)
    engine = fleet.recorded(memory)
    first = await asyncio.gather(*(engine.complete(question(i)) for i in range(3)))
    memory.heard.clear()
    again = Fleet()
    second = await asyncio.gather(*(again.recorded(memory).complete(question(i, "other label ")) for i in range(3)))
    assert first == second
    assert not again.started, "a replay needs no engine"
    assert memory.heard == [f"replayed other label {i}" for i in range(3)]


async def test_nothing_is_started_before_the_first_question() -> None:
    fleet = Fleet(1)
    engine = fleet.recorded(Memory())
    await engine.close()
    assert not fleet.started
    await engine.complete(question(0))
    assert len(fleet.started) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"system": "x"},
        {"user": "x"},
        {"prefill": "x"},
        {"answer_schema": {}},
        {"max_tokens": 1},
        {"stop": ("x",)},
        {"sampling": SAMPLING.model_copy(update={"top_p": 0.5})},
        {"seed": 1},
    ],
)
def test_whatever_decides_the_answer_is_in_the_identity(change: dict[str, object]) -> None:
    changed = question(0).model_copy(update=change)
    assert changed.identity("m") != question(0).identity("m")
    assert question(0).identity("m") != question(0).identity("n")
    assert question(0).identity("m") == question(0, "other").identity("m")


async def test_stages_do_not_notice_that_an_engine_was_lost() -> None:
    """All in flight together: every engine dies under several of them at once."""
    memory, fleet = Memory(), Fleet(2, 3, 99)
    engine = fleet.recorded(memory)
    answers = await asyncio.gather(*(engine.complete(question(i)) for i in range(12)))
    assert len(answers) == 12
    assert [e.closed for e in fleet.started] == [1, 1, 0]
    await engine.close()
    assert [e.closed for e in fleet.started] == [1, 1, 1]


async def test_an_engine_is_replaced_at_most_so_often() -> None:
    fleet = Fleet(*[0] * 9)
    engine = fleet.recorded(Memory())
    results = await asyncio.gather(*(engine.complete(question(i)) for i in range(5)), return_exceptions=True)
    assert [isinstance(r, EngineError) and r.code == "engine.lost" for r in results] == [True] * 5
    assert len(fleet.started) == RESTARTS + 1
    await engine.close()
    assert all(e.closed == 1 for e in fleet.started)


async def test_a_refused_question_replaces_nothing() -> None:
    memory, fleet = Memory(), Fleet(0, error="refused")
    with pytest.raises(EngineError, match="no answer"):
        await fleet.recorded(memory).complete(question(0))
    assert len(fleet.started) == 1
    assert not memory.kept
