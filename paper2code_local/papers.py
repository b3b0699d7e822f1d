"""Many papers, one story each, on the same engines.

In: a job for each paper, and how many run together. Out: what came of each, as it ends. No paper's failure touches
another one. Must not know stages or the command line.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from paper2code_local import pipeline
from paper2code_local.engine.sizing import EACH_IN_FLIGHT, Need
from paper2code_local.engines import Engines
from paper2code_local.errors import Failure
from paper2code_local.events import Event, Listener
from paper2code_local.pipeline import Outcome
from paper2code_local.rundir import RunDir
from paper2code_local.session import Model
from paper2code_local.settings import PLAN_TOKENS, Job

T = TypeVar("T")


class Guard(Protocol):
    """The boundary of one paper."""

    async def __call__(self, work: Awaitable[T], run: Path) -> T | Failure:
        """Wait for `work`; what it raises becomes a failure, its traceback kept in the folder `run` if it is a bug."""
        ...


Watch = Callable[[Job], AbstractContextManager[Listener]]
"""Gives the listener of a run for as long as it lasts."""
Keep = Callable[[Outcome], None]
"""Keeps what came of a run in its folder."""
Ended = Callable[[Job, Outcome | Failure], None]
"""Hears what came of a paper as soon as it is known."""


@dataclass(frozen=True)
class Size:
    """What a paper asks of a model's engine, in tokens."""

    model: Model
    context: int
    prefix: int
    """What all its questions share."""
    written: int = 0
    """What will be written for it."""


async def generate_all(
    jobs: Sequence[Job],
    together: int | None,
    engines: Engines,
    watch: Watch,
    guard: Guard,
    keep: Keep,
    ended: Ended,
) -> None:
    """Turn each job's paper into a repository, at most `together` at a time, None for as many as the engines hold.

    Every job names its run folder. All papers are read first: one that cannot be read is known before an engine starts,
    and the engines are made for the longest. Papers go in the order of the jobs.
    """
    sizes: list[Size] = []
    readable: list[Job] = []
    reading = asyncio.Semaphore(os.cpu_count() or 1)

    async def look(job: Job) -> None:
        async with reading:
            found = await guard(_sizes(job, engines), _root(job))
        if isinstance(found, Failure):
            ended(job, found)
        else:
            sizes.extend(found)
            readable.append(job)

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(look(job))
    count, needs = room(sizes, len(readable), together)
    engines.expect(needs)
    at_once = asyncio.Semaphore(count)

    async def one(job: Job) -> None:
        async with at_once:
            ended(job, await guard(_generated(job, engines, watch, keep), _root(job)))

    async with asyncio.TaskGroup() as group:
        for job in sorted(readable, key=jobs.index):
            group.create_task(one(job))


def room(sizes: Sequence[Size], papers: int, together: int | None) -> tuple[int, dict[str, Need]]:
    """Return how many of so many papers run together, and by model identity what its engine is needed for.

    Two models in this process take the memory from each other, so with them papers go one by one.
    """
    models = {size.model.identity: size.model for size in sizes}
    needs = {}
    for identity in models:
        mine = [size for size in sizes if size.model.identity == identity]
        longest, prefix = max(size.context for size in mine), max(size.prefix for size in mine)
        written = sum(size.written for size in mine)
        needs[identity] = Need(context=longest, prefix=prefix, papers=papers, tokens=written)
    local = [model for model in models.values() if model.server is None]
    fitting = 1 if len(local) > 1 else min((models[i].papers(need) for i, need in needs.items()), default=1)
    count = max(1, min(fitting if len(local) > 1 else together or fitting, papers))
    in_flight = max(Need.model_fields["in_flight"].default, EACH_IN_FLIGHT * count)
    return count, {i: need.model_copy(update={"papers": count, "in_flight": in_flight}) for i, need in needs.items()}


def _root(job: Job) -> Path:
    assert job.run is not None, "each of many jobs names its folder"
    return job.run


async def _sizes(job: Job, engines: Engines) -> list[Size]:
    """Read a paper, keep nothing of it but its size."""
    folder = RunDir(_root(job))
    with folder.locked():
        _, cast = await pipeline.prepared(job, _nobody, folder, engines)
    parts = {part.model.identity: part for part in cast.values()}.values()
    return [
        Size(p.model, p.need.context, p.text.tokens + int(PLAN_TOKENS * p.model.scale), p.need.tokens) for p in parts
    ]


async def _generated(job: Job, engines: Engines, watch: Watch, keep: Keep) -> Outcome:
    folder = RunDir(_root(job))
    with folder.locked(), watch(job) as hear:
        outcome = await pipeline.generate(job, hear, folder, engines)
    keep(outcome)
    return outcome


def _nobody(_event: Event) -> None:
    """Hear nothing: all of it is said again when the paper's turn comes."""
