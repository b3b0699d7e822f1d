"""`generate --dry-run`: what a run may take, with no engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import click

from paper2code_local import pipeline
from paper2code_local.cli.boundary import boundary, failed, say, say_json
from paper2code_local.cli.findings import number
from paper2code_local.errors import CLEAN, Failure
from paper2code_local.estimate import Estimate, estimate
from paper2code_local.listeners.jsonl import read_events
from paper2code_local.listeners.summary import summary
from paper2code_local.prefix import PaperText
from paper2code_local.session import Model
from paper2code_local.settings import Job

Seen = tuple[PaperText, Model, Estimate]


def estimated(job: Job, as_json: bool) -> int:
    """Estimate a run from the paper alone."""
    seen = asyncio.run(_seen(job))
    if as_json:
        say_json({"schema_version": 1, "ok": True, **_data(seen)})
    else:
        say(_told(seen))
    return CLEAN


def estimated_all(job: Job, papers: Sequence[Path], as_json: bool) -> int:
    """Estimate a run for each of the papers."""
    mine = boundary()
    found = {path: asyncio.run(mine.guarded(_seen(job.model_copy(update={"paper": path})), None)) for path in papers}
    failures = [each for each in found.values() if isinstance(each, Failure)]
    if as_json:
        data = [
            {"paper": str(path)} | ({"error": failed(each)} if isinstance(each, Failure) else _data(each))
            for path, each in found.items()
        ]
        say_json({"schema_version": 1, "ok": not failures, "papers": data})
    else:
        for path, each in found.items():
            said = f"error: {each.message}\n  hint: {each.hint}" if isinstance(each, Failure) else _told(each)
            say(f"{path.name}: {said}")
    return max((failure.exit_code for failure in failures), default=CLEAN)


async def _seen(job: Job) -> Seen:
    paper, model = await pipeline.look_ahead(job, lambda text: click.echo(text, err=True))
    speed = _speed(pipeline.run_folder(job))
    return paper, model, estimate(paper.tokens, model.granularity == "file", model.scale, speed)


def _data(seen: Seen) -> dict[str, object]:
    paper, model, expected = seen
    return {"model": model.id, "paper_tokens": paper.tokens, "estimate": expected.model_dump()}


def _told(seen: Seen) -> str:
    paper, model, expected = seen
    time = f"about {expected.seconds / 60:.0f} minutes" if expected.seconds else "time unknown: no run to measure yet"
    return (
        f"{model.id}: a paper of {paper.tokens:,} tokens; about {number(expected.calls, 'call')}, "
        f"{expected.prompt_tokens:,} tokens to read (most of them cached), "
        f"{expected.completion_tokens:,} to write; {time}"
    )


def _speed(root: Path) -> float | None:
    """Return the tokens per second that the newest run beside this one wrote, when there is one."""
    runs = sorted(root.parent.glob("*/events.jsonl"), key=lambda p: p.stat().st_mtime, reverse=True)
    for path in runs:
        totals = summary(read_events(path))
        busy = sum(
            seconds for stage, seconds in totals.seconds.items() if stage in ("plan", "analyse", "code", "repair")
        )
        if totals.calls and not totals.replayed and busy > 1:
            return totals.completion_tokens / busy
    return None
