"""How many repositories are free of errors: as written, after mechanical repair, at the end.

    python benchmarks/repairs.py PAPER... [--seeds 0 1] [--samples N] [--model ID] [--work DIR] [--results FILE]

Every paper with every seed, in flight together in one process on one engine. Answers with code are cut at 700 tokens.
What is finished is kept in the work folder: the same command goes on. A table is appended to the
results, with date, machine and commit, and with what each repository stays stuck at.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from measured import heading, markdown_table

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.sizing import Need
from paper2code_local.engines import Engines
from paper2code_local.errors import Failure, P2CError
from paper2code_local.events import Event, Listener, StageFinished
from paper2code_local.listeners.jsonl import JsonLines, read_events
from paper2code_local.listeners.summary import summary
from paper2code_local.papers import generate_all
from paper2code_local.pipeline import Outcome
from paper2code_local.rundir import stem_of
from paper2code_local.session import Model, Sayer
from paper2code_local.settings import Job

T = TypeVar("T")
CODE_TOKENS = 700


class Capped:
    """Satisfies `Engine`: cuts what is answered for code."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.model, self.can_prefill = engine.model, engine.can_prefill

    async def complete(self, request: Request) -> Completion:
        """Complete a request that is no longer than allowed."""
        if request.label.startswith(("code.", "repair")):
            request = request.model_copy(update={"max_tokens": min(request.max_tokens, CODE_TOKENS)})
        return await self._engine.complete(request)

    async def close(self) -> None:
        """Close what is inside."""
        await self._engine.close()


class CappedEngines(Engines):
    """Engines that cut what is answered for code."""

    async def model(self, *asked: Any, **more: Any) -> Model:
        """Open a model whose engine is capped."""
        model = await super().model(*asked, **more)

        async def launch(need: Need, log: Path, sayer: Sayer) -> Engine:
            return Capped(await model.launch(need, log, sayer))

        return replace(model, launch=launch)


async def guarded(work: Awaitable[T], _run: Path) -> T | Failure:
    """Wait for a paper; bugs end the benchmark."""
    try:
        return await work
    except P2CError as error:
        return Failure(error.code, error.message, error.hint, error.exit_code)


@contextmanager
def watched(job: Job) -> Iterator[Listener]:
    """Keep the events of a run, and tell each stage that ends."""
    assert job.run is not None
    with JsonLines(job.run / "events.jsonl") as kept:

        def hear(event: Event) -> None:
            kept(event)
            if isinstance(event, StageFinished):
                print(f"{job.out.name}: {event.stage} {event.seconds:.0f} s {event.note}", file=sys.stderr)

        yield hear


def main() -> None:
    """Make the repositories and append a dated table to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("papers", nargs="+", type=Path)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--work", type=Path, default=Path("bench-out"))
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "repairs.md")
    asked = parser.parse_args()
    jobs = [_job(paper, seed, asked) for paper in asked.papers for seed in asked.seeds]
    ended: dict[str, Outcome | Failure] = {}
    asked.work.mkdir(parents=True, exist_ok=True)

    def end(job: Job, outcome: Outcome | Failure) -> None:
        ended[job.out.name] = outcome

    async def story() -> None:
        async with CappedEngines(lambda _: None, asked.work / "engine.log") as engines:
            await generate_all(jobs, None, engines, watched, guarded, lambda _: None, end)

    began = time.monotonic()
    asyncio.run(story())
    seconds = time.monotonic() - began
    title = f"{asked.model}, {len(jobs)} repositories, samples {asked.samples}, {seconds:.0f} s"
    said = (
        heading(title) + shares(list(ended.values())) + markdown_table([_row(job, ended[job.out.name]) for job in jobs])
    )
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def _job(paper: Path, seed: int, asked: argparse.Namespace) -> Job:
    name = f"{stem_of(paper.name.replace('.', '_'))}-{asked.model.split('-')[-2]}-n{asked.samples}-s{seed}"
    place = {"out": asked.work / name, "run": asked.work / "runs" / name}
    return Job(paper=paper, model=asked.model, seed=seed, samples=asked.samples, smoke=True, git=False, **place)


def shares(ended: Sequence[Outcome | Failure]) -> str:
    """Say what share of the repositories has no error at each point."""
    reports = [each.repair for each in ended if isinstance(each, Outcome) and each.repair]
    steps = {
        "as written": [report.before for report in reports],
        "after mechanical repair": [report.mended for report in reports],
        "at the end": [each.findings for each in ended if isinstance(each, Outcome)],
    }
    lines = [f"Of {len(ended)}: {len(reports)} written, {len(ended) - len(reports)} without a usable answer (exit 6)."]
    for when, found in steps.items():
        clean = sum(not errors_of(findings) for findings in found)
        errors = sum(len(errors_of(findings)) for findings in found)
        lines.append(f"- {when}: {clean} free of errors ({clean / max(1, len(ended)):.0%}), {errors} errors in all")
    return "\n".join(lines) + "\n\n"


def _row(job: Job, end: Outcome | Failure) -> dict[str, object]:
    if isinstance(end, Failure):
        return {"repository": job.out.name, "errors as written": end.code}
    report, totals = end.repair, summary(read_events(end.run / "events.jsonl"))
    assert report is not None
    return {
        "repository": job.out.name,
        "errors as written": len(errors_of(report.before)),
        "mechanical": len(errors_of(report.mended)),
        "end": len(errors_of(end.findings)),
        "stubs": len(end.stubbed_files) + len(end.stubbed_names),
        "helpers": sum(change.what.endswith("is added: code calls it.") for change in report.changes),
        "rounds": f"{report.rounds} ({report.ended})",
        "calls": totals.calls,
        "refused": totals.reasked,
        "tokens written": totals.completion_tokens,
        "cached": f"{totals.cached_share:.0%}",
        "left": _counted(errors_of(end.findings)) or "none",
    }


def _counted(findings: Sequence[Finding]) -> str:
    return ", ".join(f"{code}×{n}" for code, n in sorted(Counter(f.code for f in findings).items()))


if __name__ == "__main__":
    main()
