"""Text of a paper or a model, made safe for one place in a Markdown page.

In: any text. Out: one line that shows the same words and is nothing else: no HTML, link, image, heading, list or table
cell of its own. Must not know what the text is about.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$!])")
_BLOCK_START = re.compile(r"^([#+=:-]|\d{1,9}(?=[.)](?: |$)))")


def one_line(text: str) -> str:
    """Return the printable characters of `text` on one line; invisible ones (controls, bidi marks) become spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escaped(text: str) -> str:
    """Return `text` on one line so that Markdown (GitHub's too) shows it as it is, in a paragraph or a table cell."""
    line = _SPECIAL.sub(r"\\\1", one_line(text).replace("&", "&amp;"))
    start = _BLOCK_START.match(line)
    if start and start.group().isdigit():
        return f"{start.group()}\\{line[start.end() :]}"
    return f"\\{line}" if start else line


def code(text: str) -> str:
    """Return `text` as a code span that may stand in a table cell."""
    line = one_line(text).replace("|", "\\|")
    longest = max(map(len, re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or not line else ""
    return f"{fence}{pad}{line}{pad}{fence}"
