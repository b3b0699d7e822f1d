"""Which function, method or file is at fault, and what the model is told of it.

In: a repository and what the gate found. Out: `Fault`s. Must not know who is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten
from paper2code_local.asking import render
from paper2code_local.source import outline, unit_at

STUB = "P2C401"
SEVERAL = 2
"""With so many attributes that nobody sets, the constructor is at fault."""
SHOWN = 40
"""Lines in question that the model is shown, at most."""
CONSTANTS = ("True", "False", "None", "self", "config", "torch")
"""What is often given to a parameter."""


def faults_of(
    repo: Repo,
    findings: tuple[Finding, ...],
    kept: frozenset[str],
    assigned: Mapping[str, frozenset[str]],
    asked: Mapping[tuple[str, str | None], int],
) -> tuple[Fault, ...]:
    """Return what must be written again: functions and methods, or a whole file when an error is outside of all.

    Files in `kept` are the user's. `assigned` maps "path:Class" to the attributes that its constructor was planned to
    set: where one of them lacks, or several others, the constructor is at fault and not who reads it. `asked` maps path
    and unit to how often it was asked for already: in vain, so that of reader and constructor the other one has its
    turn.
    """
    faults: list[Fault] = []
    for file in repo.files:
        wrong = tuple(e for e in errors_of(findings) if e.path == file.path)
        if not wrong or file.path in kept:
            continue
        due = assigned if isinstance(file, Unwritten) else _due(file, wrong, assigned)
        units = [_unit(file, f, due, asked) if isinstance(file, SourceFile) else None for f in wrong]
        if None in units:
            faults.append(fault(file, None, wrong))
            continue
        for unit in dict.fromkeys(units):
            faults.append(fault(file, unit, tuple(f for f, u in zip(wrong, units, strict=True) if u == unit)))
    return tuple(faults)


def fault(file: SourceFile | Unwritten, unit: str | None, findings: tuple[Finding, ...]) -> Fault:
    """Return what is wrong with a unit of a file, or with the file."""
    sets = unit is not None and unit.endswith(".__init__")  # a constructor may be what should set an attribute
    avoid = dict.fromkeys(word for f in findings if not (sets and f.code == "P2C603") for word in avoided(f))
    return Fault(
        path=file.path,
        unit=unit,
        findings=findings,
        complaint=complaint(file, findings),
        avoid=tuple(avoid),
    )


def complaint(file: SourceFile | Unwritten, wrong: Sequence[Finding]) -> str:
    """Return what the model is told about its last version, with the lines in question; nothing of a stub of ours."""
    wrong = tuple(f for f in wrong if f.code != STUB)
    if not wrong:
        return ""
    lines: list[str] = []
    if isinstance(file, SourceFile):
        text = file.text.split("\n")
        shown = sorted({n for f in wrong if f.line for n in range(f.line - 2, f.line + 2) if 0 <= n < len(text)})
        lines = [text[n] for n in shown][:SHOWN]
    return render(__package__, "repair.md", findings=wrong, lines="\n".join(lines))


def avoided(finding: Finding) -> tuple[str, ...]:
    """Return the words that a finding proves wrong wherever they stand in the unit."""
    match finding.code, finding.about:
        case "P2C601", (name,):
            return (name,)
        case "P2C602" | "P2C603" | "P2C604", (owner, attribute, *_):
            return (f"{owner}.{attribute}", f"{owner}. {attribute}")  # a blank evades a forbidden word
        case "P2C606", (callee,):
            return tuple(f"{callee}{after}" for after in ("", "("))
        case "P2C701", (callee, _):
            return tuple(f"{callee}(){after}" for after in ("", "(", ".", ")"))
        case "P2C703", (_, parameter):  # a sign and the word after it may be one token
            return (f"{parameter}=", *(f"{parameter}={value}" for value in (parameter, *CONSTANTS)))
        case _:
            return ()


def _due(
    file: SourceFile, wrong: Sequence[Finding], assigned: Mapping[str, frozenset[str]]
) -> Mapping[str, frozenset[str]]:
    """Return what each constructor of a file should set: as planned, and what its class reads and lacks, if several.

    One attribute that lacks may be a slip of who reads it. What is called may be a method that nobody wrote.
    """
    lacking: dict[str, set[str]] = {}
    for finding in wrong:
        here = unit_at(file.text, finding.line) if finding.code == "P2C603" else None
        if here is not None and not re.search(rf"\.{re.escape(finding.about[-1])}\s*\(", file.text):
            lacking.setdefault(f"{file.path}:{here.qualname.rpartition('.')[0]}", set()).add(finding.about[-1])
    several = {owner: frozenset(names) for owner, names in lacking.items() if len(names) >= SEVERAL}
    return {**assigned, **{owner: names | assigned.get(owner, frozenset()) for owner, names in several.items()}}


def _unit(
    file: SourceFile,
    finding: Finding,
    due: Mapping[str, frozenset[str]],
    asked: Mapping[tuple[str, str | None], int],
) -> str | None:
    """Return the function or method to write again, None for the whole file."""
    here = unit_at(file.text, finding.line) if finding.line else None
    if here is None:
        return None
    reader, owner = here.qualname, here.qualname.rpartition(".")[0]
    constructor = f"{owner}.__init__"
    if finding.code != "P2C603" or constructor not in {d.qualname for d in outline(file.text).definitions}:
        return reader
    is_due = finding.about[-1] in due.get(f"{file.path}:{owner}", frozenset())
    turns = (constructor, reader) if is_due else (reader, constructor)
    return min(turns, key=lambda unit: asked.get((file.path, unit), 0))
