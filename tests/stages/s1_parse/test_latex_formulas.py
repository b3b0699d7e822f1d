r"""Formulas: LaTeX kept, macros replaced, numbers as printed."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.paper import Paragraph
from paper2code_local.stages.s1_parse.latex import paper_of_latex


def formulas(body: str, preamble: str = "") -> list[tuple[str, str]]:
    """Return (label, text) of each display formula."""
    text = f"{preamble}\\begin{{document}}{body}\\end{{document}}"
    return [(f.label, f.text) for f in paper_of_latex({"m.tex": text.encode()}, "m.tex").formulas()]


def inline(body: str, preamble: str = "") -> str:
    text = f"{preamble}\\begin{{document}}{body}\\end{{document}}"
    (block,) = paper_of_latex({"m.tex": text.encode()}, "m.tex").sections[0].blocks
    assert isinstance(block, Paragraph)
    return block.text


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("\\begin{equation} a_1 \\le b \\label{e} \\end{equation}", [("(1)", "a_1 \\le b")]),
        ("\\begin{equation*}a\\end{equation*}", [("", "a")]),
        ("\\[a\\] and $$b$$", [("", "a"), ("", "b")]),
        ("\\begin{equation}a\\tag{*}\\end{equation}\\begin{equation}b\\end{equation}", [("(*)", "a"), ("(1)", "b")]),
        ("\\begin{equation}a\\nonumber\\end{equation}", [("", "a")]),
        ("\\begin{align}a&=b\\\\c&=d\\end{align}", [("(1)", "a =b"), ("(2)", "c =d")]),
        ("\\begin{align}a&=b\\nonumber\\\\&=c\\\\d&=e\\end{align}", [("(1)", "a&=b \\\\ &=c"), ("(2)", "d =e")]),
        ("\\begin{align*}a&=b\\\\c&=d\\end{align*}", [("", "a&=b \\\\ c&=d")]),
        ("\\begin{align*}a\\\\b\\tag{x}\\end{align*}", [("(x)", "a \\\\ b")]),
        ("\\begin{gather}a\\\\[3pt]b\\notag\\end{gather}", [("(1)", "a \\\\ b")]),
        ("\\begin{multline}a\\\\b\\end{multline}", [("(1)", "a \\\\ b")]),
        ("\\begin{eqnarray}a&=&b\\\\c&=&d\\nonumber\\end{eqnarray}", [("(1)", "a&=&b \\\\ c&=&d")]),
        (
            "\\begin{align}f&=\\begin{cases}1&x\\\\0&y\\end{cases}\\\\g\\end{align}",
            [("(1)", "f =\\begin{cases}1&x\\\\0&y\\end{cases}"), ("(2)", "g")],
        ),
        (
            "\\begin{subequations}\\begin{align}a\\\\b\\end{align}\\end{subequations}\\begin{equation}c\\end{equation}",
            [("(1a)", "a"), ("(1b)", "b"), ("(2)", "c")],
        ),
    ],
)
def test_displays(body: str, found: list[tuple[str, str]]) -> None:
    assert formulas(body) == found


def test_equations_are_numbered_within_sections() -> None:
    body = "\\section{A}\\begin{equation}a\\end{equation}\\appendix\\section{B}\\begin{equation}b\\end{equation}"
    assert [label for label, _ in formulas(body, "\\numberwithin{equation}{section}")] == ["(1.1)", "(A.1)"]


MACROS = r"""
\newcommand{\R}{\mathbb{R}} \newcommand{\f}[2][0]{f_{#1}(#2)} \def\half{\frac12}
\def\pair(#1,#2){\langle #1 | #2\rangle}
\DeclareMathOperator*{\argmin}{arg\,min} \DeclarePairedDelimiter{\norm}{\lVert}{\rVert}
\NewDocumentCommand{\v}{s O{x} m}{\IfBooleanTF{#1}{\mathbf}{\vec}{#2_{#3}}} \let\old\phi \let\phi\varphi
\newcommand{\be}{\begin{equation}} \newcommand{\ee}{\end{equation}} \renewcommand{\vec}[1]{\boldsymbol{#1}}
\newcommand{\ie}{i.e.\ } \newcommand{\twice}[1]{#1 \f{#1}}
"""


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("$\\R$", "$\\mathbb{R}$"),
        ("$x^\\R$", "$x^{\\mathbb{R}}$"),
        ("$\\f{x} \\f[1]{y}$", "$f_{0}(x) f_{1}(y)$"),
        ("$\\half$", "$\\frac12$"),
        ("$\\pair(a,b)$", "$\\langle a | b\\rangle$"),
        ("$\\argmin_x$", "$\\operatorname*{arg\\,min}_x$"),
        ("$\\norm{x} \\norm*{y}$", "$\\lVert x\\rVert \\lVert y\\rVert$"),
        ("$\\v{i} \\v*[w]{j}$", "$\\boldsymbol{x_{i}} \\mathbf{w_{j}}$"),
        ("$\\phi \\old$", "$\\varphi\\phi$"),
        ("$\\twice{a}$", "$a f_{0}(a)$"),
        ("\\ie so", "i.e. so"),
        ("\\(a\\) \\begin{math}b\\end{math} \\ensuremath{c}", "$a$ $b$ $c$"),
        ("$a \\text{ if $b$}$", "$a \\text{ if $b$}$"),
        ("$\\{a\\mid b\\}$", "$\\{a\\mid b\\}$"),
        ("\\ifmmode yes\\else no\\fi", "no"),
    ],
)
def test_macros_are_replaced(typed: str, printed: str) -> None:
    assert inline(typed, MACROS) == printed


def test_macros_may_begin_and_end_environments() -> None:
    assert formulas("\\be \\R \\ee", MACROS) == [("(1)", "\\mathbb{R}")]


def test_style_files_define_but_print_nothing_and_cannot_take_our_commands() -> None:
    style = (
        "\\ProvidesPackage{own} words \\newcommand{\\x}{X}\\makeatletter\\newcommand{\\@y}{Y}\\def\\y{\\@y}"
        "\\renewcommand\\section{\\@startsection{section}}\\renewenvironment{abstract}{\\vskip 1in}{}"
        "\\def\\maketitle{junk}"
        "\\newif\\ifok \\oktrue \\ifok\\newcommand{\\z}{Z}\\else\\newcommand{\\z}{no}\\fi "
        "\\endinput \\renewcommand{\\x}{no}"
    )
    main = "\\usepackage{amsmath,own}\\begin{document}\\maketitle\\section{S} \\x\\y\\z\\end{document}"
    paper = paper_of_latex({"m.tex": main.encode(), "own.sty": style.encode()}, "m.tex")
    assert [(s.number, s.heading, [b.text for b in s.blocks if isinstance(b, Paragraph)]) for s in paper.sections] == [
        ("1", "S", ["XYZ"])
    ]


@pytest.mark.parametrize(
    ("typed", "printed"),
    [
        ("\\iffalse no \\iftrue no\\fi\\else yes\\fi", "yes"),
        ("\\newif\\ifa a\\ifa no\\fi \\atrue\\ifa yes\\else no\\fi", "ayes"),
        ("\\ifx\\undefined\\other no\\else yes\\fi", "yes"),
        ("\\ifnum1<2 yes\\else no\\fi", "yes"),
        ("\\ifthenelse{\\equal{a}{a}}{yes}{no}", "yes"),
        ("\\newtoggle{t}\\toggletrue{t}\\iftoggle{t}{yes}{no}", "yes"),
        ("\\csname textbf\\endcsname{yes}", "yes"),
        ("\\newenvironment{e}[1]{<#1: }{>}\\begin{e}{a}b\\end{e}", "<a: b>"),
        ("\\newcommand{\\name}{Ours}\\name\\ wins", "Ours wins"),
        ("\\providecommand{\\n}{a}\\providecommand{\\n}{b}\\n", "a"),
        ("\\let\\x\\y\\let\\y\\x\\x end", "end"),
        ("\\expandafter\\newcommand\\csname x1\\endcsname{yes}\\csname x1\\endcsname", "yes"),
    ],
)
def test_definitions_and_conditions(typed: str, printed: str) -> None:
    assert inline(typed) == printed
