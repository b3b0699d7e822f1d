"""One function of a file: which one holds a line, and the file with that one replaced.

In: source text. Out: a `Definition`, or new text that is the same bytes elsewhere. Must not know why it is replaced.
"""

from __future__ import annotations

import re

from tree_sitter import Node

from paper2code_local.source.outline import Definition, outline
from paper2code_local.source.tree import definition_of, name_of, parse, statements, string_rows


def unit_at(text: str, line: int) -> Definition | None:
    """Return the function or method that holds the 1-based line, decorators included; None outside of all.

    A function inside a function belongs to the outer one, which is what can be asked again as a whole.
    """
    holding = [d for d in outline(text).definitions if d.kind in ("function", "method") and d.start <= line <= d.end]
    return max(holding, key=lambda d: d.start, default=None)


def definition_text(text: str, qualname: str) -> str:
    """Return the lines of the last function, method or class that bears the name, decorators included. KeyError when
    there is none."""
    found = [d for d in outline(text).definitions if d.qualname == qualname]
    if not found:
        raise KeyError(qualname)
    return "\n".join(text.split("\n")[found[-1].start - 1 : found[-1].end])


def replace_unit(text: str, qualname: str, new_source: str, line: int | None = None) -> str:
    """Put `new_source` (one function or class, decorators included) in the place of `qualname`.

    It is shifted to the indentation of the place; the inside of its multi-line strings is left alone. All other bytes
    stay. Where several definitions bear the name (a property and its setter), `line` chooses the one that holds
    that line, and without it the last one is replaced. Raises KeyError when there is none.
    """
    data = text.encode("utf-8", "surrogatepass")
    places = [
        node
        for node, where in statements(parse(data))
        if (definition := definition_of(node)) is not None
        and where.inside != "function"
        and ".".join((*where.scope, name_of(definition))) == qualname
    ]
    if line is not None:
        places = [node for node in places if node.start_point[0] < line <= node.end_point[0] + 1]
    if not places:
        raise KeyError(qualname)
    return _replaced(data, places[-1], new_source).decode("utf-8", "surrogatepass")


def _replaced(data: bytes, place: Node, new_source: str) -> bytes:
    start = data.rfind(b"\n", 0, place.start_byte) + 1
    end = data.find(b"\n", place.end_byte)
    end = len(data) if end < 0 else end
    if data[:end].endswith(b"\r"):
        end -= 1
    indent = data[start : place.start_byte].decode("utf-8", "surrogatepass")
    shifted = _shifted(new_source, indent)
    if b"\r\n" in data:
        shifted = shifted.replace("\n", "\r\n")
    return data[:start] + shifted.encode("utf-8", "surrogatepass") + data[end:]


def _shifted(source: str, indent: str) -> str:
    """Return `source` with its first line at `indent` and the others moved along with it."""
    lines = source.replace("\r\n", "\n").strip("\n").rstrip().split("\n")
    old = re.match(r"[ \t]*", lines[0])
    old_indent = old.group() if old else ""
    frozen = string_rows(parse("\n".join(lines).encode("utf-8", "surrogatepass")))
    return "\n".join(
        line if row in frozen or not line.strip() else indent + line.removeprefix(old_indent)
        for row, line in enumerate(lines)
    )
