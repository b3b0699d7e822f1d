"""What hides another thing of its name: `data = data.load()`, where `data` is imported; an attribute and a method.

In: the texts of a repository, a finding of a name that is read before its function binds it, or of an attribute of
`self`. Out: a `Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.names import around, bound_unplainly, replaced, uses


def another_name(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Give the variable another name from its first assignment on, where what it hides is a name of the module."""
    text, name = texts[finding.path], finding.about[0]
    if len(finding.about) != 1 or compile_error(text, finding.path):
        return None
    tree = ast.parse(text)
    functions = around(tree, finding.line)
    if not functions or name not in _names_of(tree) or bound_unplainly(functions[-1], name):
        return None
    found = [node for statement in functions[-1].body for node in uses(statement, name)]
    places = [node for node in found if isinstance(node, ast.Name)]
    first = _first_assignment(functions[-1], name)
    if first is None or len(places) < len(found):
        return None
    early = {id(node) for node in ast.walk(first.value)}
    after = [n for n in places if id(n) not in early and (n.lineno, n.col_offset) >= (first.lineno, first.col_offset)]
    new = _free(text, name)
    what = f"The variable `{name}` of `{functions[-1].name}` is called `{new}`: it hid what it is made of."
    return Fix(finding.path, replaced(text, after, new), what)


def beside_method(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Give an attribute that hides a method another name, wherever its class uses it and does not call it."""
    text, name = texts[finding.path], finding.about[-1]
    if compile_error(text, finding.path):
        return None
    classes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef)]
    held = [cls for cls in classes if cls.lineno <= finding.line <= (cls.end_lineno or cls.lineno)]
    if not held or any(isinstance(n, ast.JoinedStr) and _attributes(n, name) for n in ast.walk(held[-1])):
        return None  # places inside are not told reliably before Python 3.12
    called = {id(n.func) for n in ast.walk(held[-1]) if isinstance(n, ast.Call)}
    places = [n for n in _attributes(held[-1], name) if id(n) not in called]
    new = _free(text, name)
    what = f"The attribute `{name}` of `{held[-1].name}` is called `{new}`: it hid the method."
    return Fix(finding.path, replaced(text, places, new), what)


def _attributes(node: ast.AST, name: str) -> list[ast.Attribute]:
    """Return where `self` and the attribute of that name stand."""
    found = (n for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr == name)
    return [n for n in found if isinstance(n.value, ast.Name) and n.value.id == "self"]


def _free(text: str, name: str) -> str:
    """Return a name that the text does not have."""
    new = f"{name}_"
    while re.search(rf"\b{new}\b", text):
        new += "_"
    return new


def _names_of(tree: ast.Module) -> set[str]:
    """Return what the statements of a module import and define."""
    return set(_bound(tree.body))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def _first_assignment(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.Assign | None:
    """Return the assignment that is the first to bind a name, if it binds nothing else and reads it."""
    stores = [
        n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)
    ]
    first = min(stores, key=lambda n: (n.lineno, n.col_offset), default=None)
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and node.targets[0] is first:
            reads = any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(node.value))
            return node if reads else None
    return None
