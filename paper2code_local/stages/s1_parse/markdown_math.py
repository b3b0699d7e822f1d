"""TeX formulas for a CommonMark parser, which would take their underscores and backslashes for its own.

In: a markdown-it parser. Out: the same, with tokens `math_block` (display, on lines of its own), `math_display` and
`math_inline` (inside a paragraph). Must not know what a formula means to a paper.

Converters write $…$ or \\(…\\) and $$…$$ or \\[…\\]; they also write \\[3\\] for a citation and $5 for a price.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

_INLINE_LIMIT, _DISPLAY_LIMIT = 2_000, 20_000
"""Characters within which a formula must end."""
_TEX = re.compile(r"[\\^_={}<>+*/|]")
_ENVIRONMENT = re.compile(r"\\begin\{((?:equation|align|gather|multline|eqnarray|displaymath|flalign|alignat)\*?)\}")
_AFTER = re.compile(r"[ \t]*(\([\w.]{1,8}\))?[ \t.,;]*(?=\n|\Z)")
"""What may stand behind a display formula on its line: its number."""
_TAG = re.compile(r"\\tag\*?\s*\{\s*\(?([^{}()]{1,20}?)\)?\s*\}")
_SPACED = re.compile(r"(?:\\(?:q?quad|hfill|eqno|leqno)\s*|[~&]\s*)+\(([\dA-Z.]{1,8}[a-z]?)\)\s*([.,]?)$")


def with_math(parser: MarkdownIt) -> MarkdownIt:
    """Teach `parser` to leave formulas alone."""
    parser.block.ruler.before("fence", "math_block", _block, {"alt": ["paragraph", "blockquote", "list"]})
    parser.inline.ruler.before("escape", "math_inline", _inline)
    return parser


def numbered(tex: str) -> tuple[str, str]:
    """Take the number off a display formula: return the formula and "(3)", or "" for the latter."""
    tex = tex.strip()
    if tag := _TAG.search(tex):
        return f"{tex[: tag.start()].rstrip()} {tex[tag.end() :].lstrip()}".strip(), f"({tag[1].strip()})"
    if spaced := _SPACED.search(tex):
        return f"{tex[: spaced.start()].rstrip()}{spaced[2]}", f"({spaced[1]})"
    return tex, ""


def _block(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    start = state.bMarks[line] + state.tShift[line]
    found = _display_at(state.src, start, state.eMarks[last - 1])
    if state.is_code_block(line) or found is None:
        return False
    inner, end = found
    after = _AFTER.match(state.src, end)
    if after is None or "\n\n" in inner:
        return False
    if silent:
        return True
    stop = line
    while stop < last and state.eMarks[stop] < after.end():
        stop += 1
    token = state.push("math_block", "math", 0)
    token.content, token.info, token.map = inner, after[1] or "", [line, stop + 1]
    state.line = stop + 1
    return True


def _inline(state: StateInline, silent: bool) -> bool:
    if found := _display_at(state.src, state.pos, state.posMax):
        kind, (inner, end) = "math_display", found
    elif found := _inline_at(state.src, state.pos, state.posMax):
        kind, (inner, end) = "math_inline", found
    else:
        return False
    if not silent:
        state.push(kind, "math", 0).content = inner
    state.pos = end
    return True


def _display_at(text: str, start: int, limit: int) -> tuple[str, int] | None:
    """Return the display formula that begins at `start`, and where it ends."""
    limit = min(limit, start + _DISPLAY_LIMIT)
    if text.startswith("$$", start):
        stop = text.find("$$", start + 2, limit)
        return (text[start + 2 : stop], stop + 2) if stop > 0 and text[start + 2 : stop].strip() else None
    if text.startswith("\\[", start):
        stop = text.find("\\]", start + 2, limit)
        inner = text[start + 2 : stop]
        return (inner, stop + 2) if stop > 0 and _TEX.search(inner) and "](" not in inner else None
    if text.startswith("\\begin{", start) and (begin := _ENVIRONMENT.match(text, start)):
        end = f"\\end{{{begin[1]}}}"
        stop = text.find(end, begin.end(), limit)
        return (text[start : stop + len(end)], stop + len(end)) if stop > 0 else None
    return None


def _inline_at(text: str, start: int, limit: int) -> tuple[str, int] | None:
    limit = min(limit, start + _INLINE_LIMIT)
    if text.startswith("\\(", start):
        stop = text.find("\\)", start + 2, limit)
        inner = text[start + 2 : stop]
        return (inner.strip(), stop + 2) if stop > 0 and inner.strip() and "\\(" not in inner else None
    if not text.startswith("$", start) or text.startswith("$$", start):
        return None
    stop = text.find("$", start + 1, limit)
    while stop > 0 and text[stop - 1] == "\\":
        stop = text.find("$", stop + 1, limit)
    inner = text[start + 1 : stop]
    if stop < 0 or not inner.strip():
        return None
    tight = not inner[0].isspace() and not inner[-1].isspace() and not text[stop + 1 : stop + 2].isdigit()
    return (inner.strip(), stop + 1) if tight or _TEX.search(inner) else None
