"""The architecture: which files there are, what each needs and defines, and from that the interface of each."""

from __future__ import annotations

import asyncio
import builtins
import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import Field

from paper2code_local.artifacts import answers, paths
from paper2code_local.artifacts.answers import Answer, fields, mended, several, text, unique
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.plan import ENTRY, FilePlan, FunctionPlan
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.errors import AnswerError
from paper2code_local.stages.s2_plan.interfaces import EXTERNAL_BASES, Draft, interface_of
from paper2code_local.stages.s2_plan.signatures import KNOWN_ROOTS

MOST_FILES = 5
"""Beside main.py, at an answer scale of 1."""
NOT_MODULES = re.compile(r"config|requirements|readme|setup|test|main|init")
"""Beginnings of the names of files that we write ourselves, or that are no part of the method."""
MAIN = FunctionPlan(
    signature="def main(config: dict[str, Any]) -> None",
    purpose="Run the whole experiment: prepare the data, fit, evaluate, and print the results.",
)


NAMES = ["Model", "Sampler", "Head", "Batch", "train", "load_data", "evaluate", "mix", "fit", "score", "step", "cool"]
"""Answers for the shipped fake."""


@dataclass(frozen=True)
class Architecture:
    """Files with their interfaces, in the order of writing."""

    files: tuple[FilePlan, ...]
    findings: tuple[Finding, ...]


class FileAnswer(Answer):
    path: Annotated[
        str, Field(pattern=paths.PATTERN, max_length=40, examples=["model.py", "data/loader.py", "train.py"])
    ]
    purpose: text(140)  # type: ignore[valid-type]


def files_question(scale: float) -> Question[Answer]:
    """Ask for the list of files."""
    most = max(2, int(MOST_FILES * scale))
    kind = fields("FilesAnswer", files=several(FileAnswer, most, 1))

    def refuse(answer: Any) -> str | None:
        kept, _ = usable_files(answer.files)
        return None if len(kept) >= 2 else "name at least two different files besides main.py, each only once"

    return Question("plan.files", prompt(__package__, "files.md", most=most), kind, int(600 * scale), refuse)


def needs_type(earlier: Sequence[str]) -> type[Answer]:
    """Return the answer type of a file's needs: yes or no for each file before it, so that none is passed over."""
    asked = {f"needs_{i}": Annotated[bool, Field(alias=path)] for i, path in enumerate(earlier)}
    answer: type[Answer] = fields("NeedsAnswer", **asked)
    return answer


def names_type(listing: Sequence[str]) -> type[Answer]:
    """Return the answer type of what each file defines."""
    name = Annotated[str, Field(pattern=answers.DEFINED, examples=NAMES)]
    asked = {f"file_{i}": Annotated[several(name, 4, 1), Field(alias=path)] for i, path in enumerate(listing)}
    answer: type[Answer] = fields("NamesAnswer", **asked)
    return answer


def usable_files(listed: Sequence[FileAnswer]) -> tuple[dict[str, str], list[Finding]]:
    """Return path → purpose without what cannot be a file of ours, and what was left out."""
    kept: dict[str, str] = {}
    findings = []
    for file in listed:
        module = file.path.removesuffix(".py")
        others = [other.removesuffix(".py") for other in (*kept, ENTRY)]
        clash = any(o.startswith(f"{module}/") or module.startswith(f"{o}/") for o in others)
        problem = "is named twice" if file.path in kept else paths.unusable(file.path)
        problem = problem or ("is a file and a folder" if clash else None)
        problem = problem or ("is written separately" if NOT_MODULES.match(PurePosixPath(file.path).stem) else None)
        if file.path == ENTRY:
            continue
        if problem:
            findings.append(mended(file.path, f"{file.path} {problem}; it was left out of the plan"))
        else:
            kept[file.path] = file.purpose
    return kept, findings


async def architecture_of(asker: Asker, scale: float) -> Architecture:
    """Ask for files, needs and interfaces. Raises AnswerError when no file list or no interface can be had."""
    listed: Any = await asker.ask(files_question(scale))
    if isinstance(listed, Unanswered):
        raise AnswerError(
            "files", f"no usable list of files: {listed.reason}", "Try a larger model, or another --seed."
        )
    purposes, findings = usable_files(listed.files)
    needs, (names, unnamed) = await asyncio.gather(_needs(asker, purposes), _names(asker, purposes, scale))
    findings += unnamed
    drafts = {
        path: Draft(path, purposes[path], tuple(n for n in needs[path] if n in names), names[path]) for path in names
    }
    answered = await asyncio.gather(*(interface_of(draft, drafts, asker, scale) for draft in drafts.values()))
    findings += [
        mended(draft.path, f"no usable interface was given for {draft.path} ({a.reason}); the file was left out")
        for draft, a in zip(drafts.values(), answered, strict=True)
        if isinstance(a, Unanswered)
    ]
    files = [file for file in answered if isinstance(file, FilePlan) and file.names()]
    if not files:
        raise AnswerError("interfaces", "no file has a usable interface", "Try a larger model, or another --seed.")
    files = [_without_lost(file, files) for file in files]
    main = FilePlan(
        path=ENTRY,
        purpose="Entry point: runs the experiment with config.yaml.",
        needs=tuple(f.path for f in files),
        classes=(),
        functions=(MAIN,),
    )
    return Architecture((*files, main), tuple(findings))


def _without_lost(file: FilePlan, files: Sequence[FilePlan]) -> FilePlan:
    """Drop needs and bases whose file was left out."""
    kept = {f.path: {c.name for c in f.classes} for f in files}
    needs = tuple(need for need in file.needs if need in kept)
    bases = {"", *EXTERNAL_BASES, *(name for need in needs for name in kept[need])}
    classes = tuple(c if c.base in bases else c.model_copy(update={"base": ""}) for c in file.classes)
    return file.model_copy(update={"needs": needs, "classes": classes})


async def _names(
    asker: Asker, purposes: dict[str, str], scale: float
) -> tuple[dict[str, tuple[str, ...]], list[Finding]]:
    """Ask once for what every file defines; a name stays where it is said first. Raises AnswerError when lost."""
    lenient = False

    def refuse(answer: Answer) -> str | None:
        nonlocal lenient
        own = own_names(answer.model_dump(by_alias=True))
        empty = [path for path, names in own.items() if not names]
        if len(empty) == len(own) or (empty and not lenient):
            lenient = True
            return f"{', '.join(empty)} defines nothing of its own; give it names that no other file has"
        return None

    asked = prompt(__package__, "names.md", files=purposes.items())
    question = Question("plan.names", asked, names_type(tuple(purposes)), int(400 * scale), refuse)
    answer = await asker.ask(question)
    if isinstance(answer, Unanswered):
        raise AnswerError("names", f"no usable definitions: {answer.reason}", "Try a larger model, or another --seed.")
    said = answer.model_dump(by_alias=True)
    own = own_names(said)
    findings = []
    for path, names in own.items():
        lost = [name for name in unique(said[path]) if name not in names]
        if lost:
            left_out = f"{path} does not define {', '.join(lost)}: taken elsewhere, or no name of ours"
            findings.append(mended(path, left_out if names else f"{left_out}; the file was left out"))
    return {path: names for path, names in own.items() if names}, findings


def own_names(said: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return what each file defines: every name once, none that Python, our imports or main.py have taken."""
    taken = {"main", *KNOWN_ROOTS, "Dataset", "Tensor"}
    own: dict[str, tuple[str, ...]] = {}
    for path, names in said.items():
        free = (n for n in unique(names) if not keyword.iskeyword(n) and not hasattr(builtins, n))
        own[path] = tuple(name for name in free if name not in taken)
        taken.update(own[path])
    return own


async def _needs(asker: Asker, purposes: dict[str, str]) -> dict[str, tuple[str, ...]]:
    """Ask, for all files together, which earlier files each imports; a file whose answer is lost needs none."""
    listing = list(purposes)

    async def of(position: int) -> tuple[str, ...]:
        path, earlier = listing[position], listing[:position]
        if not earlier:
            return ()
        asked = prompt(__package__, "needs.md", files=purposes.items(), path=path, earlier=earlier)
        answer = await asker.ask(Question(f"plan.needs.{path}", asked, needs_type(earlier), 40 + 40 * len(earlier)))
        said = {} if isinstance(answer, Unanswered) else answer.model_dump(by_alias=True)
        return tuple(need for need in earlier if said.get(need))

    found = await asyncio.gather(*(of(i) for i in range(len(listing))))
    return dict(zip(listing, found, strict=True))
