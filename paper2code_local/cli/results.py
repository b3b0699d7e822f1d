"""What came of a paper: one object for --json, lines for a person, and what is kept of it in the run folder."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.repair import RepairReport
from paper2code_local.artifacts.smoke import SmokeReport, Status
from paper2code_local.cli.findings import by_file, counted, number
from paper2code_local.listeners.jsonl import read_events
from paper2code_local.listeners.summary import Totals, markdown, summary
from paper2code_local.pipeline import Findings, Outcome
from paper2code_local.rundir import RunDir


def kept(outcome: Outcome) -> Totals:
    """Keep the findings and the summary of a run in its folder; return the summary."""
    folder, record = RunDir(outcome.run), outcome.record
    totals = summary(read_events(outcome.run / "events.jsonl"))
    folder.keep("5-findings.json", Findings(findings=outcome.findings))
    folder.keep("summary.md", markdown(totals, paper=record.paper, model=record.model, repo=outcome.repo))
    return totals


def result(outcome: Outcome, totals: Totals) -> dict[str, object]:
    """Return the object of --json."""
    repair = outcome.repair
    origins = Counter(v.origin for v in outcome.plan.config) if outcome.plan else Counter[str]()
    return {
        "schema_version": 1,
        "ok": outcome.ok,
        "repo": str(outcome.repo) if outcome.repo else None,
        "run": str(outcome.run.absolute()),
        "findings": [finding.model_dump() for finding in outcome.findings],
        "before_repair": [finding.model_dump() for finding in repair.before] if repair else [],
        "repair": repaired(repair) if repair else None,
        "smoke": smoked(outcome.smoke),
        "stubbed": {"files": len(outcome.stubbed_files), "names": len(outcome.stubbed_names)},
        "config": {origin: origins[origin] for origin in ("traced", "untraced", "assumed")},
        "calls": totals.calls,
        "reasked": totals.reasked,
        "tokens": {
            "prompt": totals.prompt_tokens,
            "cached": totals.cached_tokens,
            "completion": totals.completion_tokens,
        },
        "seconds": dict(totals.seconds),
        "model": outcome.record.model,
        "parser": outcome.record.parser,
    }


def repaired(report: RepairReport) -> dict[str, object]:
    """Return what repair did, for --json."""
    return {
        "rounds": report.rounds,
        "ended": report.ended,
        "errors": {
            "before": len(errors_of(report.before)),
            "mechanical": len(errors_of(report.mended)),
            "after": len(errors_of(report.after)),
        },
        "changes": [change.model_dump() for change in report.changes],
    }


def smoked(smoke: SmokeReport | str) -> dict[str, object]:
    """Return what came of importing the result, for --json; a text says why it was not tried."""
    if isinstance(smoke, str):
        return {"skipped": smoke}
    counts = {name.replace(" ", "_"): smoke.count(name) for name in get_args(Status)}
    return {"sandbox": smoke.sandbox, **counts, "missing": smoke.missing()}


def told(outcome: Outcome, totals: Totals) -> str:
    """Return what a person reads at the end."""
    if outcome.repo is None:
        return f"Stopped as asked. Edit what is in {outcome.run}, then run the same command without --until."
    lines = list(by_file(outcome.findings)) if outcome.findings else []
    stubs = len(outcome.stubbed_files) + len(outcome.stubbed_names)
    lines += [
        counted(outcome.findings) + (f", {number(stubs, 'stub')}" if stubs else ""),
        f"{number(totals.calls, 'call')} ({totals.replayed} replayed, {totals.reasked} answers refused), "
        f"{totals.prompt_tokens:,} tokens read ({totals.cached_share:.0%} cached), "
        f"{totals.completion_tokens:,} written",
        f"repository  {outcome.repo}",
        f"run         {outcome.run}",
    ]
    if errors_of(outcome.findings):
        lines.append("What is left to do stands in REPRODUCTION_NOTES.md.")
    return "\n".join(lines)
