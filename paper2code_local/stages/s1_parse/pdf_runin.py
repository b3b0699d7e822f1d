"""Where a numbered heading ends that runs into its text: "2.1. Loss. The loss is …", the heading in bold.

In: the glyphs of one printed line, from left to right. Out: how many of them are the heading. Must not know lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from paper2code_local.stages.s1_parse.pdf_glyphs import Glyph, Style

_NUMBER = re.compile(r"(?:\d{1,2}(?:\.\d{1,2}){1,3}\.?|\d{1,2}[.)]|[A-Z](?:\.\d{1,2})+\.?)")
_SHORTEST, _LONGEST = 3, 90
"""Letters of a heading, without spaces."""
_TEXT = 6
"""Characters of text that have to follow: less is a mark or a formula."""


def run_in(glyphs: Sequence[Glyph]) -> int | None:
    """Return where the text begins; None on a line that does not begin with such a heading."""
    start = next((i for i, glyph in enumerate(glyphs) if i and glyph.space), 0)
    if not start or not _NUMBER.fullmatch("".join(glyph.text for glyph in glyphs[:start])):
        return None
    look = _look(glyphs[start].style)
    stop = next((i for i in range(start, len(glyphs)) if _look(glyphs[i].style) != look), len(glyphs))
    if not any(look) or len(glyphs) - stop < _TEXT or not glyphs[stop].space or any(_look(glyphs[-1].style)):
        return None
    ends = glyphs[stop - 1].text in ".:" and _SHORTEST <= stop - start <= _LONGEST
    return stop if ends else None


def _look(style: Style) -> tuple[bool, bool]:
    return style.bold, style.italic and not style.math
