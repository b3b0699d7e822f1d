"""Markdown to Paper: formulas, text, front matter, headings, references, floats, and what cannot be read."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.paper import Paper, Paragraph, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown


def parse(text: str) -> Paper:
    return paper_of_markdown(text.encode())


def prose(paper: Paper) -> list[str]:
    return [b.text for s in paper.sections for b in s.blocks if isinstance(b, Paragraph)]


# ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("source", "label", "text"),
    [
        ("$$\na_{1} * b_{2}\n$$", "", "a_{1} * b_{2}"),
        ("$$a=b$$ (3)", "(3)", "a=b"),
        ("$$a=b$$\n\n(3)", "(3)", "a=b"),
        ("$$a=b \\tag{3a}$$", "(3a)", "a=b"),
        ("$$a=b \\tag*{(A.1)}$$", "(A.1)", "a=b"),
        ("$$a=b, \\qquad (4)$$", "(4)", "a=b,"),
        ("$$f(3)$$", "", "f(3)"),
        ("\\[\nx^2\n- y\n\\]", "", "x^2\n- y"),
        (
            "\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}",
            "",
            "\\begin{align*}\na &= b \\\\\nc &= d\n\\end{align*}",
        ),
        ("```math\na=b\n```", "", "a=b"),
        ("> $$a=b$$", "", "a=b"),
    ],
)
def test_display_formulas_and_their_numbers(source: str, label: str, text: str) -> None:
    assert [(f.label, f.text) for f in parse(f"# Title\n\n# 1 Heat\n\n{source}").formulas()] == [(label, text)]


def test_a_display_formula_inside_a_paragraph_splits_it() -> None:
    (section,) = parse("# 1 Heat\n\nLet $$y = x$$ hold.").sections
    assert [getattr(b, "text", "") for b in section.blocks] == ["Let", "y = x", "hold."]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a_b_c and *d*", "a_b_c and d"),
        ("$a_b$ and $c_d$", "$a_b$ and $c_d$"),
        ("$ x _ { i } $ is spaced", "$x _ { i }$ is spaced"),
        ("from $5 to $6 a pot", "from $5 to $6 a pot"),
        ("E[x](t) is [a link](https://example.org)", "E[x](t) is a link"),
        ("if a <b and c> d or <unknown x>", "if a  d or <unknown x>"),
        ("`code_x` &lt;tag&gt; \\*star\\*", "code_x <tag> *star*"),
        ("H<sub>2</sub>O<br>boils <!-- note -->", "H2O boils"),
        ("[1]: https://example.org is text", "[1]: https://example.org is text"),
        ("    indented text", "indented text"),
    ],
)
def test_markup_goes_and_text_stays(source: str, text: str) -> None:
    assert prose(parse(f"# 1 Heat\n\n{source}")) == [" ".join(text.split())]


def test_nothing_of_a_script_is_kept() -> None:
    paper = parse("# 1 Heat\n\n<script>\nalert(1)\n</script>\n\nText. <img src=x onerror=alert(2)>")
    assert prose(paper) == ["Text."]
    assert paper.dropped_chars == visible("alert(1)")


@pytest.mark.parametrize(
    "front",
    [
        "# Pots\n\n# Abstract\n\nWe boil.\n\n# Introduction",
        "# Pots\n\nAbstract\n\nWe boil.\n\n# Introduction",
        "# Pots\n\n**Abstract**—We boil.\n\n# Introduction",
        "# Pots\n\n*Abstract.* We boil.\n\nKeywords: pots\n\n# Introduction",
        "# Pots\n\nAda Quill\n\n## Abstract\n\nWe boil.\n\n## 1. Introduction",
        "Pots\n\nAbstract\n\nWe boil.\n\nIntroduction",
    ],
)
def test_an_abstract_is_found_however_it_is_named(front: str) -> None:
    paper = parse(f"{front}\n\nText of it.")
    assert (paper.title, paper.abstract) == ("Pots", "We boil.")
    assert paper.sections[-1].heading == "Introduction"
    assert "Text of it." in prose(paper)


def test_a_long_paragraph_before_the_introduction_is_the_abstract() -> None:
    assert parse(f"# Pots\n\n{'We boil. ' * 40}\n\n# 1 Introduction\n\nx").abstract.startswith("We boil.")
    assert parse("# Pots\n\nWe boil.\n\n# 1 Introduction\n\nx").abstract == ""


def test_no_title_is_made_of_a_section() -> None:
    for first in ("1 Heat", "Introduction", "Appendix A", "II. Heat", "References"):
        assert parse(f"# {first}\n\nText.\n").title == ""
    assert parse("# A Study of Heat\n\nText.\n").title == "A Study of Heat"


def test_true_levels_are_believed_and_flat_ones_are_not() -> None:
    true = parse("# T\n\n## 1 Heat\n\n### 1.1 Loss\n\n#### Smoothing\n\n## 2 Cold\n\n## Conclusion\n")
    assert [(s.heading, s.level) for s in true.sections] == [
        ("Heat", 1),
        ("Loss", 2),
        ("Smoothing", 3),
        ("Cold", 1),
        ("Conclusion", 1),
    ]
    flat = parse("# T\n\n# 1 Heat\n\n# 1.1 Loss\n\n# Smoothing\n\n# 2 Cold\n\n# Conclusion\n")
    assert [s.level for s in flat.sections] == [s.level for s in true.sections]


def test_the_appendix_goes_on_until_the_end() -> None:
    paper = parse("# T\n\n# 1 Heat\n\n# References\n\nA. One. 2001.\n\n# Appendix\n\n# Details\n\n# Ethics checklist\n")
    assert [s.part for s in paper.sections] == ["body", "appendix", "appendix", "back"]


@pytest.mark.parametrize(
    ("list_", "texts"),
    [
        ("[1] A. One.\n[2] B. Two.", ["[1] A. One.", "[2] B. Two."]),
        ("[1] A. One.\n\n12\n\nends here.\n\n[2] B. Two.", ["[1] A. One. ends here.", "[2] B. Two."]),
        ("- A. One.\n- B. Two.", ["A. One.", "B. Two."]),
        ("1. A. One.\n2. B. Two.", ["1. A. One.", "2. B. Two."]),
        ("A. One.\n\nB. Two.", ["A. One.", "B. Two."]),
    ],
)
def test_references_of_every_shape_are_cited_by_number(list_: str, texts: list[str]) -> None:
    paper = parse(f"# 1 Heat\n\nAs in [2].\n\n# References\n\n{list_}\n")
    assert [r.text for r in paper.references] == texts
    assert paper.sections[0].blocks == (Paragraph(text="As in [2].", citations=("b1",)),)


def test_prose_about_a_float_is_no_caption() -> None:
    paper = parse("# 1 Heat\n\nTable 2 shows heat.\n\n| a |\n|---|\n| 1 |\n\nFigure 3 is a pot.\n\n![](x.png)\n")
    assert prose(paper) == ["Table 2 shows heat.", "Figure 3 is a pot."]
    assert [(t.label, t.rows) for t in paper.tables()] == [("", (("a",), ("1",)))]
    assert paper.figures() == ()


def test_captions_in_a_row_each_find_their_own() -> None:
    table = "| {0} |\n|---|\n| 1 |"
    above = parse("# 1 Heat\n\n" + "\n\n".join(f"Table {n}: T{n}\n\n{table.format(n)}" for n in "12"))
    below = parse("# 1 Heat\n\n" + "\n\n".join(f"{table.format(n)}\n\nTable {n}: T{n}" for n in "12"))
    for paper in (above, below):
        assert [(t.caption, t.rows[0]) for t in paper.tables()] == [("T1", ("1",)), ("T2", ("2",))]


def test_images_under_one_caption_are_one_figure() -> None:
    paper = parse("# 1 Heat\n\n![](a.png)\n(a) Small\n\n![](b.png)\n(b) Large\n\nFigure 2: Pots.\n\nText.")
    assert [(f.label, f.caption, f.text) for f in paper.figures()] == [("Figure 2", "Pots.", "(a) Small (b) Large")]
    assert prose(paper) == ["Text."]


def test_algorithms_take_their_steps() -> None:
    for steps in ("```\nfor t do\n  heat\n```", "1: for t do\n2: heat", "- for t do\n- heat"):
        paper = parse(f"# 1 Heat\n\nAlgorithm 1 gives the steps.\n\n**Algorithm 1** Boil\n\n{steps}\n\nAfter it.")
        assert prose(paper) == ["Algorithm 1 gives the steps.", "After it."]
        ((kind, caption, text),) = [(f.kind, f.caption, f.text) for f in paper.figures()]
        assert (kind, caption, text.count("\n")) == ("algorithm", "Boil", 1)


def test_footnotes_of_both_kinds() -> None:
    paper = parse("# 1 Heat\n\nHot[^a] pots.\n\n[^a]: Very.\n[^b]: Not so.\n\n<sup>2</sup> See there.")
    assert [(n.mark, n.text) for n in paper.footnotes] == [("a", "Very."), ("b", "Not so."), ("2", "See there.")]
    assert prose(paper) == ["Hot[^a] pots."]


# ── what cannot be read ─────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\xff\xfe\x00", "input.not_text"),
        (b"caf\xe9", "input.not_text"),
        (b"a\0b", "input.not_text"),
        (b"", "input.no_text"),
        (b"---\n\n***\n", "input.no_text"),
        (b"<!-- image -->", "input.no_text"),
        (b"> " * 90 + b"deep", "input.nesting"),
        (b"x" * 20_000_001, "input.too_large"),
    ],
)
def test_what_is_no_markdown_is_one_error(data: bytes, code: str) -> None:
    with pytest.raises(InputError) as caught:
        paper_of_markdown(data)
    assert caught.value.code == code


def test_utf_16_with_its_mark_is_text() -> None:
    assert prose(paper_of_markdown("# 1 Heat\n\nThé.".encode("utf-16"))) == ["Thé."]
