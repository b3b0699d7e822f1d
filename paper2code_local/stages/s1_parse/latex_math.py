r"""Formulas as they stand in the source, without what is not mathematics.

In: the tokens of a display, macros already expanded. Out: its rows, each with LaTeX text, tag and labels. Must not know
numbers or where a formula stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from paper2code_local.stages.s1_parse.latex_tokens import PAR, SPACE, trimmed, untokenize

ONE_ROW = frozenset({"equation", "displaymath", "multline", "dmath", "darray", "empheq"})
"""Environments that print one formula with one number."""
MANY_ROWS = frozenset({"align", "gather", "eqnarray", "alignat", "flalign", "xalignat", "IEEEeqnarray", "dgroup"})
"""Environments that print a number on each row."""
_UNNUMBERED = frozenset({"\\nonumber", "\\notag", "\\IEEEnonumber", "\\IEEEyesnumber"})
_DROPPED = frozenset(
    {"\\ensuremath", "\\xspace", "\\displaystyle", "\\allowdisplaybreaks", "\\nobreak", "\\hfill", "\\hfil", "\\relax"}
)


@dataclass
class Row:
    """One line of a display."""

    tokens: list[str] = field(default_factory=list)
    numbered: bool = True
    tag: str | None = None
    labels: list[str] = field(default_factory=list)


def rows_of(tokens: Sequence[str]) -> list[Row]:
    r"""Split a display at the \\ that stand in no group and no inner environment."""
    rows = [Row()]
    depth = index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        depth += _nesting(token)
        if token in ("\\\\", "\\cr", "\\newline") and depth <= 0:
            index = _after_break(tokens, index)
            rows.append(Row())
        elif token in _UNNUMBERED:
            rows[-1].numbered = False
        elif token == "\\label":
            text, index = _argument(tokens, index)
            rows[-1].labels.append(untokenize(text))
        elif token == "\\tag":
            starred = index < len(tokens) and tokens[index].strip() == "*"
            text, index = _argument(tokens, index + starred)
            rows[-1].tag = untokenize(text) if starred else f"({untokenize(text).strip('$')})"
        elif token not in _DROPPED:
            rows[-1].tokens.append(SPACE if token == PAR else token)
    return [row for row in rows if trimmed(row.tokens) or row.tag or row.labels]


def joined(rows: Sequence[Row]) -> Row:
    """Return rows that carry one number as one; its alignment marks go when it is one line."""
    tokens = [token for row in rows for token in (*trimmed(row.tokens), SPACE, "\\\\", SPACE)][:-3]
    if len(rows) == 1:
        tokens = _unaligned(tokens)
    return Row(
        tokens=tokens,
        numbered=any(row.numbered for row in rows),
        tag=next((row.tag for row in rows if row.tag is not None), None),
        labels=[label for row in rows for label in row.labels],
    )


def grouped(rows: Sequence[Row]) -> list[Row]:
    """Join each row without a number to the numbered one that it leads to; what is left at the end joins the last."""
    groups: list[list[Row]] = [[]]
    for row in rows:
        groups[-1].append(row)
        if row.numbered or row.tag is not None:
            groups.append([])
    if not groups[-1] or (len(groups) > 1 and not any(trimmed(row.tokens) for row in groups[-1])):
        groups.pop()
    elif len(groups) > 1:
        last = groups.pop()
        groups[-1] += last
    return [joined(group) for group in groups]


def latex(tokens: Sequence[str]) -> str:
    """Return tokens of a formula as LaTeX text in one line."""
    return untokenize([token for token in tokens if token not in _DROPPED])


def _unaligned(tokens: Sequence[str]) -> list[str]:
    found: list[str] = []
    depth = 0
    for index, token in enumerate(tokens):
        depth += _nesting(token)
        if token != "&" or depth > 0:
            found.append(token)
        elif index and tokens[index - 1] != SPACE:
            found.append(SPACE)
    return found


def _nesting(token: str) -> int:
    r"""Say how a token changes the depth; the braces of \begin{x} themselves cancel out."""
    return (token in ("{", "\\begin")) - (token in ("}", "\\end"))


def _after_break(tokens: Sequence[str], index: int) -> int:
    r"""Return where the text goes on after \\, \\* or \\[2pt]."""
    if index < len(tokens) and tokens[index] == "*":
        index += 1
    if index < len(tokens) and tokens[index] == "[":
        stop = next((i for i in range(index, min(index + 8, len(tokens))) if tokens[i] == "]"), None)
        length = "".join(tokens[index + 1 : stop]).strip() if stop else ""
        if stop and (not length or length[-1:].isalpha() or length.startswith(("\\", "-", "."))):
            return stop + 1
    return index


def _argument(tokens: Sequence[str], index: int) -> tuple[Sequence[str], int]:
    """Return the group that begins at `index` (white space before it aside), and where it ends."""
    while index < len(tokens) and tokens[index] == SPACE:
        index += 1
    if index >= len(tokens) or tokens[index] != "{":
        return tokens[index : index + 1], index + 1
    depth = 0
    for stop in range(index, len(tokens)):
        depth += (tokens[stop] == "{") - (tokens[stop] == "}")
        if not depth:
            return tokens[index + 1 : stop], stop + 1
    return tokens[index + 1 :], len(tokens)
