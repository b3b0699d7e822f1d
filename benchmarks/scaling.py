"""How a run grows with its papers and its files, with an engine that only waits as long as a real one would.

    python benchmarks/scaling.py results/throughput-DATE.json [--speed 8] [--plot FILE.png] [--results FILE]

The latency model has three numbers, fitted (least squares) to the requests of a real throughput run: seconds for a
prompt token that is computed, seconds of a step, and what each further request in flight adds to a step. Prompts are
computed one after the other; blocks of a prompt that were seen before are cached. Time runs `--speed` times as fast as
it would, so what we do ourselves weighs that many times too much: the figures are upper bounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import workload
from measured import heading, markdown_table
from throughput import Standing, finished, guarded, watched
from workload import Canned, length

from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.papers import generate_all
from paper2code_local.session import Model
from paper2code_local.settings import Job

PAPERS = (1, 2, 4, 8, 16)
FILES = (5, 10, 20, 40, 60)
BLOCK = 128
"""Tokens that are cached together."""
TOGETHER = 5
"""Tokens that are waited for at a time."""
WIDTH = 3
"""Files of a level, each of which needs the level before."""


@dataclass(frozen=True)
class Latency:
    """Seconds that an engine takes."""

    prefill: float
    """For each token of a prompt that is computed."""
    step: float
    """For each step of decoding with one request."""
    each: float
    """More for each further request in the step."""


def fitted(runs: Sequence[Sequence[Sequence[Any]]]) -> Latency:
    """Fit a latency to the requests of runs: (label, began, ended, tokens, prompt tokens, cached tokens).

    A request waits for its own prompt and for those that come while it decodes.
    """
    rows, seconds = [], []
    for requests in runs:
        for _, began, ended, tokens, *_ in requests:
            shared = sum(max(0.0, min(ended, other[2]) - max(began, other[1])) for other in requests)
            computed = sum(other[4] - other[5] for other in requests if began <= other[1] < ended)
            others = shared / max(1e-6, ended - began) - 1
            rows.append((computed, tokens, tokens * others))
            seconds.append(ended - began)
    found, *_ = numpy.linalg.lstsq(numpy.array(rows, float), numpy.array(seconds), rcond=None)
    return Latency(*(max(float(number), 1e-6) for number in found))


class Paced:
    """Satisfies `Engine`: answers after the time that a real engine would take, `speed` times as fast."""

    can_prefill = True

    def __init__(self, latency: Latency, speed: float) -> None:
        self._latency, self._speed = latency, speed
        self._scripted = ScriptedEngine()
        self.model = self._scripted.model
        self._prefill = asyncio.Lock()
        self._seen: set[int] = set()
        self._decoding = 0

    async def complete(self, request: Request) -> Completion:
        """Wait as long as the answer would take."""
        completion = await self._scripted.complete(request)
        async with self._prefill:
            prompt = request.system + request.user + request.prefill
            await asyncio.sleep(self._latency.prefill * self._computed(prompt) / self._speed)
        self._decoding += 1
        left = length(request.label, 1.0)
        while left > 0:
            now = min(TOGETHER, left)
            async with self._prefill:  # nobody decodes while a prompt is computed
                pass
            step = self._latency.step + self._latency.each * (self._decoding - 1)
            await asyncio.sleep(now * step / self._speed)
            left -= now
        self._decoding -= 1
        return completion

    async def close(self) -> None:
        """Nothing to release."""

    def _computed(self, prompt: str) -> int:
        """Return how many tokens of a prompt are in no block that was seen; four characters are a token."""
        ends = range(4 * BLOCK, len(prompt) + 1, 4 * BLOCK)
        cached = 0
        for end in ends:
            block = hash(prompt[:end])
            cached = end if block in self._seen and cached == end - 4 * BLOCK else cached
            self._seen.add(block)
        return (len(prompt) - cached) // 4


def layered(files: int) -> dict[str, tuple[str, ...]]:
    """Return paths and what each needs: levels of `WIDTH` files beside main.py."""
    names = [f"part{number}.py" for number in range(files - 1)]
    levels = [tuple(names[at : at + WIDTH]) for at in range(0, len(names), WIDTH)]
    return {path: before for before, level in zip(((), *levels), levels, strict=False) for path in level}


def run(latency: Latency, speed: float, papers: int, needs: Mapping[str, Sequence[str]]) -> dict[str, object]:
    """Return the row of so many papers with such files."""
    with tempfile.TemporaryDirectory() as work:
        place = Path(work)
        jobs = []
        for number in range(papers):
            paper = place / f"p{number}.md"
            paper.write_text(workload.paper(2_000, number, ScriptedEngine().count), encoding="utf-8")
            out, folder = place / "o" / f"{number}", place / "r" / f"{number}"
            jobs.append(Job(paper=paper, out=out, run=folder, engine="scripted", smoke=False))
        began, cpu = time.monotonic(), time.process_time()
        asyncio.run(_generated(jobs, Canned(Paced(latency, speed), needs), place, len(needs) / 5))
        seconds, cpu = (time.monotonic() - began) * speed, time.process_time() - cpu
    return {
        "papers": papers,
        "files": len(needs) + 1,
        "seconds": f"{seconds:.0f}",
        "papers/hour": f"{3600 * papers / seconds:.1f}",
        "our CPU seconds": f"{cpu:.1f}",
    }


class Roomy(Standing):
    """Engines of a model whose context has room for sixty interfaces."""

    async def model(self, *asked: Any, **more: Any) -> Model:
        """Open the model."""
        return replace(await super().model(*asked, **more), context=1 << 20)


async def _generated(jobs: list[Job], engine: Canned, place: Path, scale: float) -> None:
    async with Roomy(engine, place, scale) as engines:
        await generate_all(jobs, len(jobs), engines, watched, guarded, lambda _: None, finished)


def main() -> None:
    """Fit, run, print the tables, and append them to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured", type=Path)
    parser.add_argument("--speed", type=float, default=8.0)
    parser.add_argument("--plot", type=Path, help="a PNG file; needs matplotlib")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "scaling.md")
    asked = parser.parse_args()
    data = json.loads(asked.measured.read_text(encoding="utf-8"))
    latency = fitted([each["requests"] for each in data["measures"] if each["what"] in {"ours", "bound"}])
    rows = [run(latency, asked.speed, papers, workload.NEEDS) for papers in PAPERS]
    rows += [run(latency, asked.speed, 1, layered(files)) for files in FILES]
    fit = f"{latency.prefill * 1e3:.2f} ms a prompt token, {latency.step * 1e3:.0f} ms a step"
    title = f"{data['model']}: {fit}, {latency.each * 1e3:.1f} ms more for each further request"
    said = heading(title) + markdown_table(rows)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)
    if asked.plot:
        _drawn(rows, asked.plot)


def _drawn(rows: list[dict[str, object]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4))
    for axis, key, some in ((axes[0], "papers", rows[: len(PAPERS)]), (axes[1], "files", rows[len(PAPERS) :])):
        axis.plot([int(str(row[key])) for row in some], [float(str(row["seconds"])) for row in some], marker="o")
        axis.set_xlabel(key)
        axis.set_ylabel("seconds")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


if __name__ == "__main__":
    main()
