r"""LaTeX to Paper: front matter, sections, paragraphs, footnotes, floats, references."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from paper2code_local.artifacts.paper import Figure, Paper, Paragraph, Table
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex import paper_of_latex


def read(body: str, preamble: str = "", **files: str) -> Paper:
    """Read a document; `files` are others beside it, "__" in their names standing for the dot."""
    main = f"\\documentclass{{article}}\n{preamble}\n\\begin{{document}}\n{body}\n\\end{{document}}\nafter the end"
    others = {name.replace("__", "."): text.encode() for name, text in files.items()}
    return paper_of_latex({"main.tex": main.encode(), **others}, "main.tex")


def texts(paper: Paper) -> list[str]:
    return [block.text for section in paper.sections for block in section.blocks if isinstance(block, Paragraph)]


def headings(paper: Paper) -> list[tuple[int, str, str, str]]:
    return [(s.level, s.number, s.heading, s.part) for s in paper.sections]


def test_front_matter() -> None:
    paper = read(
        "\\maketitle \\begin{abstract}One $x$.\n\nTwo.\\end{abstract} \\section{S} t",
        "\\title{A \\emph{Fine}\\\\ Title\\thanks{Paid by X.}}"
        "\\author{Ann Author\\thanks{Equal.}\\\\ Some University\\\\ \\texttt{a@b.c} "
        "\\And Jos\\'e B\\\"ar$^{1,2}$, Cy Do$^*$\\\\ $^1$Lab}",
    )
    assert (paper.title, paper.authors) == ("A Fine Title", ("Ann Author", "José Bär", "Cy Do"))
    assert paper.abstract == "One $x$. Two."
    assert [note.text for note in paper.footnotes] == ["Paid by X.", "Equal."]
    assert paper.dropped_chars == len("SomeUniversitya@b.c") + len("$^{1,2}$,$^*$$^1$Lab")


@pytest.mark.parametrize(
    ("front", "authors"),
    [
        ("\\author{A. One \\and B. Two}", ("A. One", "B. Two")),
        ("\\author{A. One, B. Two and C. Three}", ("A. One", "B. Two", "C. Three")),
        ("\\author[1]{A. One}\\affil[1]{Lab}\\author[2]{B. Two}", ("A. One", "B. Two")),
        ("\\author{\\IEEEauthorblockN{A. One}\\IEEEauthorblockA{Somewhere}}", ("A. One",)),
        ("\\author{A.~One,~\\IEEEmembership{Member,~IEEE}}", ("A. One",)),
        ("\\twocolumn[\\icmltitle{T}\n\n\\icmlauthor{A. One}{x}\n\n\\icmlaffiliation{x}{Lab}]", ("A. One",)),
        ("\\author{A. One\\inst{1} \\and B. Two\\inst{2,3}}\\institute{Lab \\and Inc}", ("A. One", "B. Two")),
    ],
)
def test_authors_of_the_usual_classes(front: str, authors: tuple[str, ...]) -> None:
    assert read(f"{front} \\section{{S}} text").authors == authors


def test_sections_are_numbered_as_latex_numbers_them() -> None:
    paper = read(
        "before \\section{A}\\subsection{B}\\subsubsection[short]{C}\\paragraph{D.}\\section*{E}\\subsection{F}"
        "\\section{Acknowledgements} thanks \\appendix\\section{G}\\subsection{H}"
    )
    assert headings(paper) == [
        (1, "", "", "body"),
        (1, "1", "A", "body"),
        (2, "1.1", "B", "body"),
        (3, "1.1.1", "C", "body"),
        (4, "", "D.", "body"),
        (1, "", "E", "body"),
        (2, "1.2", "F", "body"),
        (1, "2", "Acknowledgements", "acknowledgements"),
        (1, "A", "G", "appendix"),
        (2, "A.1", "H", "appendix"),
    ]


@pytest.mark.parametrize(
    ("preamble", "body", "numbers"),
    [
        (
            "\\renewcommand\\thesection{\\Roman{section}}",
            "\\section{A}\\section{B}\\subsection{C}",
            ["I", "II", "II.1"],
        ),
        ("\\setcounter{secnumdepth}{1}", "\\section{A}\\subsection{B}", ["1", ""]),
        ("\\setcounter{section}{4}", "\\section{A}", ["5"]),
        ("\\makeatletter\\renewcommand\\thesection{S\\@arabic\\c@section}\\makeatother", "\\section{A}", ["S1"]),
        ("", "\\chapter{A}\\section{B}\\subsection{C}", ["1", "1", "1.1"]),
    ],
)
def test_numbers_follow_the_counters(preamble: str, body: str, numbers: list[str]) -> None:
    assert [section.number for section in read(body, preamble).sections] == numbers


def test_text_reads_as_it_prints() -> None:
    paper = read(
        "G\\\"odel, \\v{S}koda, na\\\"{\\i}ve, \\c c, \\aa, {\\L}ukasz---yes ``so'' don't 1--2 50\\,\\% "
        "\\& a\\_b~c \\LaTeX{} "
        "{\\bf b}\\textit{i}. % comment\n\\verb|$%\\x| \\url{http://a/b_c%20#d} \\href{https://e.f}{here}%\n"
        "joined x\\textsuperscript{2}"
    )
    assert texts(paper) == [
        "Gödel, Škoda, naïve, ç, å, Łukasz—yes “so” don’t 1–2 50 % & a_b c LaTeX bi. "
        "$%\\x http://a/b_c%20#d here (https://e.f)joined x²"
    ]
    assert paper.dropped_chars == 0


def test_lists_and_theorems_are_paragraphs() -> None:
    paper = read(
        "\\begin{itemize}\\item a\\begin{enumerate}\\item b\n\n more\\item[(x)] c\\end{enumerate}\\end{itemize}"
        "\\begin{thm}[Main]\\label{t} d\\end{thm}\\begin{lem} e\\end{lem}\\begin{proof} f \\cref{t}\\end{proof}",
        "\\newtheorem{thm}{Theorem}[section]\\newtheorem{lem}[thm]{Lemma}",
    )
    assert texts(paper) == [
        *("• a", "1. b", "more", "(x) c", "Theorem 0.1 (Main). d", "Lemma 0.2. e", "Proof. f Theorem 0.1"),
    ]


def test_footnotes() -> None:
    paper = read("One\\footnote{A \\emph{note}.} two\\footnotemark{} three\\footnotetext{B.}\\footnote[7]{C.}")
    assert texts(paper) == ["One¹ two² three⁷"]
    assert [(n.mark, n.text) for n in paper.footnotes] == [("1", "A note."), ("2", "B."), ("7", "C.")]


def test_references_print_what_they_point_at() -> None:
    paper = read(
        "\\section{A}\\label{a} \\ref{f}, \\autoref{t}, \\cref{a,e}, \\eqref{e}, \\Cref{alg}, \\ref{no}.\n\n"
        "\\begin{figure}\\caption{F}\\label{f}\\end{figure}\\begin{table}\\caption{T}\\label{t}\\end{table}"
        "\\begin{equation}x\\label{e}\\end{equation}\\begin{algorithm}\\caption{L}\\label{alg} go\\end{algorithm}"
    )
    assert texts(paper)[0] == "1, Table 1, Section 1, Equation (1), (1), Algorithm 1, ??."
    assert "Referred to, but labelled nowhere: no." in paper.warnings


TABLE = r"""
\begin{table*}[t]\caption{Scores \cite{k}}\label{t}
\resizebox{\textwidth}{!}{\begin{tabular}{l|cc@{}}
\toprule & \multicolumn{2}{c}{Both} \\ \cmidrule(lr){2-3}
\textbf{Model} & A & \makecell{B\\(mean)} \\[2pt] \midrule
\multirow{2}{*}{Ours} & $1 \& 2$ & 3\,\% \\ \rowcolor{gray} & 4 & \\ \bottomrule
\end{tabular}} Note: more is better.
\end{table*}"""


def test_tables() -> None:
    (table,) = read(TABLE).tables()
    assert (table.label, table.caption, table.note) == ("Table 1", "Scores [k]", "Note: more is better.")
    assert table.rows == (("", "Both", ""), ("Model", "A", "B (mean)"), ("Ours", "$1 \\& 2$", "3 %"), ("", "4", ""))


def test_two_tables_in_one_float_and_one_alone() -> None:
    cell = "\\begin{tabular}{c}%s\\end{tabular}"
    paper = read(
        "\\begin{table}\\caption{A}" + cell % "a" + "\\caption{B}" + cell % "b" + "\\end{table} text "
        "" + cell % "c" + "\\begin{longtable}{l}\\caption{D}\\\\ \\hline d \\\\ e\\end{longtable}"
    )
    found = [(table.label, table.caption, table.rows) for table in paper.tables()]
    assert found == [
        ("Table 1", "A", (("a",),)),
        ("Table 2", "B", (("b",),)),
        ("", "", (("c",),)),
        ("Table 3", "D", (("d",), ("e",))),
    ]


def test_figures_and_their_parts() -> None:
    sub = (
        "\\begin{subfigure}[b]{.4\\textwidth}\\includegraphics[width=1cm]{x.png}"
        "\\caption{%s}\\label{%s}\\end{subfigure}"
    )
    paper = read(
        "\\begin{figure}[ht]\\centering" + sub % ("L", "l") + sub % ("R", "r") + "\\caption{Main}\\end{figure} \\ref{r}"
    )
    (figure,) = paper.figures()
    assert (figure.label, figure.caption, figure.text) == ("Figure 1", "Main", "(a) L (b) R")
    assert texts(paper) == ["1b"]


def test_a_float_in_a_paragraph_does_not_split_it() -> None:
    paper = read("one \\begin{figure}\\caption{F}\\end{figure} two\n\nthree")
    kinds = [block.kind for block in paper.sections[0].blocks]
    assert (texts(paper), kinds) == (["one two", "three"], ["paragraph", "figure", "paragraph"])


ALGORITHMS = {
    "algorithmicx": r"""\begin{algorithm}\caption{Go}\begin{algorithmic}[1]\Require $D$
        \For{$i$ \To $n$} \State s \Comment{why}
        \If{c} \State t \Else \State u \EndIf \EndFor \State \Return $x$\end{algorithmic}\end{algorithm}""",
    "algorithmic": r"""\begin{algorithm}\caption{Go}\begin{algorithmic}\REQUIRE $D$
        \FOR{$i$ \TO $n$} \STATE s \COMMENT{why}
        \IF{c} \STATE t \ELSE \STATE u \ENDIF \ENDFOR \RETURN $x$\end{algorithmic}\end{algorithm}""",
}


@pytest.mark.parametrize("package", ALGORITHMS)
def test_algorithms_are_indented_lines(package: str) -> None:
    (found,) = read(ALGORITHMS[package]).figures()
    assert (found.kind, found.id, found.label, found.caption) == ("algorithm", "alg1", "Algorithm 1", "Go")
    assert found.text.split("\n") == [
        "Require: $D$",
        "for $i$ to $n$ do",
        "  s ▷ why",
        "  if c then",
        "    t",
        "  else",
        "    u",
        "  end if",
        "end for",
        "return $x$",
    ]


def test_algorithm2e_blocks_are_indented() -> None:
    (found,) = read(
        r"""\begin{algorithm}[H]\SetAlgoLined\SetKwInOut{Input}{In}\SetKwFunction{Run}{run} \Input{$D$} \KwOut{m}
        a\; \While{not done}{ b\; \eIf{c}{d\;}{e\;} } \Return \Run{x}\; \caption{Go}\end{algorithm}"""
    ).figures()
    lines = [
        "In: $D$",
        "Output: m",
        "a",
        "while not done do",
        "  b",
        "  if c then",
        "    d",
        "  else",
        "    e",
        "return run(x)",
    ]
    assert found.text.split("\n") == lines


def test_code_keeps_its_lines() -> None:
    paper = read(
        "\\begin{lstlisting}[language=Python,caption={My \\emph{code}},label=c]\n"
        "def f(x):  # 50%\n    return x\n\\end{lstlisting}"
        "\\begin{verbatim}\n$ raw \\begin{x}\n\\end{verbatim} \\ref{c}"
    )
    (listing,) = paper.figures()
    assert (listing.label, listing.caption, listing.text) == ("Listing 1", "My code", "def f(x):  # 50%\n    return x")
    assert texts(paper) == ["$ raw \\begin{x}", "1"]


def test_what_is_left_out_is_counted() -> None:
    paper = read("Kept. \\begin{tikzpicture}\\draw (0,0);\\end{tikzpicture}\\unknown[opt]{text}\\vspace{1cm}")
    assert texts(paper) == ["Kept. text"]
    assert paper.dropped_chars == len("\\draw(0,0);") + len("opt")


def test_unknown_environments_keep_their_text() -> None:
    paper = read("\\begin{strange}[Title]{arg} inside\\end{strange}\\begin{other}[width=3]x\\end{other}\\end{nothing}")
    assert texts(paper) == ["(Title) arg inside", "x"]


def test_files_are_read_where_they_stand() -> None:
    files = {"a__tex": "A \\input{b} B\\endinput C", "b__tex": "deep \\input{a}", "s__tex": "\\documentclass{x}"}
    paper = read("x \\input{a} y \\include{a} \\input{/etc/hostname} \\input{../up} \\input{gone}", **files)
    assert texts(paper) == ["x A deep B y A deep B"]
    assert {w for w in paper.warnings if "left out" in w} == {
        "a.tex was left out: it reads itself.",
        "/etc/hostname was left out: it points outside of the folder.",
        "../up was left out: it points outside of the folder.",
        "gone was left out: it was not given.",
    }


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_encodings(encoding: str) -> None:
    data = "\\begin{document} \\title{Café} naïve \\end{document}".encode(encoding)
    paper = paper_of_latex({"m.tex": data}, "m.tex")
    assert (paper.title, texts(paper)) == ("Café", ["naïve"])


@pytest.mark.parametrize("text", ["", "% only a comment", "\\documentclass{article}\\begin{document}\\end{document}"])
def test_nothing_to_read_is_an_error(text: str) -> None:
    with pytest.raises(InputError) as caught:
        paper_of_latex({"m.tex": text.encode()}, "m.tex")
    assert caught.value.code == "input.empty"


def test_a_fragment_is_its_own_body() -> None:
    paper = paper_of_latex({"m.tex": b"\\title{T}\\section{S} text \\end{document} more"}, "m.tex")
    assert (paper.title, headings(paper), texts(paper)) == ("T", [(1, "1", "S", "body")], ["text"])
    assert any("\\begin{document}" in warning for warning in paper.warnings)


def test_chars_are_those_of_the_paper() -> None:
    paper = read(TABLE + "\\section{A b}\\label{s} See \\ref{s}\\footnote{n}. \\[x^2\\]", "\\title{T t}\\author{A B}")
    parts = [paper.title, *paper.authors, paper.abstract, *(n.mark + n.text for n in paper.footnotes)]
    for section in paper.sections:
        parts += [section.number, section.heading]
        for block in section.blocks:
            match block:
                case Table():
                    parts += [block.label, block.caption, block.note, *(cell for row in block.rows for cell in row)]
                case Figure():
                    parts += [block.label, block.caption, block.text]
                case Paragraph():
                    parts.append(block.text)
                case _:
                    parts += [block.label, block.text]
    assert paper.chars == len("".join("".join(parts).split()))
    assert paper.dropped_chars == 0


def test_our_example_is_read_whole() -> None:
    source = (Path(__file__).parents[3] / "examples" / "annealed_mixup.tex").read_text(encoding="utf-8")
    paper = paper_of_latex({"m.tex": source.encode()}, "m.tex")
    assert len(paper.sections) == len(re.findall(r"\\(?:sub)*section\{", source))
    assert [f.label for f in paper.formulas()] == [f"({n + 1})" for n in range(source.count("\\begin{equation}"))]
    assert [len(table.rows) for table in paper.tables()] == [10, 5]
    assert len(paper.references) == source.count("\\bibitem")
    assert {c for s in paper.sections for b in s.blocks if isinstance(b, Paragraph) for c in b.citations} == {
        reference.id for reference in paper.references
    }
    assert (paper.dropped_chars, paper.warnings) == (0, ())
