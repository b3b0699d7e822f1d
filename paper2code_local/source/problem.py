"""Whether a file compiles, and if not, what kind of text it is.

In: source text. Out: a `Problem` or None, or a syntax tree. Must not know of findings or models. Nothing is ever run.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from dataclasses import dataclass
from typing import Literal

from paper2code_local.source.tree import parse

_INCOMPLETE = 0x4000 | 0x0200  # PyCF_ALLOW_INCOMPLETE_INPUT | PyCF_DONT_IMPLY_DEDENT, as the codeop module has them
_MANY_FIELDS = 1_000
_WORDS = re.compile(r"[^\W\d_][\w'’-]*")
_NEIGHBOURS = re.compile(r"(?=\b([^\W\d_][\w'’-]*)[,;:]? +([^\W\d_][\w'’-]*))")
_CODE_STARTS = frozenset(keyword.kwlist) - {"is", "in", "and", "or", "not", "as", "True", "False", "None"} | {
    "print",
    "exec",
    "@",
}
_ASSIGNMENT = re.compile(r"\s*[\w.\[\]]+\s*(:\s*[\w.\[\], ]+)?=")
_FENCE = re.compile(r"\s*(```|~~~)")
_MARKDOWN = re.compile(r"\s*([-*+] |\d+[.)] |#{1,6}\w|\*\*|> )")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text is not a Python module."""

    line: int
    """1-based."""
    message: str
    kind: Literal["syntax", "truncated", "prose"]
    """"truncated": right so far, but it ends too early; "prose": sentences or Markdown where code should be."""


def compile_error(text: str, path: str) -> Problem | None:
    """Compile `text` without running it and say what is wrong, or None when nothing is.

    `path` only names the text. Nesting too deep for the compiler is a syntax problem. The kind of the problem: the
    interpreter's own test for unfinished input tells what was cut short, the words of the line tell prose.
    """
    error = _error(text, path, 0)
    if error is None:
        return None
    line, message, column = error
    lines = text.split("\n")
    line = min(max(line, 1), len(lines))
    unfinished = _error(text, path, _INCOMPLETE)
    if unfinished is not None and unfinished[1] == "incomplete input":
        return Problem(line, message, "truncated")
    if _is_prose(lines, line) or _is_prose(lines, _first_error_row(text) + 1):
        return Problem(line, message, "prose")
    return Problem(line, message, "truncated" if _stops_at_end(text, line, message, column) else "syntax")


def syntax_tree(text: str) -> ast.Module | None:
    """Parse a file; None when it does not parse, or is nested too deeply to be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def most_fields(text: str) -> int:
    """Return how many fields the f-string with the most has; 0 where there cannot be many."""
    if text.count("{") < _MANY_FIELDS:
        return 0
    most = 0
    stack = [parse(text.encode("utf-8", "replace"))]
    while stack:
        node = stack.pop()
        if node.type == "string":
            most = max(most, sum(child.type == "interpolation" for child in node.children))
        else:
            stack.extend(node.children)
    return most


def _error(text: str, path: str, flags: int) -> tuple[int, str, int] | None:
    """Return (line, message, column) of what the compiler refuses."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, path, "exec", flags=flags, dont_inherit=True)
    except SyntaxError as error:
        return error.lineno or 1, error.msg, error.offset or 0
    except (RecursionError, MemoryError):
        return 1, "too deeply nested", 0
    except (ValueError, OverflowError) as error:
        position = text.find("\0")
        return (text.count("\n", 0, position) + 1 if position >= 0 else 1), str(error), 0
    return None


def _stops_at_end(text: str, line: int, message: str, column: int) -> bool:
    """Tell whether the compiler wanted more than the last line has."""
    lines = text.rstrip().split("\n")
    return line == len(lines) and (column > len(lines[-1].rstrip()) or message.startswith("unterminated string"))


def _first_error_row(text: str) -> int:
    """Return the 0-based row of the first error that tree-sitter sees; it often stands before the compiler's."""
    node = parse(text.encode("utf-8", "replace"))
    while node.has_error:
        broken = next((c for c in node.children if c.has_error or c.is_missing), None)
        if broken is None or node.type == "ERROR":
            break
        node = broken
    return int(node.start_point[0])


def _is_prose(lines: list[str], line: int) -> bool:
    """Tell whether a line reads like a sentence, a heading, a list item or a fence rather than like code."""
    if not 0 < line <= len(lines):
        return False
    text = lines[line - 1]
    if _FENCE.match(text):
        return True
    marked = _MARKDOWN.match(text)
    words = _WORDS.findall(text)
    if (
        not words
        or _ASSIGNMENT.match(text)
        or (words[0] in _CODE_STARTS and not text.rstrip().endswith((".", "!", "?")))
    ):
        return False
    unquoted = re.sub(
        r"([\"'`])(?:(?!\1).)*\1|(?<!\w)(?:#|[rbfuRBFU]{0,2}[\"']).*", " ", text[marked.end() :] if marked else text
    )
    adjacent = sum(
        1
        for left, right in _NEIGHBOURS.findall(unquoted)
        if not keyword.iskeyword(left) and not keyword.iskeyword(right)
    )
    codelike = len(re.findall(r"[=\[\]{}()@<>|&%\\]|\w\.\w", unquoted))
    return adjacent > 0 and len(words) >= 3 and adjacent >= 2 * codelike
