"""The names that one statement binds in its scope.

In: a tree-sitter node. Out: names. Must not know in which scope the statement stands, nor who asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from paper2code_local.source.tree import DEFINITIONS, name_of, text_of

_NESTED = frozenset(
    {"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "tuple", "list", "list_splat"}
    | {"parenthesized_expression", "expression_list"}
)
_OWN_SCOPE = DEFINITIONS | {"lambda", "block", "decorated_definition"}


def bound_names(node: Node) -> Iterator[str]:
    """Yield the names that a statement or clause binds, its blocks left out; imports and `del` are not looked at."""
    kind = node.type
    if kind in DEFINITIONS:
        yield name_of(node)
    elif kind == "decorated_definition":
        inner = node.child_by_field_name("definition")
        if inner is not None:
            yield name_of(inner)
    elif kind == "expression_statement":
        for child in node.named_children:
            yield from _assigned(child)
    elif kind == "for_statement":
        yield from targets(node.child_by_field_name("left"))
    elif kind in ("with_statement", "except_clause", "except_group_clause"):
        yield from _aliases(node)
    elif kind == "case_clause":
        yield from _captures(node)
    elif kind == "type_alias_statement":
        yield from _first_identifier(node)


def walrus_names(node: Node) -> Iterator[str]:
    """Yield the names that `:=` binds in the expressions of a statement (comprehensions included, lambdas not)."""
    stack = list(node.named_children) if node.type not in _OWN_SCOPE else []
    while stack:
        part = stack.pop()
        if part.type in _OWN_SCOPE or (part.type.endswith("_clause") and part.type not in _COMPREHENSION):
            continue
        if part.type == "named_expression":
            yield from targets(part.child_by_field_name("name"))
        stack.extend(part.named_children)


_COMPREHENSION = frozenset({"for_in_clause", "if_clause", "with_clause"})


def targets(node: Node | None) -> Iterator[str]:
    """Yield the plain names of an assignment target; attributes and subscripts bind nothing here."""
    stack = [node] if node is not None else []
    while stack:
        part = stack.pop()
        if part.type == "identifier":
            yield text_of(part)
        elif part.type in _NESTED:
            stack.extend(reversed(part.named_children))


def _assigned(node: Node) -> Iterator[str]:
    """Yield the names of `a = b = …`, `a: int`, `a += 1`."""
    part: Node | None = node
    while part is not None and part.type in ("assignment", "augmented_assignment"):
        yield from targets(part.child_by_field_name("left"))
        part = part.child_by_field_name("right")


def _aliases(node: Node) -> Iterator[str]:
    """Yield the names after `as` in a `with` or `except` header."""
    stack = [c for c in node.named_children if c.type != "block"]
    while stack:
        part = stack.pop()
        if part.type == "as_pattern_target":
            for child in part.named_children:
                yield from targets(child)
        elif part.type in ("with_clause", "with_item", "as_pattern", "tuple", "parenthesized_expression"):
            stack.extend(part.named_children)


def _captures(node: Node) -> Iterator[str]:
    """Yield the names in the patterns of a `case`: more than it binds (class names), never fewer."""
    stack = [c for c in node.named_children if c.type not in ("block", "if_clause")]
    while stack:
        part = stack.pop()
        if part.type == "identifier":
            yield text_of(part)
        stack.extend(part.named_children)


def _first_identifier(node: Node) -> Iterator[str]:
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type == "identifier":
            yield text_of(part)
            return
        stack.extend(reversed(part.named_children))
