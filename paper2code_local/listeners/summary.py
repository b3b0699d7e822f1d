"""What a run took and what was found: the numbers of `--json`, of summary.md and of `report`.

In: events. Out: `Totals`. Must not know where events come from. A run is counted as if it had been made once: answers
that came from the run folder count like new ones, so that a replay tells the same calls and tokens as the original.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.events import AskedAgain, CallFinished, Checked, Event, Stage, StageFinished, StageStarted
from paper2code_local.listeners.printable import one_line


class Totals(Frozen):
    """A run in numbers."""

    calls: int
    """Questions that were answered, each counted once."""
    replayed: int
    """Of `calls`, those whose answer was in the run folder."""
    reasked: int
    """Answers that were refused."""
    prompt_tokens: int
    cached_tokens: int
    """Of `prompt_tokens`, those whose KV cache was already there."""
    completion_tokens: int
    seconds: dict[Stage, float]
    """How long each stage took, this time."""
    before_repair: dict[str, int]
    """Findings by code when all files were written."""
    final: dict[str, int]
    """Findings by code in what was delivered."""

    @property
    def cached_share(self) -> float:
        """Share of prompt tokens that were not computed again; 0 when there were none."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def summary(events: Iterable[Event]) -> Totals:
    """Add up a run. Of a file that holds several attempts at it only the last counts: each goes through all of it."""
    last = last_attempt(tuple(events))
    calls: dict[tuple[str, int, int], CallFinished] = {}
    for event in last:
        if isinstance(event, CallFinished):
            # The same question asked twice within a run is answered from the run folder: one call.
            calls.setdefault((event.label, event.prompt_tokens, event.completion_tokens), event)
    checked = {event.when: _by_code(event.findings) for event in last if isinstance(event, Checked)}
    return Totals(
        calls=len(calls),
        replayed=sum(call.replayed for call in calls.values()),
        reasked=sum(isinstance(event, AskedAgain) for event in last),
        prompt_tokens=sum(call.prompt_tokens for call in calls.values()),
        cached_tokens=sum(call.cached_tokens for call in calls.values()),
        completion_tokens=sum(call.completion_tokens for call in calls.values()),
        seconds={event.stage: event.seconds for event in last if isinstance(event, StageFinished)},
        before_repair=checked.get("before_repair", {}),
        final=checked.get("final", {}),
    )


def last_attempt(events: Sequence[Event]) -> Sequence[Event]:
    """Return the events since the last one that begins a run."""
    starts = [i for i, e in enumerate(events) if isinstance(e, StageStarted) and e.stage == "parse"]
    return events[starts[-1] :] if starts else events


def markdown(totals: Totals, *, paper: str, model: str, repo: Path | None) -> str:
    """Return summary.md; `repo` is None when no repository was written."""
    lines = [
        f"# {_escaped(paper)}",
        "",
        f"- model: {_escaped(model)}",
        f"- repository: {_escaped(str(repo)) if repo else 'not written'}",
        f"- calls: {totals.calls} ({totals.replayed} from the run folder), {totals.reasked} answers refused",
        f"- tokens: {totals.prompt_tokens:,} read ({totals.cached_share:.0%} from the cache), "
        f"{totals.completion_tokens:,} written",
        "",
        *_table(("stage", "seconds"), [(stage, f"{seconds:.1f}") for stage, seconds in totals.seconds.items()]),
        *_findings(totals),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _by_code(findings: Iterable[Finding]) -> dict[str, int]:
    return dict(sorted(Counter(finding.code for finding in findings).items()))


def _findings(totals: Totals) -> list[str]:
    codes = sorted({*totals.before_repair, *totals.final})
    rows = [(code, str(totals.before_repair.get(code, 0)), str(totals.final.get(code, 0))) for code in codes]
    return _table(("finding", "before repair", "at the end"), rows) if rows else ["No findings."]


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    if not rows:
        return []
    cells = [head, ("---",) * len(head), *(tuple(map(_escaped, row)) for row in rows)]
    return [*(f"| {' | '.join(row)} |" for row in cells), ""]


def _escaped(text: str) -> str:
    """Return `text` on one line with nothing in it that Markdown or HTML would obey."""
    return re.sub(r"([\\`*_\[\]<>|#&!~])", r"\\\1", one_line(text))
