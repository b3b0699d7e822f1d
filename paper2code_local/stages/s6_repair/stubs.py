"""Honest stubs: what still cannot be written says so, and the rest of the repository works around it.

In: a `Repo` after the rounds, the plan, the gate. Out: a `ValidatedRepo`. Must not know how a skeleton is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.plan import ENTRY, Plan
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.errors import AnswerError
from paper2code_local.stages.s6_repair.faults import STUB
from paper2code_local.stages.s6_repair.looking import Gate

BLOCKING = ("P2C1", "P2C2")
"""Families whose errors may not be written: syntax and imports."""


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
    while blocking := _blocking(findings := await gate({path: file.text for path, file in files.items()}), kept):
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


def contents(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of generated code with the `__init__.py` of its packages."""
    return dict.fromkeys(_inits(texts), "") | dict(texts)


def _packages(files: Mapping[str, SourceFile]) -> tuple[SourceFile, ...]:
    # model_construct: no planned path ends in __init__.py, so the checked type cannot hold ours
    return tuple(SourceFile.model_construct(path=path, text="", stubbed=()) for path in _inits(files))


def _inits(paths: Mapping[str, object]) -> list[str]:
    """Return the path of an `__init__.py` for every folder that holds code."""
    folders = {str(p) for path in paths for p in PurePosixPath(path).parents if str(p) != "."}
    return [made for folder in sorted(folders) if (made := f"{folder}/__init__.py") not in paths]


def _blocking(findings: tuple[Finding, ...], kept: frozenset[str]) -> tuple[Finding, ...]:
    return tuple(f for f in errors_of(findings) if f.code.startswith(BLOCKING) and f.path not in kept)


def _lost(finding: Finding, files: Mapping[str, SourceFile]) -> tuple[str, str] | None:
    """Return the file of ours and the name that is imported from it but defined nowhere, when that is the finding."""
    match finding.code, finding.about:
        case "P2C202", (name, path) if path in files and _stub_of(name) not in files[path].text:
            return path, name
    return None


def _stub_of(name: str) -> str:
    return (
        f"def {name}(*args: object, **kwargs: object) -> None:\n"
        f'    raise NotImplementedError("P2C202: {name} was never written")\n'
    )


def _with_stub(file: SourceFile, name: str) -> SourceFile:
    text = f"{file.text.rstrip()}\n\n\n{_stub_of(name)}".lstrip()
    return file.model_copy(update={"text": text, "stubbed": (*file.stubbed, name)})
