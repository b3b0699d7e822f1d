"""`p2c-local generate`: from a paper to a repository."""

from __future__ import annotations

import asyncio
import json as json_text
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import click
from pydantic import JsonValue

from paper2code_local import casting, offline, pipeline
from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.repair import RepairReport
from paper2code_local.artifacts.smoke import SmokeReport, Status
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import boundary, say, say_json
from paper2code_local.cli.findings import by_file, counted, number
from paper2code_local.cli.inspecting import supplement_option
from paper2code_local.cli.models import complete_model
from paper2code_local.cli.watching import watching
from paper2code_local.errors import CLEAN, FINDINGS, P2CError, UsageError
from paper2code_local.estimate import estimate
from paper2code_local.listeners.jsonl import read_events
from paper2code_local.listeners.summary import Totals, markdown, summary
from paper2code_local.pipeline import Outcome
from paper2code_local.rundir import RunDir
from paper2code_local.settings import Job, ModelStage, by_stage
from paper2code_local.stages import s1_parse

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(context_settings=SETTINGS)
@click.argument("paper", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", required=True, type=FOLDER, help="Where the repository goes: a new folder, or one of ours."
)
@click.option("--run", type=FOLDER, help="Where the run is kept.  [default: runs/PAPER-DIGEST beside OUT]")
@click.option(
    "--model",
    metavar="ID",
    shell_complete=complete_model,
    help="An id of `p2c-local models list`, or a folder; plan=ID,code=ID for one by stage.",
)
@click.option(
    "--parser", type=click.Choice(s1_parse.PARSERS), default="auto", help="What reads the paper; auto: told by content."
)
@supplement_option
@click.option("--grobid", metavar="URL", default="http://127.0.0.1:8070", help="Where GROBID answers.")
@click.option(
    "--engine",
    type=click.Choice(["vllm", "scripted"]),
    default="vllm",
    help="scripted needs no model: its code is nonsense.",
)
@click.option(
    "--engine-url",
    metavar="URL",
    help="An OpenAI-compatible server, as http://127.0.0.1:8000/v1; --model is then its name there.",
)
@click.option("--tokenizer", type=FOLDER, metavar="DIR", help="With --engine-url: the folder of the model's tokenizer.")
@click.option(
    "--chat-template", type=FILE, help="Takes the place of the model folder's own template, or of a missing one."
)
@click.option(
    "--engine-arg",
    "engine_args",
    envvar="P2C_ENGINE_ARG",
    metavar="K=V",
    multiple=True,
    help="Passed to the engine as it is; V may be JSON.",
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Another seed gives another repository.")
@click.option("--attempts", type=click.IntRange(1, 9), default=3, help="How often a question is asked at most.")
@click.option(
    "--repair-rounds", type=click.IntRange(0, 9), default=2, help="How often a file with errors is asked again."
)
@click.option(
    "--samples", type=click.IntRange(1, 16), default=1, help="Drafts of each file; the one with the least errors stays."
)
@click.option("--notes", type=FILE, help="Your hints or an erratum: goes before the paper in every prompt.")
@click.option(
    "--until", type=click.Choice(["plan", "analyse", "code"]), help="Stop after this stage, to edit what it made."
)
@click.option("--dry-run", is_flag=True, help="Only estimate calls and tokens; no engine is started.")
@click.option("--smoke/--no-smoke", default=True, help="Import the result in a sandbox, where there is one.")
@click.option("--git/--no-git", default=True, help="Commit the repository.")
@click.option("--events", type=FILE, help="Append every event as a line of JSON to this file too.")
@click.option("--json", is_flag=True, help="Print one JSON object on standard output, whatever the exit.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also answers that were refused.")
def generate(
    events: Path | None,
    json: bool,
    quiet: bool,
    verbose: bool,
    dry_run: bool,
    engine_args: tuple[str, ...],
    **given: Any,
) -> int:
    """Turn PAPER (PDF, LaTeX, TEI, S2ORC JSON or Markdown) into a repository that implements it.

    \b
    p2c-local generate paper.pdf -o my-repo
    p2c-local generate paper.pdf -o my-repo --until plan    then edit 2-plan.json in the run folder, and again:
    p2c-local generate paper.pdf -o my-repo                 goes on from there
    p2c-local generate paper.tei.xml -o my-repo --model qwen2.5-coder-0.5b-instruct --json
    p2c-local generate paper.pdf -o my-repo --engine-url http://127.0.0.1:11434/v1 --model qwen3-coder:30b

    What the model once answered is never asked again: an interrupted run goes on where it stopped, a finished one
    replays. What you edit in the run folder is used as it stands, and what follows from it is redone.

    Exits 0 when nothing is wrong, 1 when error findings remain; they stand in REPRODUCTION_NOTES.md.
    """
    job = Job(engine_args=dict(map(engine_arg, engine_args)), **given)
    offline.guard(*offline.host_of(job.grobid))
    _guard_servers(by_stage(job.engine_url, "--engine-url"))
    root = pipeline.run_folder(job)
    if dry_run:
        return _estimated(job, root, json)
    folder = RunDir(root)
    boundary().run = root
    with folder.locked():
        _guard_servers(casting.urls_of(job, casting.read_record(folder)))
        with watching(root, events, quiet=quiet or json, verbose=verbose) as hear:
            try:
                outcome = asyncio.run(pipeline.generate(job, hear, folder))
            except P2CError:
                folder.forget()
                raise
    totals = summary(read_events(root / "events.jsonl"))
    findings = pipeline.Findings(findings=outcome.findings)
    folder.keep("5-findings.json", findings)
    folder.keep(
        "summary.md", markdown(totals, paper=outcome.record.paper, model=outcome.record.model, repo=outcome.repo)
    )
    if json:
        say_json(result(outcome, totals))
    elif not quiet:
        say(told(outcome, totals))
    return CLEAN if outcome.ok else FINDINGS


def _guard_servers(urls: Mapping[ModelStage, str | None]) -> None:
    """Let the servers be reached that the user named, now or when the run began."""
    offline.guard(*(host for url in urls.values() if url for host in offline.host_of(url)))


def engine_arg(text: str) -> tuple[str, JsonValue]:
    """Read "K=V"; V is JSON where it parses as that, else a text. Raises UsageError (`engine_arg`)."""
    key, equals, value = text.partition("=")
    if not equals or not key.replace("-", "_").isidentifier():
        raise UsageError("engine_arg", f"--engine-arg {text!r} is not K=V", "For example --engine-arg max_num_seqs=8.")
    try:
        return key.replace("-", "_"), json_text.loads(value)
    except ValueError:
        return key.replace("-", "_"), value


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


def _estimated(job: Job, root: Path, as_json: bool) -> int:
    """Estimate a run from the paper alone."""
    paper, model = asyncio.run(pipeline.look_ahead(job, lambda text: click.echo(text, err=True)))
    expected = estimate(paper.tokens, model.granularity == "file", model.scale, _speed(root))
    if as_json:
        facts: Mapping[str, object] = expected.model_dump()
        say_json({"schema_version": 1, "ok": True, "model": model.id, "paper_tokens": paper.tokens, "estimate": facts})
        return CLEAN
    time = f"about {expected.seconds / 60:.0f} minutes" if expected.seconds else "time unknown: no run to measure yet"
    say(
        f"{model.id}: a paper of {paper.tokens:,} tokens; about {number(expected.calls, 'call')}, "
        f"{expected.prompt_tokens:,} tokens to read (most of them cached), "
        f"{expected.completion_tokens:,} to write; {time}"
    )
    return CLEAN


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
