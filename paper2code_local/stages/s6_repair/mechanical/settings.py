"""Names that are settings: read from the `config` that the function was given.

In: the texts of a repository, a finding whose name is a key of the settings. Out: a `Fix`, or None. Must not know the
gate.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error
from paper2code_local.stages.s6_repair.mechanical.fix import Fix

HOLDER = "config"
Function = ast.FunctionDef | ast.AsyncFunctionDef


def from_settings(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Read a setting by its key where a function that has `config` uses it as a name; all of its uses there."""
    (name,) = finding.about
    text = texts[finding.path]
    if compile_error(text, finding.path):
        return None
    for function in _around(ast.parse(text), finding.line):
        if HOLDER not in _parameters(function):
            continue
        if _bound_inside(function, name):
            return None
        uses = [node for statement in function.body for node in _uses(statement, name)]
        plain = all(isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) for node in uses)
        if not uses or not plain:
            return None
        what = f"`{name}` is read from the settings, as nothing else defines it."
        return Fix(finding.path, _replaced(text, uses, f'{HOLDER}["{name}"]'), what)
    return None


def _bound_inside(function: Function, name: str) -> bool:
    """Tell whether something in a function binds the name, other than by assignment, or has a `config` of its own."""
    for node in ast.walk(function):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if node is not function:
                own = isinstance(node, Function) and HOLDER in _parameters(node)
                if node.name == name or own:
                    return True
            case ast.Lambda() if HOLDER in _parameters(node):
                return True
            case ast.alias(name=imported, asname=alias):
                if name in (alias, imported.partition(".")[0]):
                    return True
            case ast.ExceptHandler(name=bound) | ast.MatchAs(name=bound) | ast.MatchStar(name=bound):
                if bound == name:
                    return True
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                if name in names:
                    return True
    return False


def _around(tree: ast.Module, line: int) -> Iterator[Function]:
    """Return the functions that hold a line, the outermost first."""
    for node in ast.walk(tree):
        if isinstance(node, Function) and node.lineno <= line <= (node.end_lineno or node.lineno):
            yield node


def _parameters(function: Function | ast.Lambda) -> set[str]:
    given = function.args
    several = (*given.posonlyargs, *given.args, *given.kwonlyargs)
    return {each.arg for each in (*several, given.vararg, given.kwarg) if each is not None}


def _uses(node: ast.AST, name: str) -> Iterator[ast.AST]:
    """Return where a name stands and means what is outside; a string that holds it comes as itself."""
    if isinstance(node, ast.Name) and node.id == name:
        yield node
    elif isinstance(node, ast.JoinedStr):  # places inside are not told reliably before Python 3.12
        if any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node)):
            yield node
    elif isinstance(node, Function | ast.Lambda) and name in _parameters(node):
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            yield from _uses(default, name)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _uses(child, name)


def _replaced(text: str, nodes: list[ast.AST], new: str) -> str:
    rows = [row.encode() for row in text.split("\n")]
    for node in sorted(nodes, key=lambda n: (n.lineno, n.col_offset), reverse=True):  # type: ignore[attr-defined]
        assert isinstance(node, ast.Name)
        row = rows[node.lineno - 1]
        rows[node.lineno - 1] = row[: node.col_offset] + new.encode() + row[node.end_col_offset :]
    return "\n".join(row.decode() for row in rows)
