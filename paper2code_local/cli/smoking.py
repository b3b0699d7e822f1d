"""`p2c-local smoke`: what happens when a repository is imported, in a sandbox."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import click

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.cli.findings import by_file, counted, number
from paper2code_local.errors import CLEAN, FINDINGS
from paper2code_local.listeners.printable import one_line
from paper2code_local.smoke import files_of, find_sandbox, smoke_folder
from paper2code_local.smoke import smoke as smoke_run

QUIET = 2.0
"""Seconds without a word; afterwards a line on standard error every so often."""


@click.command(context_settings=SETTINGS)
@click.argument("repo", type=click.Path(path_type=Path))
@click.option("--json", is_flag=True, help="Print one JSON object instead.")
@click.option(
    "--python",
    envvar="P2C_SMOKE_PYTHON",
    allow_from_autoenv=False,  # P2C_PYTHON is that of scripts/setup
    type=click.Path(path_type=Path),
    help="The Python to use: one that has the requirements.",
)
@click.option(
    "--timeout",
    metavar="S",
    type=click.FloatRange(0, 3600, min_open=True),
    default=60.0,
    help="Seconds for one module.",
)
@click.option("--image", metavar="NAME", default="", help="An image of podman or docker, if bubblewrap cannot be used.")
@click.option("--again", is_flag=True, help="Try it even if these very files were tried before.")
def smoke(repo: Path, json: bool, python: Path | None, timeout: float, image: str, again: bool) -> int:
    """Import every module of the Python repository in the folder REPO, in a sandbox, and ask its scripts for --help.

    \b
    p2c-local smoke my-repo
    p2c-local smoke my-repo --python my-repo/.venv/bin/python
    p2c-local smoke my-repo --json | jq .trials

    There is no network inside, the repository is read-only, and time, memory, processes and disk are limited. A package
    that is not installed is told and is no failure. Exits 0 when nothing failed, 1 when something did, 3 when there is
    no Python to try, 5 when this machine has no sandbox: nothing is run without one. See docs/smoke.md.
    """
    policy = SmokePolicy(seconds=timeout)
    files, left_out = files_of(repo)
    sandbox, cache = find_sandbox(python, image), smoke_folder(os.environ)
    report = smoke_run(files, sandbox, policy, left_out=left_out, cache=cache, again=again, progress=_Progress())
    ok = not errors_of(report.findings)
    if json:
        say_json({"schema_version": 1, "ok": ok, **report.model_dump(mode="json")})
    else:
        say("\n".join(_told(report)))
    return CLEAN if ok else FINDINGS


class _Progress:
    """Says how far it is, once it has taken a while."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, done: int, of: int) -> None:
        if time.monotonic() - self._said > QUIET:
            self._said = time.monotonic()
            click.echo(f"{done} of {of} tried", err=True)


def _told(report: SmokeReport) -> Iterator[str]:
    yield from by_file(report.findings)
    for trial in report.trials:
        if trial.status == "not checked":
            yield one_line(f"{trial.path} is not checked: {trial.reason}")
    if missing := report.missing():
        yield one_line(f"not installed here: {', '.join(missing)}")
    for path in report.left_out:
        yield one_line(f"{path} was too large to be taken along")
    of = ", ".join(
        f"{report.count(status)} {status}"
        for status in ("ok", "failed", "not installed", "not checked")
        if status == "ok" or report.count(status)
    )
    before = ", as remembered" if report.remembered else ""
    yield f"{of}; {counted(report.findings)} in {number(len(report.trials), 'trial')} ({report.sandbox}{before})"
