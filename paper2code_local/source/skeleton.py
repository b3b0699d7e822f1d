"""A file without its function bodies.

In: source text. Out: the same text where each function's body is its docstring and `...`. Must not know who reads it.
"""

from __future__ import annotations

from tree_sitter import Node

from paper2code_local.source.problem import compile_error
from paper2code_local.source.tree import definition_of, parse, statements


def skeleton(text: str) -> str:
    """Replace every function body by its docstring and `...`; imports, classes, signatures and decorators stay.

    The result compiles if `text` does: should tree-sitter misread a valid file, the file is returned as it is.
    """
    data = text.encode("utf-8", "replace")
    root = parse(data)
    pieces: list[bytes] = []
    position = 0
    for node, where in statements(root):
        function = definition_of(node)
        body = function.child_by_field_name("body") if function is not None else None
        if function is None or body is None or function.type != "function_definition" or where.inside == "function":
            continue
        pieces += (data[position : body.start_byte], _hollowed(data, body))
        position = body.end_byte
    result = b"".join((*pieces, data[position:])).decode("utf-8", "replace")
    if root.has_error and compile_error(result, "") is not None and compile_error(text, "") is None:
        return text
    return result


def _hollowed(data: bytes, body: Node) -> bytes:
    """Return the docstring of a body and `...`, on the lines and with the indentation that the body has."""
    first = next((child for child in body.named_children if child.type != "comment"), None)
    if first is None or first.type != "expression_statement" or not first.named_children:
        return b"..."
    if first.named_children[0].type not in ("string", "concatenated_string") or len(first.named_children) > 1:
        return b"..."
    line_start = data.rfind(b"\n", 0, body.start_byte) + 1
    before = data[line_start : body.start_byte]
    newline = b"\r\n" if data[:line_start].endswith(b"\r\n") else b"\n"
    separator = newline + before if not before.strip() else b"; "
    return data[body.start_byte : first.end_byte] + separator + b"..."
