"""Python text to a tree-sitter tree, and the statements of that tree with where they stand.

In: source bytes. Out: nodes, in the order of the text. Must not know what anyone looks for in them.

Works on text that does not parse: what is broken becomes ERROR nodes, which are walked like blocks.
Nothing here recurses, so nesting costs memory and not the stack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

import tree_sitter_python
from tree_sitter import Language, Node, Parser

PYTHON = Language(tree_sitter_python.language())

_JOINED_LINES = re.compile(rb"(?:\\\r?\n[ \t]*){500}")
_NOT_UNDERSTOOD = b")"

DEFINITIONS = frozenset({"function_definition", "class_definition"})
_CONTAINERS = frozenset({"module", "block", "ERROR"})
_SIMPLE = frozenset(
    {"expression_statement", "return_statement", "import_statement", "import_from_statement", "assert_statement"}
    | {"raise_statement", "pass_statement", "delete_statement", "comment", "string", "identifier"}
)
"""Nothing below these is a statement."""
_CLAUSES = frozenset(
    {"elif_clause", "else_clause", "except_clause", "except_group_clause", "finally_clause", "case_clause"}
)
_CATCHES_IMPORT = re.compile(rb"ImportError|ModuleNotFoundError|Exception|suppress|raises")
_FOR_TYPES = re.compile(rb"^\(?\s*(\w+\.)*TYPE_CHECKING\b")
_AS_SCRIPT = re.compile(rb"__name__\s*==\s*[\"']__main__[\"']|[\"']__main__[\"']\s*==\s*__name__")


class Where(NamedTuple):
    """Where a statement stands."""

    scope: tuple[str, ...] = ()
    """Names of the enclosing definitions, outermost first."""
    inside: Literal["module", "class", "function"] = "module"
    """"function" for everything below a function, classes in functions included."""
    guarded: bool = False
    """Below an `if`, or a `try` or `with` that expects a failing import: may not run, may fail in peace."""
    for_types: bool = False
    """Below `if TYPE_CHECKING`."""
    as_script: bool = False
    """Below `if __name__ == "__main__"`."""


def parse(data: bytes) -> Node:
    """Parse UTF-8 source and return the module node; never fails.

    A text with hundreds of joined lines in a row counts as not understood: they cost the scanner quadratic time.
    """
    if _JOINED_LINES.search(data):
        data = _NOT_UNDERSTOOD
    return Parser(PYTHON).parse(data).root_node


def text_of(node: Node) -> str:
    """Return the source text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def statements(root: Node) -> Iterator[tuple[Node, Where]]:
    """Yield every statement and clause below `root` in the order of the text; a decorated definition comes once."""
    stack = [(root, Where())]
    while stack:
        node, where = stack.pop()
        kind = node.type
        if kind not in _CONTAINERS:
            yield node, where
        if kind not in _SIMPLE:
            stack.extend(reversed(list(_below(node, where))))


def definition_of(node: Node) -> Node | None:
    """Return the function or class that a statement defines, without its decorators; None for other statements."""
    if node.type == "decorated_definition":
        node = node.child_by_field_name("definition") or node
    return node if node.type in DEFINITIONS else None


def name_of(node: Node) -> str:
    """Return the `name` field of a definition; "" when it is missing."""
    name = node.child_by_field_name("name")
    return text_of(name) if name is not None else ""


def string_rows(root: Node) -> frozenset[int]:
    """Return the 0-based rows that begin inside a string, docstrings excepted: their indentation is data."""
    rows: set[int] = set()
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type == "string" and node.end_point[0] > node.start_point[0] and not _is_docstring(node):
            rows.update(range(node.start_point[0] + 1, node.end_point[0] + 1))
        stack.extend(node.children)
    return frozenset(rows)


def _is_docstring(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "expression_statement" and parent.child_count == 1


def _below(node: Node, where: Where) -> Iterator[tuple[Node, Where]]:
    """Yield the statements, blocks and clauses directly below a node, each with its place."""
    kind = node.type
    if kind in _CONTAINERS:
        for child in node.named_children:
            yield child, where
        return
    definition = definition_of(node)
    if definition is not None:
        where, node = _in_definition(definition, where), definition
    elif kind in ("with_statement", "match_statement", "case_clause", "try_statement"):
        where = where._replace(guarded=where.guarded or _guards(node))
    for child in node.named_children:
        if child.type == "block":
            yield child, _in_branch(node, where)
        elif child.type in _CLAUSES:
            yield child, where._replace(guarded=True) if child.type != "finally_clause" else where


def _in_definition(node: Node, where: Where) -> Where:
    function = node.type == "function_definition" or where.inside == "function"
    return where._replace(scope=(*where.scope, name_of(node)), inside="function" if function else "class")


def _in_branch(node: Node, where: Where) -> Where:
    """Return the place of the block under an `if` or `elif`; elsewhere a block stands where its statement does."""
    if node.type not in ("if_statement", "elif_clause"):
        return where
    condition = node.child_by_field_name("condition")
    text = (condition.text or b"") if condition is not None else b""
    if _AS_SCRIPT.search(text) and node.type == "if_statement":
        return where._replace(as_script=True)
    return where._replace(guarded=True, for_types=where.for_types or bool(_FOR_TYPES.match(text)))


def _guards(node: Node) -> bool:
    """Tell whether a statement may swallow a failing import, or may not run all of its blocks."""
    if node.type == "match_statement" or node.type == "case_clause":
        return True
    if node.type == "with_statement":
        header = next((c for c in node.named_children if c.type == "with_clause"), None)
        return header is not None and bool(_CATCHES_IMPORT.search(header.text or b""))
    for clause in node.named_children:
        if clause.type in ("except_clause", "except_group_clause"):
            caught = [c for c in clause.named_children if c.type not in ("block", "comment")]
            if not caught or any(_CATCHES_IMPORT.search(c.text or b"") for c in caught):
                return True
    return False
