"""Functions that do nothing yet, or always the same; and whether a script does anything.

In: a function or a file. Out: why its body counts as empty. Must not know whether that is wrong: abstract
methods are hollow too.
"""

from __future__ import annotations

import ast
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


def opening_of(definition: str) -> tuple[str, str] | None:
    """Return what stands before the body of a function, decorators and docstring included, at no indentation, and the
    indentation of the body; None for text that is no function, or whose body shares a line with its signature."""
    text = textwrap.dedent(definition)
    try:
        (node,) = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    lines, first = text.split("\n"), node.body[0]
    indent = lines[first.lineno - 1][: first.col_offset]
    if indent.strip():
        return None
    documented = ast.get_docstring(node, clean=False) is not None
    end = (first.end_lineno or first.lineno) if documented else first.lineno - 1
    return "\n".join(lines[:end]) + "\n", indent


def function_only(opening: str, written: str, indent: str) -> str:
    """Cut what was written after `opening` where the function ends: models like to add an example of its use."""
    kept: list[str] = []
    for line in written.rstrip().split("\n"):
        if line.strip() and not line.startswith(indent) and kept and _parses(opening + "\n".join(kept)):
            break
        kept.append(line)
    return "\n".join(kept).rstrip()


def _parses(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


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


def constant_result(source_of_function: str) -> str | None:
    """Return the numbers that are all a function returns, as written; None when it does anything else."""
    try:
        (function,) = ast.parse(textwrap.dedent(source_of_function)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    *before, last = function.body
    documents = all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant) for s in before)
    if not documents or not isinstance(last, ast.Return) or last.value is None or not _is_number(last.value):
        return None
    return ast.unparse(last.value)[:60]


def _is_number(node: ast.expr, depth: int = 0) -> bool:
    """Tell whether an expression is a written number, or a collection of some."""
    if isinstance(node, ast.Tuple | ast.List):
        return bool(node.elts) and depth < 3 and all(_is_number(each, depth + 1) for each in node.elts)
    if isinstance(node, ast.Dict):
        return bool(node.values) and depth < 3 and all(_is_number(each, depth + 1) for each in node.values)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        return isinstance(node.func, ast.Name | ast.Attribute) and _is_number(node.args[0], 3) and not node.keywords
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def runs_main(text: str) -> bool:
    """Tell whether running a file calls anything: below `if __name__ == "__main__"`, or at its top level."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        is_script = isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)
        is_call = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
        if is_call or (is_script and any(isinstance(node, ast.Call) for node in ast.walk(statement))):
            return True
    return False
