"""The paper in examples/ is read from its PDF as it stands in its source."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from paper2code_local.artifacts.paper import Paper, Paragraph
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf

EXAMPLES = Path(__file__).parents[3] / "examples"
SOURCE = (EXAMPLES / "annealed_mixup.tex").read_text(encoding="utf-8")


@cache
def example() -> Paper:
    return paper_of_pdf((EXAMPLES / "annealed_mixup.pdf").read_bytes())


def test_every_heading_of_the_source_is_found_in_order_and_no_other() -> None:
    expected = [(2 if sub else 1, name) for sub, name in re.findall(r"\\(sub)?section\{(.*?)\}", SOURCE)]
    assert [(s.level, s.heading) for s in example().sections if s.heading] == expected
    assert [s.number for s in example().sections][:5] == ["1", "2", "2.1", "2.2", "2.3"]


def test_every_numbered_equation_is_a_formula_with_its_number() -> None:
    count = SOURCE.count(r"\begin{equation}")
    assert [f.label for f in example().formulas()] == [f"({k})" for k in range(1, count + 1)]
    assert example().formulas()[3].text == "L = −(1/B) ∑B i=1 ∑K k=1 y˜ik log pk(˜xi),"


def test_tables_have_the_rows_of_the_source() -> None:
    hyper, targets = example().tables()
    assert ("Learning rate", "1e-3") in hyper.rows
    assert len(hyper.rows) == 10
    assert targets.caption == "Illustrative design targets, not measured results"
    assert targets.rows[-1] == ("AMT", "0.86", "0.04")


def test_the_algorithm_has_seven_steps() -> None:
    (algorithm,) = example().figures()
    assert (algorithm.kind, algorithm.label) == ("algorithm", "Algorithm 1")
    assert [line[0] for line in algorithm.text.splitlines()] == list("1234567")


def test_front_matter_and_references_are_read() -> None:
    paper = example()
    assert paper.title == "Annealed Mixup with Temperature Fitting for Calibrated Small Classifiers"
    assert paper.authors == ("The Example Authors",)
    assert paper.abstract.startswith("Small neural classifiers")
    assert paper.abstract.endswith("in under a minute.")
    assert len(paper.references) == SOURCE.count(r"\bibitem")
    assert paper.warnings == ()
    assert paper.dropped_chars <= 0.01 * paper.chars


def test_what_is_cited_is_known() -> None:
    cited = [b.citations for s in example().sections for b in s.blocks if isinstance(b, Paragraph) and b.citations]
    assert cited == [("b0",), ("b1", "b2", "b0"), ("b3",), ("b4",)]
