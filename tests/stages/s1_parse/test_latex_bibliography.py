r"""Citations and the bibliography they point at."""

from __future__ import annotations

from paper2code_local.artifacts.paper import Paper, Paragraph
from paper2code_local.stages.s1_parse.latex import paper_of_latex

ITEMS = (
    "\\begin{thebibliography}{9}\\bibitem[Ames et~al.(2001)Ames, Bo, and Cy]{a} A. Ames.\n\\newblock \\emph{First}.\n\n"
    "\\bibitem{b} B. Bo. Second, \\href{http://x.y}{doi}.\\end{thebibliography}"
)
BIB = r"""
@string{conf = {Conf}}
@inproceedings{b, title={The {B}ook \& {\'e}}, author={Bo, {\L}ukasz and Cy Dee and others},
    booktitle=conf # { 1}, year=2002}
@misc{broken title={x}}
@article{a, title="First", author={{The Team}}, journal={J}, year={2001}, eprint={1234.5678}}
@misc{unused, title={Unused}}
"""


def read(body: str, **files: str) -> Paper:
    named = {name.replace("__", "."): text.encode() for name, text in files.items()}
    return paper_of_latex({"m.tex": f"\\begin{{document}}{body}\\end{{document}}".encode(), **named}, "m.tex")


def paragraph(paper: Paper) -> tuple[str, tuple[str, ...]]:
    block = paper.sections[0].blocks[0]
    assert isinstance(block, Paragraph)
    return block.text, block.citations


CITING = "\\citet{a} and \\citep[see][p.~2]{b,a}, \\citeauthor{a} (\\citeyear{a}), \\cite{gone}.\n\n"
CITED = ("Ames et al. [1] and [see 2, 1, p. 2], Ames et al. (2001), [gone].", ("b0", "b1"))


def test_entries_stand_in_the_document() -> None:
    paper = read(CITING + ITEMS)
    assert paragraph(paper) == CITED
    assert [(r.id, r.text) for r in paper.references] == [
        ("b0", "[1] A. Ames. First."),
        ("b1", "[2] B. Bo. Second, doi (http://x.y)."),
    ]
    assert "Cited, but not in the bibliography: gone." in paper.warnings
    assert paper.dropped_chars == 0


def test_the_printed_bibliography_is_preferred() -> None:
    paper = read(CITING + "\\bibliographystyle{plain}\\bibliography{refs}", m__bbl=ITEMS, refs__bib=BIB)
    assert paragraph(paper) == CITED
    assert len(paper.references) == 2


def test_cited_entries_of_a_bib_file_in_order_of_citation() -> None:
    paper = read("\\citet{b} \\cite{a}\\bibliography{refs}", refs__bib=BIB)
    assert paragraph(paper) == ("Bo et al. [1] [2]", ("b0", "b1"))
    assert [r.text for r in paper.references] == [
        "[1] Łukasz Bo, Cy Dee et al. The Book & é. Conf 1, 2002.",
        "[2] The Team. First. J, arXiv:1234.5678, 2001.",
    ]


def test_nocite_takes_all() -> None:
    assert len(read("x \\nocite{*}\\bibliography{refs}", refs__bib=BIB).references) == 3


def test_what_biblatex_printed() -> None:
    bbl = (
        "\\refsection{0}\\datalist{}\\entry{a}{article}{}\n\\name{author}{2}{}{{{family={Ames},given={Ann}}}%\n"
        "{{family={Bo},given={Bob}}}}\n\\strng{x}{y}\\field{title}{A {T}itle}\\field{year}{2001}\\endentry\\enddatalist"
    )
    paper = read("\\addbibresource{refs.bib}\\textcite{a} \\printbibliography", m__bbl=bbl)
    assert paragraph(paper)[0] == "Ames and Bo [1]"
    assert [r.text for r in paper.references] == ["[1] Ann Ames, Bob Bo. A Title. 2001."]


def test_a_bibliography_that_was_not_given_is_said() -> None:
    paper = read("\\cite{a}\\bibliography{refs}")
    assert paragraph(paper) == ("[a]", ())
    assert "refs was left out: it was not given." in paper.warnings
