"""What every prompt of a run begins with: the paper, then each part of the plan as soon as it is decided.

In: a `Paper` or parts of a `Plan`. Out: text, the same for every question, so that its KV cache is computed once. The
paper is cut once, in a stated order, to what the context leaves. Must not know engines, files or single questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paper2code_local.artifacts.paper import Block, Figure, Formula, Paper, Paragraph, Section, Table
from paper2code_local.artifacts.plan import ClassPlan, ConfigValue, FilePlan, FunctionPlan, Overview, Plan
from paper2code_local.errors import InputError

RELATED = re.compile(r"^(related|previous|prior)\s+works?\b|^literature review", re.I)
CUT_ORDER = ("references", "acknowledgements", "footnotes", "related work", "appendices")


@dataclass(frozen=True)
class PaperText:
    """The paper as the model reads it, and what was left out to fit, in words."""

    text: str
    tokens: int
    cut: tuple[str, ...]
    sections: Mapping[str, str]
    """Heading as printed → id, of the sections that are still there: what a model calls a section by."""
    formulas: tuple[str, ...]
    """Ids of the formulas that are still there."""


def paper_text(paper: Paper, count: Callable[[str], int], budget: int | None) -> PaperText:
    """Render `paper`, cut to `budget` tokens in the order of `CUT_ORDER`; None cuts nothing.

    Raises InputError (`too_long`) when even the body alone does not fit.
    """
    pieces = _pieces(paper)
    cut: list[str] = []
    for kind in (None, *CUT_ORDER):
        if kind is not None and any(k == kind for k, _, _ in pieces):
            cut.append(kind)
            pieces = [piece for piece in pieces if piece[0] != kind]
        text = "\n\n".join(text for _, _, text in pieces)
        tokens = count(text)
        if budget is None or tokens <= budget:
            kept = [section for _, section, _ in pieces if section is not None]
            formulas = tuple(b.id for s in kept for b in s.blocks if isinstance(b, Formula))
            return PaperText(text, tokens, tuple(cut), _headings(kept), formulas)
    raise InputError(
        "too_long",
        f"the paper's body has {tokens:,} tokens and the context leaves {budget:,}",
        "Choose a model with a longer context (p2c-local models list), or give a paper without its long parts.",
    )


def _pieces(paper: Paper) -> list[tuple[str, Section | None, str]]:
    """Return (kind, section, text) in reading order; kind is "body" or a member of CUT_ORDER."""
    pieces: list[tuple[str, Section | None, str]] = [("body", None, f"# {paper.title or 'Untitled paper'}")]
    if paper.abstract:
        pieces.append(("body", None, f"## Abstract\n{paper.abstract}"))
    for section in paper.sections:
        kind = {
            "body": "body",
            "acknowledgements": "acknowledgements",
            "appendix": "appendices",
            "back": "acknowledgements",
        }
        related = section.part == "body" and RELATED.match(section.heading)
        pieces.append(("related work" if related else kind[section.part], section, section_text(section)))
    if paper.footnotes:
        notes = "\n".join(f"{n.mark} {n.text}".strip() for n in paper.footnotes)
        pieces.append(("footnotes", None, f"## Footnotes\n{notes}"))
    if paper.references:
        pieces.append(("references", None, "## References\n" + "\n".join(f"- {r.text}" for r in paper.references)))
    return pieces


def _headings(sections: Sequence[Section]) -> dict[str, str]:
    """Return a name for each section: its printed heading, with its id where that alone would not tell."""
    names: dict[str, str] = {}
    for section in sections:
        printed = f"{section.number} {section.heading}".strip()[:60].strip()
        unclear = not printed or printed in names
        names[f"{printed} {section.id}".strip() if unclear else printed] = section.id
    return names


def section_text(section: Section) -> str:
    """Render one section with the ids of what stands in it."""
    heading = f"{'#' * min(section.level + 1, 6)} {section.number} {section.heading} [{section.id}]".rstrip()
    return "\n".join([re.sub(r"  +", " ", heading), *(_block_text(block) for block in section.blocks)])


def _block_text(block: Block) -> str:
    match block:
        case Paragraph():
            return block.text
        case Formula():
            return f"[{block.id}] {block.text} {block.label}".rstrip()
        case Table():
            rows = [" | ".join(row) for row in block.rows]
            return "\n".join(
                [f"[{block.id}] {_joined(block.label, block.caption)}", *rows, *([block.note] if block.note else [])]
            )
        case Figure():
            return f"[{block.id}] {_joined(block.label, block.caption)} {block.text}".rstrip()


def _joined(label: str, caption: str) -> str:
    return caption if not label or caption.startswith(label) else f"{label}: {caption}"


def overview_text(overview: Overview) -> str:
    """Render the overall plan."""
    method = "\n".join(f"{i}. {step}" for i, step in enumerate(overview.method, 1))
    return (
        f"# Plan\nTask: {overview.task}\nMethod:\n{method}\nData: {overview.data}\n"
        f"Training: {overview.training}\nEvaluation: {overview.evaluation}"
    )


def files_text(files: tuple[FilePlan, ...]) -> str:
    """Render the architecture: each file's purpose, what it needs, its classes and signatures."""
    heading = "# Files of the repository, in the order in which they are written"
    return "\n".join([heading, *map(file_text, files)])


def file_text(file: FilePlan) -> str:
    """Render one file of the architecture."""
    needs = f" (may import {', '.join(file.needs)})" if file.needs else ""
    lines = [f"## {file.path}: {file.purpose}{needs}"]
    for planned in file.classes:
        lines += [class_line(planned), *(f"    {line}" for line in map(function_line, planned.methods))]
    return "\n".join([*lines, *map(function_line, file.functions)])


def logic_text(files: tuple[FilePlan, ...], shared_knowledge: tuple[str, ...]) -> str:
    """Render the logic design: what each file implements and rests on, and what all must know."""
    lines = ["# What each file implements"]
    for file in files:
        rests = " ".join(f"[{i}]" for i in (*file.sections, *file.formulas))
        lines.append(f"- {file.path}: {file.implements} {rests}".rstrip())
    if shared_knowledge:
        lines += ["# What every file must respect", *(f"- {item}" for item in shared_knowledge)]
    return "\n".join(lines)


def class_line(planned: ClassPlan) -> str:
    """Render a class header with its purpose and attributes."""
    attributes = ", ".join(f"{a.name}: {a.type}" for a in planned.attributes)
    base = f"({planned.base})" if planned.base else ""
    return f"class {planned.name}{base}: {planned.purpose}" + (f" Attributes: {attributes}." if attributes else "")


def function_line(planned: FunctionPlan) -> str:
    """Render a signature with its purpose."""
    return f"{planned.signature}  # {planned.purpose}"


def config_text(values: tuple[ConfigValue, ...]) -> str:
    """Render config.yaml as the code reads it."""
    lines = (f'config["{v.key}"] = {v.value!r}' for v in values)
    return "# Configuration: the dict that is loaded from config.yaml\n" + "\n".join(lines)


def plan_texts(plan: Plan) -> tuple[str, ...]:
    """Render the parts of a plan in the order in which they were decided and are shared."""
    return (
        overview_text(plan.overview),
        files_text(plan.files),
        logic_text(plan.files, plan.shared_knowledge),
        config_text(plan.config),
    )
