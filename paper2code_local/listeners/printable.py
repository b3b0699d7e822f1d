"""Text of strangers for a terminal. In: any text. Out: the same without what a terminal would obey."""

from __future__ import annotations

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Marks that reorder what stands around them: what is read would not be what is there."""
_CONTROLS = [c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t"]
_HIDDEN = dict.fromkeys([*_CONTROLS, *map(ord, BIDI)], "\ufffd")


def printable(text: str) -> str:
    """Return `text` with U+FFFD for control characters (escape sequences begin with one) and reordering marks."""
    return text.translate(_HIDDEN)


def one_line(text: str) -> str:
    """Do the same and collapse white space, line ends included."""
    return printable(" ".join(text.split()))
