"""`p2c-local validate`: what reading can prove about a Python repository. Nothing of it is run."""

from __future__ import annotations

from pathlib import Path

import click

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.cli.explaining import explained, explanation
from paper2code_local.cli.findings import by_file, counted, number
from paper2code_local.cli.sarif import sarif, workflow_commands
from paper2code_local.errors import CLEAN, FINDINGS
from paper2code_local.isolated import run_isolated
from paper2code_local.stages.s5_validate import read_repository
from paper2code_local.stages.s5_validate import validate as gate

FORMATS = ("text", "json", "sarif", "github")


@click.command(context_settings=SETTINGS)
@click.argument("repo", type=click.Path(path_type=Path), required=False)
@click.option("--format", type=click.Choice(FORMATS), default="text", help="How findings are told.")
@click.option("--json", is_flag=True, help="Short for --format json.")
@click.option("--explain", metavar="CODE", help="Say what CODE means, with an example; `list` names all codes.")
def validate(repo: Path | None, format: str, json: bool, explain: str | None) -> int:
    """Check the Python repository in the folder REPO by reading it; nothing of it is run.

    \b
    p2c-local validate my-repo
    p2c-local validate my-repo --json | jq '.findings[].code'
    p2c-local validate my-repo --format sarif > findings.sarif
    p2c-local validate --explain P2C202

    Exits 0 when there are no errors (warnings are allowed), 1 when there are, 3 when there is no Python to check. The
    codes are explained in docs/findings.md.
    """
    form = "json" if json else format
    if explain is not None:
        if form == "json":
            say_json({"schema_version": 1, "ok": True, **explanation(explain)})
        else:
            say(explained(explain))
        return CLEAN
    if repo is None:
        raise click.UsageError("Missing argument 'REPO': no repository is given.")
    looked_at, findings = run_isolated(check, repo)
    ok = not errors_of(findings)
    match form:
        case "json":
            told = [finding.model_dump() for finding in findings]
            say_json({"schema_version": 1, "ok": ok, "files": looked_at, "findings": told})
        case "sarif":
            say_json(sarif(findings, repo))
        case "github":
            for line in workflow_commands(findings, repo):
                say(line)
        case _:
            say("\n".join([*by_file(findings), f"{counted(findings)} in {number(looked_at, 'Python file')}"]))
    return CLEAN if ok else FINDINGS


def check(repo: Path) -> tuple[int, tuple[Finding, ...]]:
    """Return how many Python files `repo` has and what is found in them. Raises InputError when it has none."""
    files = read_repository(repo)
    return sum(path.endswith(".py") for path in files), gate(files, honour_ignores=True)
