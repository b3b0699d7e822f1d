"""The logic design: what each file implements and rests on, why this order, what all must know, what is unclear."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from paper2code_local.artifacts.answers import Answer, choice, fields, mended, several, text, unique
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.paths import module_of
from paper2code_local.artifacts.plan import FilePlan
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.prefix import PaperText

Package = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,30}$", examples=["torch", "numpy", "scipy"])]


@dataclass(frozen=True)
class Logic:
    """The files with what they rest on, and what concerns them all."""

    files: tuple[FilePlan, ...]
    order_reason: str
    packages: tuple[str, ...]
    shared_knowledge: tuple[str, ...]
    unclear: tuple[str, ...]
    findings: tuple[Finding, ...]


def file_type(sections: Sequence[str], formulas: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type for one file; the ids are those that the paper has."""
    ids = {"sections": sections, "formulas": formulas}
    rests = {name: several(choice(known), 4) for name, known in ids.items() if known}
    answer: type[Answer] = fields("LogicAnswer", implements=text(200 * scale), **rests)
    return answer


def shared_type(scale: float) -> type[Answer]:
    """Return the answer type of what concerns all files."""
    answer: type[Answer] = fields(
        "SharedAnswer",
        order_reason=text(200 * scale),
        packages=several(Package, 6),
        shared_knowledge=several(text(160), 4 * scale),
        unclear=several(text(160), 4 * scale),
    )
    return answer


async def logic_of(files: tuple[FilePlan, ...], paper: PaperText, asker: Asker, scale: float) -> Logic:
    """Ask about every file and about the whole, all in flight together; a lost answer leaves its part empty."""
    about_all = Question("plan.logic", prompt(__package__, "shared.md"), shared_type(scale), int(800 * scale))
    shared, placed = await asyncio.gather(
        asker.ask(about_all), asyncio.gather(*(_placed(f, paper, asker, scale) for f in files))
    )
    findings = [finding for _, finding in placed if finding]
    said: dict[str, Any]
    if isinstance(shared, Unanswered):
        findings.append(mended("", f"what concerns all files was not given ({shared.reason}); it was left empty"))
        said = {"order_reason": "", "packages": [], "shared_knowledge": [], "unclear": []}
    else:
        said = shared.model_dump()
    local = {module_of(f.path).split(".")[0] for f in files}
    return Logic(
        files=tuple(file for file, _ in placed),
        order_reason=said["order_reason"] or "Each file comes after the files that it needs.",
        packages=tuple(p for p in unique(said["packages"]) if p not in sys.stdlib_module_names and p not in local),
        shared_knowledge=unique(said["shared_knowledge"]),
        unclear=unique(said["unclear"]),
        findings=tuple(findings),
    )


async def _placed(file: FilePlan, paper: PaperText, asker: Asker, scale: float) -> tuple[FilePlan, Finding | None]:
    asked = prompt(__package__, "logic.md", path=file.path, purpose=file.purpose)
    kind = file_type(tuple(paper.sections), paper.formulas, scale)
    answer = await asker.ask(Question(f"plan.logic.{file.path}", asked, kind, int(240 * scale) + 80))
    if isinstance(answer, Unanswered):
        return file, mended(file.path, f"what {file.path} rests on was not given ({answer.reason})")
    said = answer.model_dump()
    update = {
        "implements": said["implements"],
        "sections": unique([paper.sections[name] for name in said.get("sections", [])]),
        "formulas": unique(said.get("formulas", [])),
    }
    return file.model_copy(update=update), None
