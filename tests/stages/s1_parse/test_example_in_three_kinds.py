"""The example paper exists as PDF, LaTeX and Markdown: the three give the same sections, formulas and tables."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from paper2code_local.artifacts.paper import Paper
from paper2code_local.stages.s1_parse.given import given
from paper2code_local.stages.s1_parse.latex import paper_of_latex
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf

EXAMPLES = Path(__file__).parents[3] / "examples"


@cache
def example(kind: str) -> Paper:
    source = given(EXAMPLES / f"annealed_mixup.{kind}")
    if kind == "tex":
        return paper_of_latex(source.files, source.main)
    return (paper_of_pdf if kind == "pdf" else paper_of_markdown)(source.files[source.main])


def plain(text: str) -> str:
    """Return a text without what sets formulas apart in it."""
    return " ".join(re.sub(r"[$\\{}_]", "", text).split())


@pytest.mark.parametrize("kind", ["pdf", "tex"])
def test_the_same_paper_in_every_kind(kind: str) -> None:
    paper, text = example(kind), example("md")
    assert (paper.title, paper.authors, paper.abstract) == (text.title, text.authors, text.abstract)
    assert [(s.number, s.heading, s.level, s.part) for s in paper.sections] == [
        (s.number, s.heading, s.level, s.part) for s in text.sections
    ]
    assert [f.label for f in paper.formulas()] == [f.label for f in text.formulas()] == [f"({n})" for n in range(1, 7)]
    for one, other in zip(paper.sections, text.sections, strict=True):
        assert [b.kind for b in one.blocks if b.kind != "paragraph"] == [
            b.kind for b in other.blocks if b.kind != "paragraph"
        ]
    assert [(t.label, t.caption, [tuple(map(plain, row)) for row in t.rows]) for t in paper.tables()] == [
        (t.label, t.caption, [tuple(map(plain, row)) for row in t.rows]) for t in text.tables()
    ]
    assert [(f.label, f.caption, f.text.count("\n")) for f in paper.figures()] == [
        (f.label, f.caption, f.text.count("\n")) for f in text.figures()
    ]
    assert [plain(r.text) for r in paper.references] == [plain(r.text) for r in text.references]


def test_formulas_of_latex_and_markdown_are_the_same_but_for_spaces_and_braces() -> None:
    def bare(tex: str) -> str:
        tex = tex.replace(r"\operatorname*{arg\,min}_{T}", r"\underset{T}{\arg\min}")
        return re.sub(r"[\s{}]", "", tex)

    assert [bare(f.text) for f in example("tex").formulas()] == [bare(f.text) for f in example("md").formulas()]


def test_citations_lead_to_the_same_references() -> None:
    def cited(paper: Paper) -> list[str]:
        blocks = (block for section in paper.sections for block in section.blocks if block.kind == "paragraph")
        return [cite for block in blocks for cite in getattr(block, "citations", ())]

    assert cited(example("pdf")) == cited(example("tex")) == cited(example("md"))
