"""Properties of Markdown to Paper that hold for any sequence of blocks: every word once, every character counted."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.paper import Figure, Formula, Paper, Paragraph, Table, block_chars, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown

ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PIECES = {
    "# W": "W",
    "## 2.1 W": "2.1 W",
    "### **A.1. *W***": "A.1. W",
    "# Abstract": "Abstract",
    "Abstract: W": "Abstract: W",
    "# Appendix": "Appendix",
    "## References": "References",
    "W and [W](https://example.org), *W*": "W and W, W",
    "See $W_i$ and \\(W\\), [3].": "See $W_i$ and $W$, [3].",
    "Ada Quill, Bo Moss": "Ada Quill, Bo Moss",
    "Let $$W$$ be W.": "Let W be W.",
    "$$\nW\n- W \\tag{3}\n$$": "W - W (3)",
    "\\[ W = W \\]": "W = W",
    "| W | W |\n|---|---|\n| W | W | W |\n| W |\nW": "W W W W W W W",
    "<table><tr><td rowspan=2>W</td><td>W<br>W</td></tr><tr><td/>W</tr></table>": "W W W W",
    "Table 1: W": "Table 1: W",
    "![W](x.png)\nFigure 2. W": "W Figure 2. W",
    "![](x.png)": "",
    "<!-- image -->": "",
    "<!-- hidden -->": "",
    "- W\n- W\n  1. W": "W W 1. W",
    "2. W": "2. W",
    "> W": "W",
    "**Algorithm 1** W": "Algorithm 1 W",
    "```\nW\n  W\n```": "W W",
    "[^1]: W": "[^1]: W",
    "<sup>2</sup> W": "2 W",
    "12": "12",
    "[1] W\n[2] W": "[1] W [2] W",
    "<div><p>W</p><b>W</b></div>": "W W",
    "***": "",
    "{4}" + "-" * 48: "4",
}
"""A block of Markdown, and what a reader sees of it; each W is another word."""


def strings(paper: Paper) -> Iterator[str]:
    """Everything that a paper keeps."""
    yield from (paper.title, paper.abstract, *paper.authors)
    for section in paper.sections:
        yield from (section.number, section.heading)
        for block in section.blocks:
            match block:
                case Paragraph():
                    yield block.text
                case Formula():
                    yield from (block.text, block.label)
                case Table():
                    yield from (block.label, block.caption, block.note, *(c for row in block.rows for c in row))
                case Figure():
                    yield from (block.label, block.caption, block.text)
    yield from (reference.text for reference in paper.references)
    for note in paper.footnotes:
        yield from (note.mark, note.text)


def parsed(text: str) -> Paper | None:
    """Read a text; None for one that holds no paper at all."""
    try:
        return paper_of_markdown(text.encode("utf-8", "replace"))
    except InputError as error:
        if error.code not in {"input.no_text", "input.not_text", "input.nesting"}:
            raise
        return None


@settings(ANY_MACHINE, max_examples=100)
@given(st.lists(st.sampled_from(sorted(PIECES)), max_size=12))
def test_every_word_is_kept_once_and_every_character_is_counted(pieces: list[str]) -> None:
    words: list[str] = []

    def word(_: re.Match[str]) -> str:
        words.append(f"Wö{len(words)}x")
        return words[-1]

    source = "\n\n".join(re.sub("W", word, piece) for piece in pieces)
    seen = " ".join(PIECES[piece] for piece in pieces)
    size = visible(seen) - seen.count("W") + sum(map(visible, words))
    paper = parsed(source)
    if paper is None:
        return
    kept = list(strings(paper))
    assert {w: sum(text.count(w) for text in kept) for w in words} == dict.fromkeys(words, 1)
    assert paper.chars == sum(map(visible, kept))
    assert paper.chars + paper.dropped_chars == size
    assert paper.dropped_chars >= 0
    for section in paper.sections:
        assert section.chars == visible(section.heading) + sum(map(block_chars, section.blocks))


SIGNS = [
    "# ",
    "\n",
    "\n\n",
    "$",
    "$$",
    "|",
    "|-|-|\n",
    "[1]",
    "Table 1: ",
    "<table>",
    "<td>",
    "</td>",
    "- ",
    "```\n",
    "\\[",
]
SIGNS += [
    "Figure 2. ",
    "![](x)",
    "abc ",
    "Algorithm 1 x\n",
    "# References\n\n",
    "Abstract\n\n",
    "(2)",
    "> ",
    "<sup>",
    "*",
]


@settings(ANY_MACHINE, max_examples=60)
@given(st.lists(st.sampled_from(SIGNS), max_size=40).map("".join) | st.text(max_size=60))
def test_any_text_at_all_is_a_paper_or_one_error(text: str) -> None:
    paper = parsed(text)
    if paper is None:
        return
    assert paper.dropped_chars >= 0
    ids = [s.id for s in paper.sections] + [r.id for r in paper.references]
    ids += [b.id for s in paper.sections for b in s.blocks if not isinstance(b, Paragraph)]
    assert len(ids) == len(set(ids))
    cited = {c for s in paper.sections for b in s.blocks if isinstance(b, Paragraph) for c in b.citations}
    assert cited <= {r.id for r in paper.references}
