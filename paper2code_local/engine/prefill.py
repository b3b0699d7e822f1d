"""PrefixGate: a shared prefix is prefilled once, not once per request in flight.

vLLM reuses KV-cache blocks only after they are computed: of several requests that arrive together with the same new
prefix, each would compute it. So a request waits while another one that shares much more with it than is cached yet is
being prefilled. Pure asyncio; knows token ids only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

WORTH_WAITING = 256
"""Shared tokens not yet computed that make waiting cheaper than computing them twice: two of vLLM's CPU blocks."""


class PrefixGate:
    """Admits requests so that what they share is computed by the first of them."""

    def __init__(self, worth_waiting: int = WORTH_WAITING) -> None:
        self._worth_waiting = worth_waiting
        self._prefilling: list[Sequence[int]] = []
        self._done: list[Sequence[int]] = []
        self._left = asyncio.Event()

    @asynccontextmanager
    async def admitted(self, tokens: Sequence[int]) -> AsyncIterator[None]:
        """Hold the block while `tokens` are prefilled; leave it at the first output token."""
        while self._should_wait(tokens):
            await self._left.wait()
        self._prefilling.append(tokens)
        try:
            yield
            self._done = [*self._done[-63:], tokens]
        finally:  # without awaiting: a second cancellation here would leave the others waiting for ever
            self._prefilling = [t for t in self._prefilling if t is not tokens]
            self._left.set()
            self._left = asyncio.Event()

    def _should_wait(self, tokens: Sequence[int]) -> bool:
        ready = max((shared(tokens, done) for done in self._done), default=0)
        coming = max((shared(tokens, other) for other in self._prefilling), default=0)
        return coming - ready >= self._worth_waiting


def shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Return the length of the common prefix of two token sequences."""
    low, high = 0, min(len(a), len(b))
    while low < high:  # slices compare in C, so bisection beats a loop over thousands of tokens
        middle = (low + high + 1) // 2
        if a[low:middle] == b[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
