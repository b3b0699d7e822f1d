"""The inspection of a paper: exactly the keys that the command promises, and counts that agree with the paper."""

from __future__ import annotations

import json

from paper2code_local.artifacts.inspection import inspection
from paper2code_local.artifacts.paper import Figure, Footnote, Formula, Paper, Paragraph, Reference, Section, Table


def test_inspection_counts_what_the_paper_holds() -> None:
    blocks = (
        Paragraph(text="As in [1]."),
        Formula(id="eq1", label="(1)", text="a = b"),
        Table(id="tab1", label="Table 1", caption="Scores", rows=(("a", "b"),)),
        Figure(id="fig1", label="", caption="A plot"),
        Figure(kind="algorithm", id="alg1", label="Algorithm 1", caption="Train"),
    )
    paper = Paper(
        title="T",
        authors=(),
        abstract="We do it.",
        sections=(Section(id="s1", number="1", heading="Method", level=1, blocks=blocks, chars=60),),
        references=(Reference(id="b0", text="Quill. 2019."),),
        footnotes=(Footnote(mark="1", text="Note."),),
        chars=80,
        dropped_chars=2,
        parser="tei",
        warnings=("odd",),
    )
    assert json.loads(json.dumps(inspection(paper))) == {
        "schema_version": 1,
        "title": "T",
        "abstract_chars": 7,
        "sections": [{"number": "1", "heading": "Method", "level": 1, "chars": 60}],
        "formulas": 1,
        "tables": 1,
        "figures": 2,
        "references": 1,
        "footnotes": 1,
        "chars": 80,
        "dropped_chars": 2,
        "parser": "tei",
        "warnings": ["odd"],
    }
