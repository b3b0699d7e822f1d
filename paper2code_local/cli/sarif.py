"""Findings for other programs: SARIF 2.1.0, and the workflow commands of GitHub.

In: findings and the folder that they are about, as the user named it. Out: JSON or lines. Must not know who found them.
Paths are given from where the command runs, since that is what such programs resolve them against.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote

from paper2code_local import __version__
from paper2code_local.artifacts.finding import Finding
from paper2code_local.stages.s5_validate.codes import ELSEWHERE, EXPLAINED

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(findings: Sequence[Finding], repo: Path) -> dict[str, object]:
    """Return findings as a SARIF 2.1.0 log of one run, with a rule for each code that occurs."""
    codes = sorted({finding.code for finding in findings})
    driver = {"name": "p2c-local", "version": __version__, "rules": [_rule(code) for code in codes]}
    results = [_result(finding, codes.index(finding.code), repo) for finding in findings]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "utf16CodeUnits", "results": results}],
    }


def workflow_commands(findings: Sequence[Finding], repo: Path) -> Iterator[str]:
    """Yield findings as lines that GitHub shows beside the code."""
    for finding in findings:
        properties = {"file": _placed(finding.path, repo), "line": finding.line, "title": finding.code}
        given = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items() if value)
        yield f"::{finding.severity} {given}::{_data(_said(finding))}"


def _rule(code: str) -> dict[str, object]:
    if code in EXPLAINED:
        title, severity, text = EXPLAINED[code].title, EXPLAINED[code].severity, EXPLAINED[code].explanation
    else:
        title, severity, text = ELSEWHERE[code]
    return {
        "id": code,
        "shortDescription": {"text": title},
        "fullDescription": {"text": text},
        "defaultConfiguration": {"level": severity},
    }


def _result(finding: Finding, rule: int, repo: Path) -> dict[str, object]:
    result = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity,
        "message": {"text": _said(finding)},
    }
    if not finding.path:
        return result
    place: dict[str, object] = {"artifactLocation": {"uri": quote(_placed(finding.path, repo))}}
    if finding.line:
        place["region"] = {"startLine": finding.line}
    return result | {"locations": [{"physicalLocation": place}]}


def _said(finding: Finding) -> str:
    return f"{finding.message} {finding.hint}".strip()


def _placed(path: str, repo: Path) -> str:
    """Return a path of the repository as seen from the working directory, when the repository is in that."""
    folder = Path(os.path.relpath(repo))
    return path if not path or folder.parts[:1] == ("..",) else (folder / path).as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
