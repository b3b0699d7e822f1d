"""Functions that do nothing yet.

In: a function. Out: why its body counts as empty. Must not know whether that is wrong: abstract
methods are hollow too.
"""

from __future__ import annotations

import re
import textwrap
from typing import Literal

from tree_sitter import Node

from paper2code_local.source.tree import definition_of, parse, statements, text_of

Hollow = Literal["empty", "pass", "placeholder"]

_TODO = re.compile(
    r"\b(TODO|FIXME|XXX|placeholder|implement\w*|your code|fill (this )?in|goes here|omitted)\b", re.IGNORECASE
)


def body_problem(source_of_function: str) -> Hollow | None:
    """Say why the first function in the text does nothing, or None when it does something.

    "empty": nothing, `...` or only a docstring; "pass": `pass`; "placeholder": `raise NotImplementedError`, or a
    to-do comment over `pass`, `...` or `return None`. Text without a function is "empty".
    """
    root = parse(textwrap.dedent(source_of_function).encode("utf-8", "replace"))
    for node, _ in statements(root):
        definition = definition_of(node)
        if definition is not None and definition.type == "function_definition":
            return hollow(definition)
    return "empty"


def hollow(function: Node) -> Hollow | None:
    """Say why a `function_definition` node does nothing, or None when it does something."""
    body = function.child_by_field_name("body")
    written = [child for child in body.named_children if child.type != "comment"] if body is not None else []
    kinds = {_kind(statement) for statement in written[:3]}
    if len(written) > 3 or "work" in kinds:
        return None
    if "raise" in kinds:
        return "placeholder"
    if (kinds & {"pass", "return"} or "empty" in kinds or not kinds) and _has_todo(text_of(function)):
        return "placeholder"
    if "return" in kinds:
        return None
    return "pass" if "pass" in kinds else "empty"


def _has_todo(text: str) -> bool:
    """Tell whether a comment says that something is still to be done."""
    return any(_TODO.search(line.partition("#")[2]) for line in text.split("\n"))


def _kind(statement: Node) -> Literal["pass", "empty", "return", "raise", "work"]:
    if statement.type == "pass_statement":
        return "pass"
    inner = statement.named_children
    if statement.type == "expression_statement" and len(inner) == 1 and inner[0].type in ("string", "ellipsis"):
        return "empty"
    if statement.type == "return_statement" and (not inner or inner[0].type == "none"):
        return "return"
    if statement.type == "raise_statement" and re.match(r"raise\s+NotImplementedError\b", text_of(statement)):
        return "raise"
    return "work"
