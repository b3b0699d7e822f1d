"""An engine that remembers: a question already asked is not asked again.

In: a call store and a way to start the real engine. Out: completions, from memory or from the engine, which is started
at the first question that memory cannot answer: a finished run replays with no engine at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.errors import EngineError

RESTARTS = 2
"""Times that a dead engine is replaced within one run."""


class CallStore(Protocol):
    """Where completions are kept between runs."""

    def recall(self, request: Request, identity: str) -> Completion | None:
        """Return what was answered to this very question, if it ever was."""
        ...

    def remember(self, request: Request, identity: str, completion: Completion) -> None:
        """Keep the answer durably before it is used."""
        ...


class CallListener(Protocol):
    """Told about every call, for the view and the summary."""

    def asked(self, request: Request) -> None:
        """A question goes to the engine."""
        ...

    def answered(self, request: Request, completion: Completion, *, replayed: bool) -> None:
        """Its answer is known."""
        ...


class RecordedEngine:
    """Satisfies `Engine` over a `CallStore` and an engine that is started when first needed."""

    def __init__(
        self,
        model: str,
        can_prefill: bool,
        start: Callable[[], Awaitable[Engine]],
        store: CallStore,
        listener: CallListener,
    ) -> None:
        self.model, self.can_prefill = model, can_prefill
        self._start, self._store, self._listener = start, store, listener
        self._engine: Engine | None = None
        self._starting = asyncio.Lock()
        self._restarts = 0

    async def complete(self, request: Request) -> Completion:
        """Answer from memory, or ask the engine and remember."""
        identity = request.identity(self.model)
        known = self._store.recall(request, identity)
        if known is not None:
            self._listener.answered(request, known, replayed=True)
            return known
        self._listener.asked(request)
        completion = await self._complete(request)
        self._store.remember(request, identity, completion)
        self._listener.answered(request, completion, replayed=False)
        return completion

    async def close(self) -> None:
        """Close the engine if one was started."""
        if self._engine is not None:
            await self._engine.close()
            self._engine = None

    async def _complete(self, request: Request) -> Completion:
        """Complete with the engine; when it dies, with a new one: stages never notice."""
        while True:
            engine = await self._started()
            try:
                return await engine.complete(request)
            except EngineError as error:
                if error.code != "engine.lost" or not await self._discarded(engine):
                    raise

    async def _started(self) -> Engine:
        async with self._starting:
            if self._engine is None:
                self._engine = await self._start()
            return self._engine

    async def _discarded(self, engine: Engine) -> bool:
        """Close a dead engine, once, whichever of the calls in flight notices first; False when it was the last one."""
        async with self._starting:
            if self._engine is not engine:
                return True
            if self._restarts >= RESTARTS:
                return False
            self._engine, self._restarts = None, self._restarts + 1
            await engine.close()
            return True
