"""VALIDATION.md: what was checked, what remains, what repair did.

In: the validated repository and the report of its repair. Out: Markdown. Must not know how anything was checked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.repair import Ending, RepairReport
from paper2code_local.artifacts.repo import ValidatedRepo
from paper2code_local.artifacts.smoke import SmokeReport
from paper2code_local.asking import render
from paper2code_local.stages.s7_write.escaping import code, escaped

FAMILIES = {
    "P2C1": "syntax: every file compiles",
    "P2C2": "imports: every local import names a file and a definition in it, in the planned order",
    "P2C3": "promises: what was planned is there, with its signature and a body",
    "P2C4": "stubs",
    "P2C6": "symbols: names and attributes are defined",
    "P2C7": "signatures: calls give what is taken",
    "P2C8": "settings: keys that are read are in config.yaml",
    "P2C9": "requirements: imported packages are required",
    "P2C00": "safety: what a reader should look at before running it",
    "P2C01": "smoke run: every module can be imported, scripts answer --help",
}
"""How codes begin → what its family is about."""
ENDINGS: dict[Ending, str] = {
    "clean": "It ended because no error was left.",
    "rounds": "It ended because the rounds were used up; errors were left.",
    "stuck": "It ended because two rounds in a row brought nothing; errors were left.",
    "tokens": "It ended because its budget of tokens was spent; errors were left.",
}


@dataclass(frozen=True)
class Family:
    """One row of the table of checks."""

    name: str
    codes: str
    errors: int
    warnings: int


def validation(repo: ValidatedRepo, report: RepairReport, smoke: SmokeReport | str) -> str:
    """Render the page; a text for `smoke` says why nothing was run."""
    families = [
        Family(name, start.ljust(6, "x"), *_count([f for f in repo.findings if f.code.startswith(start)]))
        for start, name in FAMILIES.items()
    ]
    steps = [
        ("as the model wrote it", *_count(report.before)),
        ("with settings added, after the mechanical repair", *_count(report.mended)),
        ("at the end, with stubs and smoke run", *_count(repo.findings)),
    ]
    page = render(
        __package__,
        "VALIDATION.md.j2",
        md=escaped,
        code=code,
        repo=repo,
        report=report,
        families=families,
        steps=steps,
        ending=ENDINGS[report.ended],
        files=len(repo.files),
        smoke=None if isinstance(smoke, str) else smoke,
        skipped=smoke if isinstance(smoke, str) else "",
    )
    return page.strip() + "\n"


def _count(findings: Sequence[Finding]) -> tuple[int, int]:
    errors = len(errors_of(tuple(findings)))
    return errors, len(findings) - errors
