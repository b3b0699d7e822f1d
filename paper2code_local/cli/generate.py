"""`p2c-local generate`: from a paper to a repository."""

from __future__ import annotations

import asyncio
import json as json_text
from pathlib import Path
from typing import Any

import click
from pydantic import JsonValue

from paper2code_local import casting, offline, pipeline
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import boundary, say, say_json
from paper2code_local.cli.estimating import estimated, estimated_all
from paper2code_local.cli.inspecting import supplement_option
from paper2code_local.cli.many import generate_many, papers_in
from paper2code_local.cli.models import complete_model
from paper2code_local.cli.results import kept, result, told
from paper2code_local.cli.watching import Shown, guard_servers, watching
from paper2code_local.engines import Engines
from paper2code_local.errors import CLEAN, FINDINGS, UsageError
from paper2code_local.events import Listener
from paper2code_local.pipeline import Outcome
from paper2code_local.rundir import RunDir
from paper2code_local.settings import Job, by_stage
from paper2code_local.stages import s1_parse

FILE = click.Path(path_type=Path, dir_okay=False)
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(context_settings=SETTINGS)
@click.argument("papers", metavar="PAPER...", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o",
    "--out",
    required=True,
    type=FOLDER,
    help="Where the repository goes: a new folder, or one of ours. Of several papers each gets a folder in it.",
)
@click.option(
    "--run",
    type=FOLDER,
    help="Where the run is kept, or the runs of several papers.  [default: runs/PAPER-DIGEST beside OUT]",
)
@click.option(
    "--papers-in-flight",
    type=click.IntRange(min=1),
    help="Of several papers, how many are worked on at once.  [default: as many as the KV cache holds]",
)
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
    "--repair-rounds", type=click.IntRange(0, 9), default=4, help="How often a file with errors is asked again."
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
    papers: tuple[Path, ...],
    papers_in_flight: int | None,
    dry_run: bool,
    engine_args: tuple[str, ...],
    events: Path | None,
    json: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Turn each PAPER (PDF, LaTeX, TEI, S2ORC JSON or Markdown) into a repository that implements it.

    \b
    p2c-local generate paper.pdf -o my-repo
    p2c-local generate paper.pdf -o my-repo --until plan    then edit 2-plan.json in the run folder, and again:
    p2c-local generate paper.pdf -o my-repo                 goes on from there
    p2c-local generate paper.tei.xml -o my-repo --model qwen2.5-coder-0.5b-instruct --json
    p2c-local generate paper.pdf -o my-repo --engine-url http://127.0.0.1:11434/v1 --model qwen3-coder:30b
    p2c-local generate a.pdf b.tex papers/ -o repos         many papers on one engine: repos/a, repos/b, …

    What the model once answered is never asked again: an interrupted run goes on where it stopped, a finished one
    replays. What you edit in the run folder is used as it stands, and what follows from it is redone.

    Exits 0 when nothing is wrong, 1 when error findings remain; they stand in REPRODUCTION_NOTES.md. Of several papers
    the worst exit counts. A folder with .tex files is one paper, any other folder a paper for each of its files.
    """
    found = papers_in(papers)
    job = Job(paper=found[0], engine_args=dict(map(engine_arg, engine_args)), **given)
    offline.guard(*offline.host_of(job.grobid))
    guard_servers(by_stage(job.engine_url, "--engine-url"))
    shown = Shown(events, json, quiet, verbose)
    if found != papers or len(found) > 1:
        return estimated_all(job, found, json) if dry_run else generate_many(job, found, papers_in_flight, shown)
    return estimated(job, json) if dry_run else _generated(job, shown)


def _generated(job: Job, shown: Shown) -> int:
    """Make the repository of one paper."""
    folder = RunDir(pipeline.run_folder(job))
    boundary().run = folder.root

    async def story(hear: Listener) -> Outcome:
        async with Engines(hear, folder.root / "engine.log") as engines:
            return await pipeline.generate(job, hear, folder, engines)

    with folder.locked():
        guard_servers(casting.urls_of(job, casting.read_record(folder.root)))
        with watching(folder.root, shown.events, quiet=shown.quiet or shown.json, verbose=shown.verbose) as hear:
            outcome = asyncio.run(story(hear))
    totals = kept(outcome)
    if shown.json:
        say_json(result(outcome, totals))
    elif not shown.quiet:
        say(told(outcome, totals))
    return CLEAN if outcome.ok else FINDINGS


def engine_arg(text: str) -> tuple[str, JsonValue]:
    """Read "K=V"; V is JSON where it parses as that, else a text. Raises UsageError (`engine_arg`)."""
    key, equals, value = text.partition("=")
    if not equals or not key.replace("-", "_").isidentifier():
        raise UsageError("engine_arg", f"--engine-arg {text!r} is not K=V", "For example --engine-arg max_num_seqs=8.")
    try:
        return key.replace("-", "_"), json_text.loads(value)
    except ValueError:
        return key.replace("-", "_"), value
