"""The engines of this process: each model is started once, by the first new question of any run, and shared by all.

In: who is told, and what each model will be needed for. Out: leases, which are engines. Must not know papers or stages.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from paper2code_local.engine.dialects import Server
from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.sizing import Need
from paper2code_local.errors import EngineError
from paper2code_local.events import Listener
from paper2code_local.modelstore.folder import Hashing
from paper2code_local.session import Model, Sayer, open_model
from paper2code_local.settings import Job

LASTING = frozenset({"engine.missing", "engine.start", "engine.too_small", "engine.context", "engine.quantization"})
"""Failures that the next paper would meet too: half a minute each."""


@dataclass
class _Running:
    """An engine that was started."""

    engine: Engine
    leases: int = 0
    lost: bool = False
    """Whether it died."""


class Engines:
    """Starts engines when they are needed; closes them when another one needs the memory, or at the end."""

    def __init__(self, say: Listener, log: Path) -> None:
        """Tell `say` of starts and tokens; what engines print goes to `log`."""
        self._sayer, self._log = Sayer(say), log
        self._needs: dict[str, Need] = {}
        self._models: dict[tuple[str | None, str | None], Model] = {}
        self._running: dict[str, _Running] = {}
        self._failed: dict[str, EngineError] = {}
        self._read = set[str]()
        self._starting = asyncio.Lock()

    def expect(self, needs: Mapping[str, Need]) -> None:
        """Say by model identity what all runs together will need; else the run that asks first is what counts."""
        self._needs |= needs

    async def model(
        self,
        job: Job,
        spec: str | None,
        url: str | None,
        known: Server | None = None,
        hashing: Hashing = lambda done, total: None,
    ) -> Model:
        """Open a model, once for all runs. Raises like `open_model`."""
        if (spec, url) not in self._models:
            self._models[spec, url] = await open_model(job, spec, url, known, hashing)
        return self._models[spec, url]

    def read_ahead(self, models: Iterable[Model]) -> None:
        """Let the weights of models that will be needed be read from the disk, each once, while the paper is parsed."""
        for model in models:
            if model.identity not in self._read:
                self._read.add(model.identity)
                model.read_ahead()

    async def lease(self, model: Model, need: Need) -> Engine:
        """Return the engine of `model`, started if it is not there; closing it only gives it back.

        Raises EngineError when it cannot be started; whoever asks later is told the same at once.
        """
        async with self._starting:
            if failure := self._failed.get(model.identity):
                raise failure
            running = self._running.get(model.identity)
            if running is None or running.lost:
                running = await self._start(model, need)
            return _Lease(running)

    async def __aenter__(self) -> Engines:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every engine that was started."""
        for running in self._running.values():
            await running.engine.close()
        self._running = {}

    async def _start(self, model: Model, need: Need) -> _Running:
        """Start an engine, with the memory of dead ones and of those that nobody holds free."""
        for identity in [each for each, running in self._running.items() if running.lost or not running.leases]:
            await self._running.pop(identity).engine.close()
        try:
            running = _Running(await model.launch(self._needs.get(model.identity, need), self._log, self._sayer))
        except EngineError as failure:
            if not self._running and failure.code in LASTING:
                self._failed[model.identity] = failure
            raise
        self._running[model.identity] = running
        return running


class _Lease:
    """Satisfies `Engine`: one that others use too."""

    def __init__(self, running: _Running) -> None:
        self._running, self._held = running, True
        self.model, self.can_prefill = running.engine.model, running.engine.can_prefill
        running.leases += 1

    async def complete(self, request: Request) -> Completion:
        """Complete one request. Raises EngineError (`lost`) when the engine died: the next lease is on a new one.

        What another run noticed of its death, and closed, is dead for this one too, however it says so.
        """
        lost = EngineError("lost", f"the engine died before {request.label} was answered", "Run it again to go on.")
        if self._running.lost:
            raise lost
        try:
            return await self._running.engine.complete(request)
        except EngineError as error:
            self._running.lost |= error.code == "engine.lost"
            raise
        except (RuntimeError, AttributeError) as error:
            if self._running.lost:
                raise lost from error
            raise

    async def close(self) -> None:
        """Give it back."""
        self._running.leases -= self._held
        self._held = False
