"""Repair: what the gate refuses is asked again, in bounded rounds; what still fails becomes an honest stub.

In: a `Repo`, the gate and a way to rewrite a file, both handed over by the pipeline. Out: a `ValidatedRepo` in which
every file compiles and every local import names a file and a definition in it. Rounds are barriers: all rewrites of a
round read the same repository, and a round that does not lower the number of errors is thrown away.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.plan import ENTRY, Plan
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.asking import render
from paper2code_local.errors import AnswerError
from paper2code_local.source import unit_at

Gate = Callable[[Mapping[str, bytes]], Awaitable[tuple[Finding, ...]]]
"""The findings of a repository given as path → content."""
STUB = "P2C401"
BLOCKING = ("P2C1", "P2C2")
"""Families whose errors may not be written: syntax and imports."""
UNDEFINED = re.compile(r": (?P<path>\S+) defines no `(?P<name>\w+)`\.$")
"""How P2C202 ends."""


class Rewrite(Protocol):
    """Asks the model for a file, or for some of its units, again."""

    def __call__(
        self, path: str, complaint: str, units: tuple[str, ...], label: str, repo: Repo
    ) -> Awaitable[SourceFile | Unwritten]:
        """Return the new version."""
        ...


@dataclass(frozen=True)
class Repaired:
    """The repository after the rounds, with what the gate said before and after them."""

    repo: Repo
    before: tuple[Finding, ...]
    after: tuple[Finding, ...]
    rounds: int


async def repair(repo: Repo, gate: Gate, rewrite: Rewrite, rounds: int, kept: frozenset[str]) -> Repaired:
    """Ask again for what the gate refuses, at most `rounds` times; files in `kept` are the user's and stay."""
    before = findings = await look(repo, gate)
    done = 0
    while done < rounds and (failing := _failing(repo, findings, kept)):
        done += 1
        rewritten = await asyncio.gather(
            *(
                rewrite(file.path, complaint(file, wrong), _units(file, wrong), f"repair{done}", repo)
                for file, wrong in failing
            )
        )
        new = {file.path: file for file in rewritten if isinstance(file, SourceFile)}
        candidate = Repo(files=tuple(new.get(f.path, f) for f in repo.files))
        looked = await look(candidate, gate)
        if len(errors_of(looked)) < len(errors_of(findings)):
            repo, findings = candidate, looked
    return Repaired(repo, before, findings, done)


async def settle(
    repo: Repo,
    plan: Plan,
    gate: Gate,
    skeleton: Callable[[str, str], SourceFile],
    kept: frozenset[str] = frozenset(),
) -> ValidatedRepo:
    """Replace by honest stubs what still cannot be written. `skeleton(path, reason)` gives a file of stubs.

    Files in `kept` are the user's: they stay as they are, and what the gate says of them stays a finding.

    Raises AnswerError (`stubs`) when the entry point or more than half of the files would be stubs.
    """
    stubbed_files = [f.path for f in repo.files if isinstance(f, Unwritten)]
    files = {f.path: f if isinstance(f, SourceFile) else skeleton(f.path, f"{STUB}: {f.reason}") for f in repo.files}
    ours = {path: file for path, file in files.items() if path not in kept}
    while blocking := _blocking(findings := await gate(contents(files)), kept):
        broken = {f.path: f for f in blocking if f.path not in stubbed_files and _lost(f, ours) is None}
        lost = {found for f in blocking if (found := _lost(f, ours))}
        if not broken and not lost and kept:
            break  # stubs of ours import what the user's files lack: that stays a finding too
        if not broken and not lost:
            raise AssertionError(f"the gate refuses a file of ours: {blocking[0]}")
        for finding in broken.values():  # first: a name that is added to such a file would go with its text
            stubbed_files.append(finding.path)
            files[finding.path] = ours[finding.path] = skeleton(finding.path, f"{finding.code}: {finding.message}")
        for path, name in () if broken else sorted(lost):
            files[path] = ours[path] = _with_stub(files[path], name)
    if ENTRY in stubbed_files or 2 * len(stubbed_files) > len(plan.files):
        raise AnswerError(
            "stubs",
            f"{len(stubbed_files)} of {len(plan.files)} files could not be had from the model "
            f"({', '.join(sorted(stubbed_files))})",
            "Try a larger model, another --seed, or edit the plan in the run folder; nothing was written.",
        )
    names = [f"{f.path}:{name}" for f in files.values() if f.path not in stubbed_files for name in f.stubbed]
    return ValidatedRepo(
        files=(*_packages(files), *files.values()),
        findings=findings,
        stubbed_files=tuple(stubbed_files),
        stubbed_names=tuple(names),
    )


async def look(repo: Repo, gate: Gate) -> tuple[Finding, ...]:
    """Return what the gate says of the written files, and one finding for each that is not written."""
    written = {f.path: f for f in repo.files if isinstance(f, SourceFile)}
    absent = tuple(
        Finding(
            code="P2C402",
            severity="error",
            path=f.path,
            line=0,
            message=f"the model gave no usable version of this file: {f.reason}.",
            hint="Write the whole file as planned.",
        )
        for f in repo.files
        if isinstance(f, Unwritten)
    )
    planned = dict.fromkeys((f.path for f in repo.files if isinstance(f, Unwritten)), b"")
    found = await gate(contents(written) | planned)
    unknown = [re.compile(rf"(?<![\w/]){re.escape(f.path)}\b") for f in absent]
    return (*absent, *(f for f in found if not any(path.search(f.message) for path in unknown)))


def contents(files: Mapping[str, SourceFile]) -> dict[str, bytes]:
    """Return path → bytes of a repository, with the `__init__.py` of its packages."""
    all_files = (*_packages(files), *files.values())
    return {f.path: f.text.encode("utf-8", "replace") for f in all_files}


def _packages(files: Mapping[str, SourceFile]) -> tuple[SourceFile, ...]:
    """Return an `__init__.py` for every folder that holds code."""
    folders = {str(p) for path in files for p in PurePosixPath(path).parents if str(p) != "."}
    made = (f"{folder}/__init__.py" for folder in sorted(folders))
    # model_construct: no planned path ends in __init__.py, so the checked type cannot hold ours
    return tuple(SourceFile.model_construct(path=path, text="", stubbed=()) for path in made if path not in files)


def _failing(
    repo: Repo, findings: tuple[Finding, ...], kept: frozenset[str]
) -> list[tuple[SourceFile | Unwritten, tuple[Finding, ...]]]:
    wrong = {f.path: tuple(e for e in errors_of(findings) if e.path == f.path) for f in repo.files}
    return [(f, wrong[f.path]) for f in repo.files if wrong[f.path] and f.path not in kept]


def complaint(file: SourceFile | Unwritten, wrong: tuple[Finding, ...]) -> str:
    """Return what the model is told about its last version, with the lines in question; nothing of a stub of ours."""
    wrong = tuple(f for f in wrong if f.code != STUB)
    if not wrong:
        return ""
    lines: list[str] = []
    if isinstance(file, SourceFile):
        text = file.text.split("\n")
        shown = sorted({n for f in wrong if f.line for n in range(f.line - 2, f.line + 2) if 0 <= n < len(text)})
        lines = [text[n] for n in shown][:40]
    return render(__package__, "repair.md", findings=wrong, lines="\n".join(lines))


def _units(file: SourceFile | Unwritten, wrong: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the functions that hold the findings; empty when one of them is outside of all."""
    if isinstance(file, Unwritten):
        return ()
    units = [unit_at(file.text, f.line) if f.line else None for f in wrong]
    return tuple(dict.fromkeys(u.qualname for u in units if u)) if all(units) else ()


def _blocking(findings: tuple[Finding, ...], kept: frozenset[str]) -> tuple[Finding, ...]:
    return tuple(f for f in errors_of(findings) if f.code.startswith(BLOCKING) and f.path not in kept)


def _lost(finding: Finding, files: Mapping[str, SourceFile]) -> tuple[str, str] | None:
    """Return the file of ours and the name that is imported from it but defined nowhere, when that is the finding."""
    match = UNDEFINED.search(finding.message)
    if finding.code != "P2C202" or match is None or match["path"] not in files:
        return None
    path, name = match["path"], match["name"]
    return None if _stub_of(name) in files[path].text else (path, name)


def _stub_of(name: str) -> str:
    return (
        f"def {name}(*args: object, **kwargs: object) -> None:\n"
        f'    raise NotImplementedError("P2C202: {name} was never written")\n'
    )


def _with_stub(file: SourceFile, name: str) -> SourceFile:
    text = f"{file.text.rstrip()}\n\n\n{_stub_of(name)}".lstrip()
    return file.model_copy(update={"text": text, "stubbed": (*file.stubbed, name)})
