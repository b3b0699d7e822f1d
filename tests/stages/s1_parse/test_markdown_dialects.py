"""Markdown as MinerU, marker, docling and olmOCR write it; the texts are our own."""

from __future__ import annotations

from paper2code_local.artifacts.paper import Formula, Paper, Paragraph, visible
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown


def parse(text: str) -> Paper:
    return paper_of_markdown(text.encode())


def outline(paper: Paper) -> list[tuple[str, str, int, str]]:
    return [(s.number, s.heading, s.level, s.part) for s in paper.sections]


def prose(paper: Paper) -> list[str]:
    return [b.text for s in paper.sections for b in s.blocks if isinstance(b, Paragraph)]


MINERU = r"""# Steering a Kettle

Ada Quill1,∗, Bo Moss2
1University of Tea, 2Steam Institute

# ABSTRACT

We steer kettles.

# 1 INTRODUCTION

Kettles are hot (Quill et al., 2019; Moss and Tide, 2021). See Fig. 1.

![](images/0a1b.jpg)
Figure 1: A kettle with a spout.

# 2 METHOD

# 2.1 STEERING

The loss is

$$
\mathcal { L } = \sum _ { i } x _ { i }
- \sum _ { j } x _ { j } \tag{1}
$$

# Ablation

Text of it.

# 2.2 HEATING

Table 1: Settings.

<html><body><table><tr><td rowspan="2">Name</td><td colspan="2">Value</td></tr><tr><td>a</td><td>b</td></tr></table>
Times are in seconds.</body></html>

Table 2 Terms and times

![](images/77.jpg)

# Algorithm 1 Boil

Input: water
1: for each minute do
2: heat

3

# REFERENCES

Ada Quill, Cy Brim, and Dee Pot. On kettles. Journal of Tea, 2019.

Bo Moss and Eve Tide. Steam. In Proceedings of Pots, 2021.

# A PROOFS

All is proven.

# B MORE

$ ^ { 1 } $ A note here.
"""


def test_mineru() -> None:
    paper = parse(MINERU)
    assert (paper.title, paper.authors, paper.abstract) == (
        "Steering a Kettle",
        ("Ada Quill", "Bo Moss"),
        "We steer kettles.",
    )
    assert outline(paper) == [
        ("", "", 1, "back"),
        ("1", "INTRODUCTION", 1, "body"),
        ("2", "METHOD", 1, "body"),
        ("2.1", "STEERING", 2, "body"),
        ("", "Ablation", 3, "body"),
        ("2.2", "HEATING", 2, "body"),
        ("A", "PROOFS", 1, "appendix"),
        ("B", "MORE", 1, "appendix"),
    ]
    assert paper.formulas() == (
        Formula(id="eq1", label="(1)", text="\\mathcal { L } = \\sum _ { i } x _ { i }\n- \\sum _ { j } x _ { j }"),
    )
    settings, terms = paper.tables()
    assert (settings.label, settings.caption) == ("Table 1", "Settings.")
    assert settings.rows == (("Name", "Value", ""), ("", "a", "b"))
    assert (terms.label, terms.caption, terms.rows) == ("Table 2", "Terms and times", ())
    figure, algorithm = paper.figures()
    assert (figure.label, figure.caption) == ("Figure 1", "A kettle with a spout.")
    assert (algorithm.label, algorithm.caption) == ("Algorithm 1", "Boil")
    assert algorithm.text == "Input: water\n1: for each minute do\n2: heat"
    assert next(b for b in paper.sections[1].blocks if isinstance(b, Paragraph)).citations == ("b0", "b1")
    assert [(n.mark, n.text) for n in paper.footnotes] == [("1", "A note here.")]
    assert "Times are in seconds." in prose(paper)
    assert "3" not in prose(paper)


MARKER = r"""# <span id="page-0-0"></span>**Cooling Small Networks**

**Ada Quill** <sup>1</sup> **Bo Moss** <sup>2</sup>

#### **Abstract**

We cool networks.

#### **1. Introduction**

Networks [\[1,](#page-3-1) [2\]](#page-3-2) are hot, as \[3\] said.<sup>1</sup>

<sup>1</sup> Code is at https://example.org/cool.

![](_page_1_Figure_0.jpeg)

<span id="page-1-2"></span>Figure 1. The loss by step.

### <span id="page-1-0"></span>**2. Method**

##### **2.1. Loss**

$$L = -\log p(y|x) \tag{1}$$

We have *two* terms:

- first, heat
- second, cold

{2}------------------------------------------------

<span id="page-2-0"></span>*Table 1.* Results of cooling.

| Model | A | B |
|-------|------|-----|
| ours | $|x|$ | 2.0 |
| theirs | a\|b | | 9 |
All are means.

### **Acknowledgements**

We thank tea.

#### **References**

- <span id="page-3-1"></span>[1] A. One. First. 2001.
- <span id="page-3-2"></span>[2] B. Two. Second. 2002.
- [3] C. Three. Third. 2003.
"""


def test_marker() -> None:
    paper = parse(MARKER)
    assert (paper.title, paper.authors) == ("Cooling Small Networks", ("Ada Quill", "Bo Moss"))
    assert outline(paper) == [
        ("1", "Introduction", 1, "body"),
        ("2", "Method", 1, "body"),
        ("2.1", "Loss", 2, "body"),
        ("", "Acknowledgements", 1, "acknowledgements"),
    ]
    assert paper.sections[0].blocks[0] == Paragraph(
        text="Networks [1, 2] are hot, as [3] said.1", citations=("b0", "b1", "b2")
    )
    assert [(n.mark, n.text) for n in paper.footnotes] == [("1", "Code is at https://example.org/cool.")]
    assert paper.formulas()[0].text == r"L = -\log p(y|x)"
    (table,) = paper.tables()
    assert table.rows == (("Model", "A", "B"), ("ours", "$|x|$", "2.0"), ("theirs", "a|b", "", "9"))
    assert (table.label, table.caption, table.note) == ("Table 1", "Results of cooling.", "All are means.")
    assert [r.text[:3] for r in paper.references] == ["[1]", "[2]", "[3]"]
    assert prose(paper)[1:] == ["We have two terms:", "first, heat", "second, cold", "We thank tea."]


DOCLING = """## Pots: A Study of Pots

Ada Quill Tea University ada@tea.org

Bo Moss

## ABSTRACT

We study pots.

## KEYWORDS

pots, tea

Figure 1: Four pots

<!-- image -->

## 1 INTRODUCTION

Pots matter &amp; hold [1-2].

<!-- formula-not-decoded -->

## REFERENCES

- [1] A. One. First. 2001.
- [2] B. Two. Second. 2002.
"""


def test_docling() -> None:
    paper = parse(DOCLING)
    assert (paper.authors, paper.abstract) == (("Bo Moss",), "We study pots.")
    assert outline(paper) == [("", "", 1, "back"), ("1", "INTRODUCTION", 1, "body")]
    assert [(f.label, f.caption) for f in paper.figures()] == [("Figure 1", "Four pots")]
    assert paper.sections[1].blocks == (Paragraph(text="Pots matter & hold [1-2].", citations=("b0", "b1")),)
    assert any("formula-not-decoded" in warning for warning in paper.warnings)


OLMOCR = r"""---
primary_language: en
is_rotation_valid: True
rotation_correction: 0
---
Lids and Pots

Ada Quill and Bo Moss

Abstract. We put lids on pots.

1 Introduction

Lids fit pots \( p \in P \) well [2].

\[
f(x) = \sum_i x_i \quad (2)
\]

---
primary_language: en
---
2.1 Fitting

| a | b |
|---|---|
| 1 | 2 |

Table 1: Fits.

![A lid on a pot](page_3_100_200.png)

Figure 1: Lid.

References

1. A. One. First. 2001.
2. B. Two. Second. 2002.
"""


def test_olmocr() -> None:
    paper = parse(OLMOCR)
    assert (paper.title, paper.authors) == ("Lids and Pots", ("Ada Quill", "Bo Moss"))
    assert paper.abstract == "We put lids on pots."
    assert outline(paper) == [("1", "Introduction", 1, "body"), ("2.1", "Fitting", 2, "body")]
    assert paper.sections[0].blocks[0] == Paragraph(text=r"Lids fit pots $p \in P$ well [2].", citations=("b1",))
    assert [(f.label, f.text) for f in paper.formulas()] == [("(2)", r"f(x) = \sum_i x_i")]
    assert [(t.label, t.rows[1]) for t in paper.tables()] == [("Table 1", ("1", "2"))]
    assert [(f.caption, f.text) for f in paper.figures()] == [("Lid.", "A lid on a pot")]
    assert visible("primary_language: en") * 2 < paper.dropped_chars < 120
