"""`p2c-local repair`: what the gate finds in any Python repository, mended in place."""

from __future__ import annotations

import asyncio
import difflib
import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from paper2code_local import offline, repairing
from paper2code_local.artifacts.finding import errors_of
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import boundary, say, say_json
from paper2code_local.cli.findings import by_file, counted, number
from paper2code_local.cli.generate import FOLDER, engine_arg
from paper2code_local.cli.models import complete_model
from paper2code_local.cli.results import repaired
from paper2code_local.cli.watching import watching
from paper2code_local.errors import CLEAN, FINDINGS, WriteError
from paper2code_local.repairing import Mended
from paper2code_local.rundir import RunDir
from paper2code_local.settings import Job, by_stage

NEW_MODE = 0o644
"""Of files that are added."""


@click.command(context_settings=SETTINGS)
@click.argument("repo", type=FOLDER)
@click.option("--rounds", type=click.IntRange(0, 9), default=4, help="How often a model is asked; 0: never.")
@click.option(
    "--model", metavar="ID", shell_complete=complete_model, help="An id of `p2c-local models list`, or a folder."
)
@click.option("--engine", type=click.Choice(["vllm", "scripted"]), default="vllm", help="As generate has it.")
@click.option("--engine-url", metavar="URL", help="An OpenAI-compatible server; --model is then its name there.")
@click.option(
    "--engine-arg", "engine_args", envvar="P2C_ENGINE_ARG", metavar="K=V", multiple=True, help="As generate has it."
)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, help="Another seed gives other answers.")
@click.option(
    "--run", type=FOLDER, help="Where answers and originals are kept.  [default: runs/REPO-DIGEST beside REPO]"
)
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--json", is_flag=True, help="Print one JSON object on standard output, whatever the exit.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
@click.option("-v", "--verbose", is_flag=True, help="Also answers that were refused.")
def repair(
    repo: Path,
    rounds: int,
    engine_args: tuple[str, ...],
    dry_run: bool,
    json: bool,
    quiet: bool,
    verbose: bool,
    **given: Any,
) -> int:
    """Repair what `validate` finds in the Python repository REPO, in place.

    \b
    p2c-local repair my-repo --rounds 0      what is beyond doubt, with no model
    p2c-local repair my-repo                 then a model writes again what is left
    p2c-local repair my-repo --dry-run       only show it

    A change is kept only when `validate` then finds less. The originals of changed files are kept in the run folder.
    Exits 0 when no error is left, 1 when there are some, 3 when there is no Python to check. See docs/repair.md.
    """
    job = Job(paper=repo, out=repo, engine_args=dict(map(engine_arg, engine_args)), **given)
    urls = by_stage(job.engine_url, "--engine-url").values()
    offline.guard(*(host for url in urls if url for host in offline.host_of(url)))
    root = job.run or _run_of(repo)
    folder = RunDir(root)
    boundary().run = root
    with folder.locked(), watching(root, quiet=quiet or json, verbose=verbose) as hear:
        mended = asyncio.run(repairing.mend(repo, job, rounds, hear, folder))
    if not dry_run:
        _write(repo, mended.texts, folder)
    if json:
        ok = not errors_of(mended.report.after)
        told = {"repair": repaired(mended.report), "changed": sorted(mended.texts), "run": str(root.absolute())}
        left = [finding.model_dump() for finding in mended.report.after]
        say_json({"schema_version": 1, "ok": ok, "repo": str(repo.absolute()), "findings": left, **told})
    elif not quiet:
        say("\n".join([*_diff(repo, mended.texts)] if dry_run else _told(mended, root)))
    return FINDINGS if errors_of(mended.report.after) else CLEAN


def _run_of(repo: Path) -> Path:
    """Return where a repair is kept: beside the repository, under its name and place."""
    place = repo.absolute()
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
    return place.parent / "runs" / f"repair-{place.name}-{digest}"


def _write(repo: Path, texts: Mapping[str, str], folder: RunDir) -> None:
    """Replace files, each at once, after their originals are kept. Raises WriteError (`write.repair`)."""
    for path, text in texts.items():
        place = repo / path
        try:
            is_new = not place.exists()
            if not is_new:
                folder.keep(f"before/{path}", place.read_bytes())
            with tempfile.NamedTemporaryFile("w", dir=place.parent, encoding="utf-8", newline="", delete=False) as new:
                new.write(text)
            Path(new.name).chmod(NEW_MODE if is_new else place.stat().st_mode)
            Path(new.name).replace(place)
        except OSError as error:
            hint = f"What was changed before it is kept in {folder.root / 'before'}."
            raise WriteError("repair", f"{place} cannot be written: {error.strerror}", hint) from error


def _told(mended: Mended, run: Path) -> list[str]:
    report = mended.report
    lines = list(by_file(report.after)) if report.after else []
    changes = [f"{change.path}: {change.what} ({', '.join(change.codes)})" for change in report.changes]
    lines += [*changes, ""] if changes else []
    errors = len(errors_of(report.before)), len(errors_of(report.mended)), len(errors_of(report.after))
    lines.append(f"{number(errors[0], 'error')}; {errors[1]} after mechanical repair; {errors[2]} at the end")
    lines.append(f"{counted(report.after)} left, {number(len(mended.texts), 'file')} changed")
    if mended.texts:
        lines.append(f"The originals are in {run / 'before'}.")
    return lines


def _diff(repo: Path, texts: Mapping[str, str]) -> list[str]:
    """Return what would change as a unified diff."""
    lines: list[str] = []
    for path, text in sorted(texts.items()):
        there = (repo / path).exists()
        old = (repo / path).read_text(encoding="utf-8") if there else ""
        lines += difflib.unified_diff(old.splitlines(), text.splitlines(), f"a/{path}", f"b/{path}", lineterm="")
        lines += [] if there or text else [f"{path} would be added, empty"]
    return lines or ["Nothing would change."]
