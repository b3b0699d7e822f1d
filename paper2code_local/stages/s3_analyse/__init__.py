"""Analyse: one detailed specification per file, all asked together.

In: the plan (already shared by the asker) and the ids of the paper. Out: `FileSpec`s, and findings about what was
mended. Must not know code, files on disk, events or the command line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paper2code_local.artifacts.answers import Answer, choice, fields, mended, several, text, unique
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.plan import FilePlan, Plan, definitions
from paper2code_local.artifacts.spec import DefinitionSpec, FileSpec, Step
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.prefix import PaperText

NO_SOURCE = "none"
MOST_DEFINITIONS = 12
"""A file that defines more has the plan's own words for the rest."""


@dataclass(frozen=True)
class Analysed:
    """The specifications in the order of the plan, and what was mended."""

    specs: tuple[FileSpec, ...]
    findings: tuple[Finding, ...]


def answer_type(names: Sequence[str], sources: Sequence[str], keys: Sequence[str], scale: float) -> type[Answer]:
    """Return the answer type for a file that defines `names`."""
    definition = fields("DefinitionAnswer", name=choice(names), does=text(180), shapes=text(90))
    step = fields("StepAnswer", text=text(180), source=choice((*sources, NO_SOURCE)))
    answer: type[Answer] = fields(
        "SpecAnswer",
        definitions=several(definition, min(len(names), MOST_DEFINITIONS * scale), 1),
        steps=several(step, 5 * scale, 1),
        **({"config_keys": several(choice(keys), min(8, len(keys)))} if keys else {}),
        edge_cases=several(text(120 * scale), 3),
    )
    return answer


def question(file: FilePlan, plan: Plan, paper: PaperText, scale: float) -> Question[Answer]:
    """Return the question about `file`."""
    names = definitions(file)
    kind = answer_type(names, (*paper.sections, *paper.formulas), [v.key for v in plan.config], scale)
    asked = prompt(
        __package__,
        "analyse.md",
        path=file.path,
        purpose=file.purpose,
        implements=file.implements,
        names=", ".join(names),
    )
    bound = 600 * scale + min(len(names), MOST_DEFINITIONS * scale) * 125 + 150
    return Question(f"analyse.{file.path}", asked, kind, int(bound))


async def analyse(
    plan: Plan,
    paper: PaperText,
    asker: Asker,
    scale: float,
    known: Callable[[FileSpec], None] = lambda spec: None,
) -> Analysed:
    """Ask for the specification of every file, all in flight; a lost answer leaves the plan's own words.

    `known` hears each one as soon as it is there.
    """

    async def one(file: FilePlan) -> tuple[FileSpec, Finding | None]:
        spec, finding = await _spec(file, plan, paper, asker, scale)
        known(spec)
        return spec, finding

    results = await asyncio.gather(*map(one, plan.files))
    return Analysed(tuple(spec for spec, _ in results), tuple(finding for _, finding in results if finding))


async def _spec(
    file: FilePlan, plan: Plan, paper: PaperText, asker: Asker, scale: float
) -> tuple[FileSpec, Finding | None]:
    if not definitions(file):  # a person's plan may have a file of constants
        return FileSpec(path=file.path, definitions=(), steps=(), config_keys=(), edge_cases=()), None
    answer = await asker.ask(question(file, plan, paper, scale))
    if isinstance(answer, Unanswered):
        finding = mended(file.path, f"no usable specification of {file.path} ({answer.reason}); the plan stands alone")
        return FileSpec(path=file.path, definitions=(), steps=(), config_keys=(), edge_cases=()), finding
    said = answer.model_dump()
    described = {
        d["name"]: DefinitionSpec(**{**d, "shapes": tidy_shapes(d["shapes"])}) for d in reversed(said["definitions"])
    }
    steps = {s["text"]: Step(text=s["text"], source=_id(s["source"], paper)) for s in said["steps"]}
    spec = FileSpec(
        path=file.path,
        definitions=tuple(described[name] for name in definitions(file) if name in described),
        steps=tuple(steps.values()),
        config_keys=unique(said.get("config_keys", [])),
        edge_cases=unique(said["edge_cases"]),
    )
    return spec, None


def _id(source: str, paper: PaperText) -> str:
    return "" if source == NO_SOURCE else paper.sections.get(source, source)


def tidy_shapes(said: str) -> str:
    """Return the shapes, or "" for a dash and for a list that only repeats itself."""
    parts = [part.strip() for part in said.split(",")]
    empty = all(part.strip("-. ").lower() in {"", "none", "n/a"} for part in parts)
    readable = any(character.isalnum() for character in said)
    return "" if empty or not readable or len(set(parts)) * 3 < len(parts) else said.strip()
