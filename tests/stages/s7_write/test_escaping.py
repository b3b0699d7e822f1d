"""Escaped text is shown as it is: nothing of it is lost and nothing of it is syntax."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from paper2code_local.stages.s7_write.escaping import code, escaped, one_line

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
texts = st.text() | st.text(alphabet="<>[]()!|`*_~#-+=&;:$\\ \n1.ab{}", max_size=30)


def shown(page: str) -> list[tuple[str, str]]:
    """Return (type, content) of everything inside the blocks of a page, neighbouring texts joined."""
    inline = [child for token in PARSER.parse(page) for child in token.children or ()]
    found: list[tuple[str, str]] = []
    for token in inline:
        kind = "text" if token.type == "text_special" else token.type
        if found and kind == found[-1][0] == "text":
            found[-1] = ("text", found[-1][1] + token.content)
        elif token.content or kind != "text":
            found.append((kind, token.content))
    return found


@given(texts)
@example("12. x")
@example("&lt; &#60;")
@example("![a](b)")
def test_a_paragraph_shows_the_text_and_nothing_else(text: str) -> None:
    line = one_line(text)
    assert shown(escaped(text)) == ([("text", line)] if line else [])


@given(texts, texts)
def test_a_table_keeps_its_cells(first: str, second: str) -> None:
    tokens = PARSER.parse(f"| a | b |\n|---|---|\n| {escaped(first)} | {code(second)} |\n")
    assert [t.type for t in tokens].count("td_open") == 2
    cells = [t.content for t in tokens if t.type == "inline"]
    assert len(cells) == 4


@given(texts.filter(lambda text: one_line(text) and "|" not in text))
def test_a_code_span_shows_the_text(text: str) -> None:
    assert shown(code(text)) == [("code_inline", one_line(text))]


@pytest.mark.parametrize("text", ["0.1.0", "3.1 Method", "a - b", "lr = 1e-5 (we assume)", "naïve Bayes: 1"])
def test_ordinary_text_stays_readable(text: str) -> None:
    assert escaped(text) == text
