"""How fast papers become repositories: ours, against calls one by one, and against what the same requests allow.

    python benchmarks/throughput.py [--quick] [--repeats N] [--share S] [--model ID] [--out FILE.json] [--plots DIR]

The workload is fixed (workload.py): 8 files in levels 3-3-1-1, papers of 2,000 and 10,000 tokens, the same prompts and
the same length of each answer everywhere. In one run, repeated and interleaved:

    sequential   as PaperCoder's scripts for open models: three engine loads (plan, analyse, code) with vLLM's defaults,
                 its prefix cache on within each, one call at a time; papers add up
    one by one   the same calls one at a time on our engine: for information; unless --quick also with the cache off
    ours         the whole pipeline: asking, parsing, gate, files
    bound        the same requests on the same engine, each sent when those that it waits for are answered; no pipeline
    at once      all requests without waiting for anything: for information
    longest chain  of requests that wait for each other, each as long as it took one by one: for information

`--quick` shortens all answers to a quarter and repeats once. Times of runs exclude loading the engine;
`ratio_one_paper` and `ratio_many_papers` are given with loads and without. A table goes to results/throughput.md,
everything to FILE.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import workload
from measured import commit, heading, machine, markdown_table, versions
from pydantic import JsonValue
from timed import Measure, longest
from workload import Canned, FixedLength, Sent, exactly, parents

from paper2code_local.cli.generate import engine_arg
from paper2code_local.engine import hardware, sizing, vllm
from paper2code_local.engine.protocol import Engine
from paper2code_local.engines import Engines
from paper2code_local.errors import Failure
from paper2code_local.events import AskedAgain, Event, Listener, StageFinished
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.papers import generate_all
from paper2code_local.pipeline import Outcome
from paper2code_local.session import Model, shape_of, tokenizer_of
from paper2code_local.settings import Job

T = TypeVar("T")
CONTEXT = 24_576
MANY = 8
NESTED = ("requests", "stages", "critical_path")
"""Numbers that are for the JSON alone."""


class Standing(Engines):
    """Engines of a run of ours: one that is already there."""

    def __init__(self, engine: Engine, folder: Path, scale: float = workload.SCALE) -> None:
        super().__init__(lambda _: None, folder / "engine.log")
        self._standing, self._scale = engine, scale

    async def model(self, *asked: Any, **more: Any) -> Model:
        """Open a model that may plan as many files as the workload has."""
        return replace(
            await super().model(*asked, **more),
            scale=self._scale,
            granularity="unit",
            papers=lambda need: need.papers,
        )

    async def lease(self, model: Model, need: sizing.Need) -> Engine:
        """Return the engine that is already there."""
        return self._standing


class Bench:
    """The engine that everything but *sequential* runs on, and the papers."""

    def __init__(
        self, folder: ModelFolder, share: float, work: Path, extra: dict[str, JsonValue], papers: int = 1
    ) -> None:
        self.folder, self.share, self.work, self.extra = folder, share, work, extra
        self.tokens = round(papers * share * workload.TOKENS)
        self.tokenizer = tokenizer_of(folder)
        self.llm: Any = None
        self.engine: vllm.VllmEngine | None = None

    async def start(self) -> float:
        """Start our engine and warm it up; return the seconds of the start alone."""
        need = sizing.Need(context=CONTEXT, in_flight=8 * MANY, papers=MANY, prefix=CONTEXT // 2, tokens=self.tokens)
        arguments = sizing.engine_args(hardware.hardware(), shape_of(self.folder), need, self.extra)
        began = time.monotonic()
        log = self.work / "engine.log"
        self.engine = await vllm.start(self.folder.path, self.folder.identity, self.tokenizer, arguments, log)
        seconds = time.monotonic() - began
        self.llm = self.engine._llm
        words = self.tokenizer.encode("", "warm " * 900, "")
        await asyncio.gather(*(drained(exactly(self.llm, words, 12, f"warm{n}")) for n in range(4)))
        return seconds

    async def fresh(self) -> FixedLength:
        """Empty the prefix cache; return a new view of the engine."""
        await self.llm.reset_prefix_cache()
        return FixedLength(self.llm, self.share)

    def write(self, tokens: int, seed: int) -> Path:
        """Write the paper with that seed."""
        path = self.work / f"paper{tokens}-{seed}.md"
        path.write_text(workload.paper(tokens, seed, self.tokenizer.count), encoding="utf-8")
        return path

    async def ours(self, papers: Sequence[tuple[int, int]], together: int | None = None) -> Measure:
        """Time our pipeline on papers, given as (tokens, seed)."""
        fixed = await self.fresh()
        place = Path(tempfile.mkdtemp(dir=self.work))
        jobs = [
            Job(paper=self.write(*p), out=place / "o" / f"{n}", run=place / "r" / f"{n}", model=str(self.folder.path))
            for n, p in enumerate(papers)
        ]
        engine = vllm.VllmEngine(fixed, self.folder.identity, self.tokenizer, -1)
        stages: dict[str, float] = defaultdict(float)

        @contextmanager
        def watched(_job: Job) -> Iterator[Listener]:
            def hear(event: Event) -> None:
                strict(event)
                if isinstance(event, StageFinished):
                    stages[event.stage] += event.seconds

            yield hear

        began = time.monotonic()
        async with Standing(Canned(engine), place) as engines:
            await generate_all(jobs, together, engines, watched, guarded, lambda _: None, finished)
        return Measure("ours", tuple(size for size, _ in papers), time.monotonic() - began, fixed.sent, stages)

    async def one_by_one(self, sent: Sequence[Sent], size: int, *, cached: bool) -> Measure:
        """Send the same requests one at a time."""
        fixed = await self.fresh()
        began = time.monotonic()
        for each in sent:
            if not cached:
                await self.llm.reset_prefix_cache()
            await drained(fixed.generate({"prompt_token_ids": each.prompt}, None, f"0:{each.label}"))
        what = "one by one on our engine" + ("" if cached else ", cache off")
        return Measure(what, (size,), time.monotonic() - began, fixed.sent)

    async def bound(self, sent: Sequence[Sent], size: int, *, free: bool = False) -> Measure:
        """Send each request as soon as those that it waits for are answered; with `free`, all at once."""
        fixed = await self.fresh()
        waits = parents([each.label for each in sent])
        done = {each.label: asyncio.Event() for each in sent}

        async def one(each: Sent) -> None:
            for label in () if free else waits[each.label]:
                await done[label].wait()
            await drained(fixed.generate({"prompt_token_ids": each.prompt}, None, f"0:{each.label}"))
            done[each.label].set()

        began = time.monotonic()
        await asyncio.gather(*map(one, sent))
        return Measure("at once" if free else "bound", (size,), time.monotonic() - began, fixed.sent)


async def drained(stream: Any) -> None:
    """Wait until an answer is written."""
    async for _ in stream:
        pass


async def guarded(work: Awaitable[T], _run: Path) -> T:
    """Let every failure end the benchmark."""
    return await work


def strict(event: Event) -> None:
    """Refuse a run that asks again: then the lengths would not be those of the workload."""
    assert not isinstance(event, AskedAgain), event


@contextmanager
def watched(_job: Job) -> Iterator[Listener]:
    """Hear nothing but that."""
    yield strict


def finished(job: Job, outcome: Outcome | Failure) -> None:
    """Refuse a run without a repository."""
    assert isinstance(outcome, Outcome), (job.paper, outcome)


async def sequential(folder: ModelFolder, share: float, sent: dict[int, list[Sent]]) -> list[Measure]:
    """Time PaperCoder's schedule on one paper of each size; loads are counted for each paper."""
    from vllm import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    os.environ.pop("VLLM_CPU_NUM_OF_RESERVED_CPU", None)
    settings = {"model": str(folder.path), "dtype": "bfloat16", "max_model_len": CONTEXT, "language_model_only": True}
    if not hardware.hardware().gpus:
        settings["gpu_memory_utilization"] = 0.5  # of main memory; with the default, .92, it does not start beside us
    loads, seconds = 0.0, dict.fromkeys(sent, 0.0)
    seen: dict[int, list[Sent]] = {size: [] for size in sent}
    for stage in ("plan", "analyse", "code"):
        began = time.monotonic()
        llm = await asyncio.to_thread(AsyncLLM.from_engine_args, AsyncEngineArgs(**settings))
        loads += time.monotonic() - began
        for size, requests in sent.items():
            await llm.reset_prefix_cache()
            fixed = FixedLength(llm, share)
            began = time.monotonic()
            for each in requests:
                if each.label.startswith(stage):
                    await drained(fixed.generate({"prompt_token_ids": each.prompt}, None, f"0:{each.label}"))
            seconds[size] += time.monotonic() - began
            seen[size] += fixed.sent
        await asyncio.to_thread(llm.shutdown)
    calls = [Measure("sequential", (size,), seconds[size], seen[size]) for size in sent]
    return [*calls, *(Measure("three loads", (size,), loads) for size in sent)]


async def measure(
    bench: Bench, sizes: Sequence[int], many: int, repeats: int, quick: bool, say: Callable[[Measure], None]
) -> list[Measure]:
    """Measure everything, interleaved."""
    found: list[Measure] = []

    def keep(each: Measure) -> Measure:
        found.append(each)
        say(each)
        return each

    keep(Measure("one load", (0,), await bench.start()))
    requests: dict[int, list[Sent]] = {}
    for turn in range(repeats):
        for seed, size in enumerate(sizes):
            ours = keep(await bench.ours([(size, seed)]))
            requests[size] = ours.sent
            keep(await bench.bound(ours.sent, size))
        if many:
            keep(await bench.ours([(sizes[n % len(sizes)], n) for n in range(many)]))
        if turn == 0:
            for size in sizes:
                keep(await bench.bound(requests[size], size, free=True))
                alone = keep(await bench.one_by_one(requests[size], size, cached=True))
                keep(Measure("longest chain, one by one", (size,), longest(alone.sent)[0]))
            if not quick:
                keep(await bench.one_by_one(requests[sizes[0]], sizes[0], cached=False))
    assert bench.engine is not None
    await bench.engine.close()
    for _ in range(repeats):
        for each in await sequential(bench.folder, bench.share, requests):
            keep(each)
    return found


def ratios(found: Sequence[Measure], sizes: Sequence[int], many: int) -> dict[str, Any]:
    """Return the ratios of medians, and the least and the largest ratio that single repeats would give."""

    def times(what: str, *papers: int) -> list[float]:
        return [m.seconds for m in found if m.what == what and m.papers == papers]

    def ratio(slow: Sequence[float], fast: Sequence[float]) -> dict[str, float]:
        middle = statistics.median(slow) / statistics.median(fast)
        said = {"median": middle, "least": min(slow) / max(fast), "most": max(slow) / min(fast)}
        return {name: round(value, 2) for name, value in said.items()}

    together = tuple(sizes[n % len(sizes)] for n in range(many))
    load = times("one load", 0)[0]
    said: dict[str, Any] = {}
    for size in sizes:
        sequential_, ours = times("sequential", size), times("ours", size)
        loads = statistics.median(times("three loads", size))
        said[f"ratio_one_paper_{size}"] = ratio([t + loads for t in sequential_], [t + load for t in ours])
        said[f"ratio_one_paper_{size}_without_loads"] = ratio(sequential_, ours)
        said[f"ratio_one_paper_{size}_same_engine"] = ratio(times("one by one on our engine", size), ours)
        said[f"ratio_bound_{size}"] = ratio(times("bound", size), ours)
    said["ratio_one_paper"] = said[f"ratio_one_paper_{sizes[-1]}"]
    said["ratio_bound"] = said[f"ratio_bound_{sizes[-1]}"]
    if not many:
        return said

    def added(what: str, extra: float) -> list[float]:
        turns = zip(*(times(what, size) for size in sizes), strict=False)
        return [sum(turn[n % len(sizes)] for n in range(many)) + extra for turn in turns]

    loads = statistics.median(times("three loads", sizes[0]))
    ours = times("ours", *together)
    said["ratio_many_papers"] = ratio(added("sequential", loads * many), [t + load for t in ours])
    said["ratio_many_papers_without_loads"] = ratio(added("sequential", 0), ours)
    said["ratio_many_papers_same_engine"] = ratio(added("one by one on our engine", 0), ours)
    return said


def main() -> None:
    """Measure, write the JSON and append a table to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 10_000], help="Tokens of the papers.")
    parser.add_argument("--many", type=int, default=MANY, help="Papers at once; 0 leaves that out.")
    parser.add_argument("--share", type=float, help="Of the full length of answers; quick: 0.25.")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument(
        "--engine-arg", action="append", default=[], metavar="K=V", help="Of our engine, as generate has it."
    )
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plots", type=Path, help="A folder for PNG files; needs matplotlib.")
    asked = parser.parse_args()
    share = asked.share or (0.25 if asked.quick else 1.0)
    folder = model_folder(asked.model, default_store(os.environ), None, lambda done, total: None)

    def say(each: Measure) -> None:
        numbers = {key: value for key, value in each.numbers().items() if key not in NESTED}
        print(numbers, file=sys.stderr, flush=True)

    os.environ.update(vllm.ENVIRONMENT)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        extra = dict(map(engine_arg, asked.engine_arg))
        bench = Bench(folder, share, Path(work), extra, asked.many or 1)
        found = asyncio.run(
            measure(bench, asked.sizes, asked.many, asked.repeats or (1 if asked.quick else 3), asked.quick, say)
        )
    said = ratios(found, asked.sizes, asked.many)
    rows = [{key: v for key, v in m.numbers().items() if key not in NESTED} for m in found]
    changed = "".join(f", {each}" for each in asked.engine_arg)
    table = heading(f"{folder.id}, answers at {share:g} of their length{changed}") + markdown_table(rows)
    table += "\n" + markdown_table([{"ratio": name, **value} for name, value in said.items()])
    print(table)
    data = {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        "commit": commit(),
        "machine": machine(),
        "model": folder.id,
        "versions": versions(),
        "share": share,
        "engine_args": asked.engine_arg,
        "lengths": workload.LENGTHS,
        **said,
        "measures": [m.numbers() for m in found],
    }
    out = asked.out or Path(__file__).parent / "results" / f"throughput-{datetime.now(UTC):%Y%m%d-%H%M}.json"
    out.write_text(json.dumps(data, indent=1), encoding="utf-8")
    with (Path(__file__).parent / "results" / "throughput.md").open("a", encoding="utf-8") as results:
        results.write(table)
    if asked.plots:
        from plots import draw

        draw(data, asked.plots)


if __name__ == "__main__":
    main()
