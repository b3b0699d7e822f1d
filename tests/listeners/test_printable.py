"""What strangers write reaches a terminal as text only."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.listeners.printable import one_line, printable


@given(st.text())
def test_no_control_character_but_line_ends_and_tabs_is_left(text: str) -> None:
    assert not [c for c in printable(text) if unicodedata.category(c) == "Cc" and c not in "\n\t"]


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert printable(text) == text


def test_marks_that_reorder_text_are_shown() -> None:
    assert printable("a\u202eb") == "a\ufffdb"


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1
