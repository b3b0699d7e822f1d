"""`p2c-local report`: a run told again from its folder. The folder may come from anywhere: only data is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from pydantic import ValidationError

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.cli.findings import by_file, counted
from paper2code_local.errors import InputError
from paper2code_local.events import Checked, Event, Stage, StageFinished, StageStarted
from paper2code_local.listeners.jsonl import read_events
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.progress import duration
from paper2code_local.listeners.summary import Totals, last_attempt, summary
from paper2code_local.settings import RunRecord

LARGEST_RECORD = 1 << 20
"""Bytes of run.json; it has less than one kilobyte."""


@click.command(context_settings=SETTINGS)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", is_flag=True, help="Print one JSON object instead.")
def report(run: Path, json: bool) -> None:
    """Tell the run in the folder RUN again: what it was about, what it took, what was found.

    \b
    p2c-local report runs/attention-3f9c01ab
    p2c-local report runs/attention-3f9c01ab --json | jq .tokens
    """
    story = _read(run)
    if json:
        say_json(_data(story))
    else:
        say("\n".join(_told(story)))


@dataclass(frozen=True)
class _Story:
    """What a run folder says of its last attempt."""

    run: Path
    record: RunRecord | None
    events: Sequence[Event]
    totals: Totals
    attempts: int

    @property
    def repo(self) -> Path | None:
        """Where the repository is, if it is still there."""
        return Path(self.record.out) if self.record and Path(self.record.out).is_dir() else None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found last."""
        checked = [event for event in self.events if isinstance(event, Checked)]
        return checked[-1].findings if checked else ()

    @property
    def stopped_in(self) -> Stage | None:
        """The stage that began and did not end."""
        begun = [event.stage for event in self.events if isinstance(event, StageStarted)]
        ended = {event.stage for event in self.events if isinstance(event, StageFinished)}
        return next((stage for stage in begun if stage not in ended), None)

    @property
    def written(self) -> bool:
        """Whether the attempt came to its end."""
        return "write" in self.totals.seconds


def _read(run: Path) -> _Story:
    """Read a run folder. Raises InputError (`not_a_run`, and those of `read_events`)."""
    record, log = _record(run / "run.json"), run / "events.jsonl"
    if record is None and not log.is_file():
        hint = "Give the run folder that generate names: it holds run.json and events.jsonl."
        raise InputError("not_a_run", f"{run} is not the folder of a run", hint)
    events = read_events(log) if log.is_file() else ()
    attempts = sum(isinstance(event, StageStarted) and event.stage == "parse" for event in events)
    return _Story(run, record, last_attempt(events), summary(events), attempts)


def _record(path: Path) -> RunRecord | None:
    """Return what run.json says; None when there is none or it cannot be trusted to be one."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_RECORD:
            return None
        return RunRecord.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _data(story: _Story) -> dict[str, object]:
    totals, record = story.totals, story.record
    return {
        "schema_version": 1,
        "ok": story.written and not errors_of(story.findings),
        "run": str(story.run),
        "repo": str(story.repo) if story.repo else None,
        "stopped_in": story.stopped_in,
        "attempts": story.attempts,
        "paper": record.paper if record else None,
        "model": record.model if record else None,
        "parser": record.parser if record else None,
        "seed": record.seed if record else None,
        "calls": totals.calls,
        "replayed": totals.replayed,
        "reasked": totals.reasked,
        "tokens": {
            "prompt": totals.prompt_tokens,
            "cached": totals.cached_tokens,
            "completion": totals.completion_tokens,
        },
        "seconds": dict(totals.seconds),
        "before_repair": totals.before_repair,
        "findings": [finding.model_dump() for finding in story.findings],
    }


def _told(story: _Story) -> Iterator[str]:
    totals, record = story.totals, story.record
    if record:
        yield f"paper       {one_line(record.paper)}, read by {record.parser}"
        yield f"model       {one_line(record.model)}, context {record.context:,}, seed {record.seed}"
    else:
        yield "run.json is missing or cannot be read: paper and model are unknown"
    yield f"run         {one_line(str(story.run))}" + (f", attempt {story.attempts}" if story.attempts > 1 else "")
    yield f"repository  {_where(story)}"
    yield f"calls       {totals.calls:,} ({totals.replayed:,} from the run folder), {totals.reasked:,} answers refused"
    prompts = f"{totals.prompt_tokens:,} of prompts ({totals.cached_share:.0%} cached)"
    yield f"tokens      {prompts}, {totals.completion_tokens:,} of answers"
    yield ""
    for event in story.events:
        if isinstance(event, StageFinished):
            yield f"{event.stage:<10}  {duration(event.seconds):>11}  {one_line(event.note)}".rstrip()
    if stopped := story.stopped_in:
        yield f"{stopped:<10}      stopped  run the same generate command again to go on"
    yield ""
    yield from by_file(story.findings)
    yield counted(story.findings)


def _where(story: _Story) -> str:
    if not story.written:
        return "not written"
    return one_line(str(story.repo)) if story.repo else "written, but no longer where it was"
