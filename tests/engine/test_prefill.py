"""A shared prefix is computed by the first request that has it; nobody waits for anything else, or for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.engine.prefill import WORTH_WAITING, PrefixGate, shared

PREFIX = list(range(1000))


class Prefills:
    """Requests whose prefill ends when the test says so."""

    def __init__(self, gate: PrefixGate) -> None:
        self.gate = gate
        self.inside: set[str] = set()
        self._ends: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def start(self, **requests: Sequence[int]) -> None:
        for name, tokens in requests.items():
            self._ends[name] = asyncio.Event()
            self._tasks[name] = asyncio.create_task(self._prefill(name, tokens))
        await settled()

    async def end(self, name: str) -> None:
        self._ends[name].set()
        await self._tasks[name]
        await settled()

    async def cancel(self, name: str) -> None:
        self._tasks[name].cancel()
        with pytest.raises(asyncio.CancelledError):
            await self._tasks[name]
        await settled()

    async def _prefill(self, name: str, tokens: Sequence[int]) -> None:
        async with self.gate.admitted(tokens):
            self.inside.add(name)
            try:
                await self._ends[name].wait()
            finally:
                self.inside.remove(name)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_shared_prefix_is_computed_once() -> None:
    prefills = Prefills(PrefixGate())
    await prefills.start(a=[*PREFIX, -1], b=[*PREFIX, -2], c=[*PREFIX, -3])
    assert prefills.inside == {"a"}
    await prefills.end("a")
    assert prefills.inside == {"b", "c"}, "what a computed is there for both"


async def test_unrelated_requests_go_together() -> None:
    prefills = Prefills(PrefixGate())
    short = PREFIX[: WORTH_WAITING - 1]
    await prefills.start(a=[*short, -1], b=[*short, -2], c=[-3, *PREFIX], d=[])
    assert prefills.inside == {"a", "b", "c", "d"}


async def test_only_what_is_not_there_yet_is_waited_for() -> None:
    prefills = Prefills(PrefixGate())
    await prefills.start(a=PREFIX)
    await prefills.end("a")
    near, far = [-1] * (WORTH_WAITING - 1), [-1] * WORTH_WAITING
    await prefills.start(b=[*PREFIX, *near, 1], c=[*PREFIX, *near, 2])
    assert prefills.inside == {"b", "c"}
    await prefills.start(d=[*PREFIX, *far, 3], e=[*PREFIX, *far, 4])
    assert prefills.inside == {"b", "c", "d"}


@pytest.mark.parametrize("waits", [False, True])
async def test_a_cancelled_request_holds_nobody_up(waits: bool) -> None:
    prefills = Prefills(PrefixGate())
    await prefills.start(a=[*PREFIX, -1], b=[*PREFIX, -2], c=[*PREFIX, -3])
    await prefills.cancel("b" if waits else "a")
    assert prefills.inside == ({"a"} if waits else {"b"}), "what was not computed is computed by the next one"
    await prefills.end("a" if waits else "b")
    assert prefills.inside == {"c"}


Tree = st.lists(st.lists(st.sampled_from([1, 2]), max_size=5), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(tree=Tree, cancelled=st.sets(st.integers(0, 11)), rounds=st.lists(st.integers(0, 3), min_size=12, max_size=12))
def test_nobody_waits_for_ever(tree: list[list[int]], cancelled: set[int], rounds: list[int]) -> None:
    """Whatever the requests share and whichever of them are given up, all others are admitted."""
    admitted: list[int] = []
    gate = PrefixGate()

    async def request(number: int) -> None:
        tokens = [part for part in tree[number] for _ in range(WORTH_WAITING // 2)]
        async with gate.admitted(tokens):
            for _ in range(rounds[number]):
                await asyncio.sleep(0)
        admitted.append(number)

    async def all_requests() -> None:
        tasks = [asyncio.create_task(request(i)) for i in range(len(tree))]
        for i, task in enumerate(tasks):
            if i in cancelled:
                await asyncio.sleep(0)
                task.cancel()
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), timeout=10)

    asyncio.run(all_requests())
    assert set(admitted) >= set(range(len(tree))) - cancelled


@given(st.lists(st.integers(0, 2)), st.lists(st.integers(0, 2)))
def test_shared_is_the_length_of_the_common_prefix(a: list[int], b: list[int]) -> None:
    length = shared(a, b)
    assert a[:length] == b[:length]
    assert length == min(len(a), len(b)) or a[length] != b[length]
