"""`p2c-local doctor`: what a run needs, what of it is here, and what mends the rest."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from paper2code_local import offline
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.doctor import examine
from paper2code_local.doctor.check import Check, Subject
from paper2code_local.errors import CLEAN, FINDINGS
from paper2code_local.listeners.printable import one_line


@click.command(context_settings=SETTINGS)
@click.option("--grobid", metavar="URL", default="http://127.0.0.1:8070", help="Where GROBID should answer.")
@click.option("--model", metavar="ID", help="What `generate` would be given.  [default: this machine's]")
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    help="Where a repository would go.  [default: the current folder]",
)
@click.option("--deep", is_flag=True, help="Hash the models too; takes seconds for each GB.")
@click.option("--json", is_flag=True, help="Print one JSON object instead.")
def doctor(grobid: str, model: str | None, out: Path | None, deep: bool, json: bool) -> int:
    """Check this machine: each line is ok, warn or fail, and below it stands what mends it.

    \b
    p2c-local doctor
    p2c-local doctor -o my-repo --model qwen2.5-coder-0.5b-instruct
    p2c-local doctor --json | jq '.checks[] | select(.status != "ok")'

    ok: as it should be. warn: a run goes on without it, or with less. fail: a run would not come to its end.
    No engine is started. Only GROBID is asked something. What is tried on disk is taken away again.

    Exits 0 when nothing fails (warnings are allowed), 1 when something does.
    """
    offline.guard(*offline.host_of(grobid))
    subject = Subject(os.environ, grobid, model, out, deep, note=_note)
    checks = []
    for check in examine(subject):
        checks.append(check)
        if not json:
            say(told(check))
    ok = all(check.status != "fail" for check in checks)
    if json:
        say_json({"schema_version": 1, "ok": ok, "checks": [asdict(check) for check in checks]})
    return CLEAN if ok else FINDINGS


def told(check: Check) -> str:
    """Return a check as a line for a person, and its fix as another."""
    line = f"{check.status:<5} {check.name:<10} {one_line(check.found)}"
    return f"{line}\n      fix: {one_line(check.fix)}" if check.fix else line


def _note(text: str) -> None:
    click.echo(one_line(f"note: {text}"), err=True)
