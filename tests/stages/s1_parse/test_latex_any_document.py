r"""Whatever the document: each word is kept once, and reading ends."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.paper import Paper
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex import paper_of_latex

PREAMBLE = "\\newcommand{\\own}[2][]{#2}\\newenvironment{mine}{}{}\\newtheorem{thm}{T}\\begin{document}"
INLINE = [
    *("@", "@ @", "\\emph{@}", "{\\bf @ @}", "\\textcolor{red}{@}", "\\unknown{@}", "\\own{@}", "\\own[]{@ @}"),
    *(
        "$@$",
        "\\(@^@\\)",
        "\\footnote{@}",
        "\\url{@}",
        "\\verb|@|",
        "\\href{@}{@}",
        "\\mbox{@}",
        "{@",
        "@}",
        "% no\n @",
    ),
    *("\\parbox{3cm}{@}", "\\texorpdfstring{@}{}", "\\iffalse no\\else @\\fi", "\\underline{\\textsc{@}}", "\\\\ @"),
]
"""What may stand in a line; each @ becomes a word."""
RAW = [
    *("\\[@\\]", "$$@$$", "\\begin{equation}@\\end{equation}", "\\begin{align}@&@\\\\@\\end{align}"),
    *("\\begin{verbatim}\n@\n\\end{verbatim}", "\\begin{lstlisting}[caption={@}]\n@\n\\end{lstlisting}"),
]
"""Blocks in which only words stand."""
BLOCKS = [
    *("@\n\n", "\\section{@}", "\\subsection*{@}", "\\paragraph{@}", "\\begin{mine}@\\end{mine}", "\\appendix @", "@}"),
    *("\\begin{itemize}\\item @ \\item[@] @\\end{itemize}", "\\begin{strange}@\n\n@\\end{strange}"),
    *("\\begin{figure}[t]\\centering @ \\caption{@}@\\end{figure}", "\\begin{tabular}{l}@\\end{tabular}"),
    *("\\begin{table}\\caption{@}\\begin{tabular}{ll}@&@\\\\ \\hline @\\end{tabular}@\\end{table}",),
    *("\\begin{thm}[@]@\\end{thm}", "\\begin{quote}@\\end{quote}", "\\begin{abstract}@\\end{abstract}"),
    "\\begin{algorithm}\\caption{@}@\\;@\\end{algorithm}",
    *("\\begin{figure}@\\begin{minipage}{1cm}@\\end{minipage}\\end{figure}",),
    *("\\begin{algorithm}\\begin{algorithmic}\\State @ \\If{@}\\State @\\EndIf\\end{algorithmic}\\end{algorithm}",),
]  # fmt: skip


def filled(shape: str, parts: Iterator[str]) -> str:
    return re.sub("@", lambda _: next(parts), shape)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, int]:
    """Return the body of a document in which each word is another, and how many words it has."""
    body = ""
    for shape in draw(st.lists(st.sampled_from([*RAW, *BLOCKS]), min_size=1, max_size=5)):
        insides = draw(st.lists(st.sampled_from(INLINE), min_size=5, max_size=5))
        body += (shape if shape in RAW else filled(shape, iter(insides))) + " "
    numbers = count()
    return filled(body, (f"w{n}w" for n in numbers)), body.count("@")


@settings(max_examples=80, deadline=None)
@given(documents())
def test_each_word_is_kept_once(document: tuple[str, int]) -> None:
    body, words = document
    paper = read(f"{PREAMBLE}{body} end\\end{{document}}")
    found = Counter(re.findall(r"w\d+w", paper.model_dump_json(exclude={"warnings"})))
    assert found == Counter(f"w{n}w" for n in range(words))
    assert paper.dropped_chars == 0


PIECES = [
    "{", "}", "$", "$$", "&", "\\\\", "[", "]", "#1", "##", "%", "\n", "\n\n", "~", "^", "_", "word", "1",
    "1pt", "\\", "\\begin{equation}", "\\end{equation}", "\\begin{tabular}{ll}", "\\end{tabular}",
    "\\begin{figure}", "\\end{figure}", "\\begin{itemize}", "\\begin{abstract}", "\\end{abstract}",
    "\\begin{align}", "\\end{align}", "\\begin{x}", "\\end{x}", "\\begin{algorithm}", "\\begin{algorithmic}",
    "\\end{algorithm}", "\\begin{verbatim}", "\\end{verbatim}", "\\item", "\\section", "\\caption",
    "\\footnote", "\\label{a}", "\\ref{a}", "\\cite{a}", "\\bibitem{a}", "\\If", "\\EndIf", "\\;", "\\def\\a",
    "\\def\\a#1.#2{", "\\newcommand{\\b}[2][x]", "\\let\\a\\b", "\\a", "\\b", "\\newenvironment{x}", "\\verb",
    "\\iffalse", "\\iftrue", "\\else", "\\fi", "\\csname", "\\endcsname", "\\multicolumn", "\\title",
    "\\author", "\\and", "\\begin{thebibliography}{1}", "\\end{thebibliography}", "\\begin{document}",
    "\\end{document}", "\\'", "\\[", "\\]",
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_anything_is_a_paper_or_one_error(pieces: list[str]) -> None:
    try:
        paper = read("".join(pieces))
    except InputError:
        return
    assert paper.dropped_chars >= 0
    assert not re.search("[\x00-\x08\ue000-\uf8ff]", "".join(paper.model_dump_json().split("\\u")[:1]))


@pytest.mark.parametrize(
    "text",
    [
        "\\def\\a{x\\a}\\a",
        "\\def\\a{\\b}\\def\\b{\\a}\\a",
        "".join(f"\\def\\{a}{{\\{b}\\{b}}}" for a, b in zip("abcdefghijkl", "bcdefghijklm", strict=True)) + "\\a",
        "\\newcommand{\\a}[1]{#1#1#1#1}" + "\\a{" * 8 + "x" + "}" * 8,
        "{" * 20_000,
        "\\footnote{" * 300,
        "\\begin{itemize}\\item " * 500,
        "\\begin{tabular}{l}" * 100,
        "$" * 20_001,
        "\\item[" * 300,
        "\\csname " * 2000,
        "\\url{" * 2000,
        "\\begin{verbatim}" * 2000,
        "\\iffalse " * 5000,
        "\\newcommand" * 5000,
        "\\frac{" * 5000,
        "\\input{m}" * 100,
    ],
    ids=range(17),
)
def test_bombs_end_soon(text: str) -> None:
    started = time.process_time()
    paper = read(f"\\begin{{document}}{text} \n\n end\\end{{document}}")
    assert "end" in paper.model_dump_json(exclude={"warnings"})
    assert time.process_time() - started < 2


def read(text: str) -> Paper:
    return paper_of_latex({"m.tex": text.encode()}, "m.tex")
