"""The repository as it is written by the model, and as it leaves the gate."""

from __future__ import annotations

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paths import RepoPath


class SourceFile(Frozen):
    """One Python file. `stubbed` are the qualified names whose body the model never gave."""

    path: RepoPath
    text: str
    stubbed: tuple[str, ...] = ()


class Unwritten(Frozen):
    """A file that could not be had from the model: a value, so that its siblings go on."""

    path: RepoPath
    reason: str


class Repo(Frozen):
    """Every planned file, in the order of the plan."""

    files: tuple[SourceFile | Unwritten, ...]


class ValidatedRepo(Frozen):
    """What may be written: every file compiles, every local import names a file and a definition in it."""

    files: tuple[SourceFile, ...]
    """With `__init__.py` where packages need them."""
    findings: tuple[Finding, ...]
    """What remains, for the notes and the exit code."""
    stubbed_files: tuple[str, ...]
    stubbed_names: tuple[str, ...]
    """ "path:qualified.name" each."""
