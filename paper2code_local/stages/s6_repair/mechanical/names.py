"""Where a name stands in a function, and another text in its place.

In: syntax trees. Out: nodes, or new text. Must not know findings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

HOLDER = "config"
"""Who has the settings."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


def around(tree: ast.Module, line: int) -> list[Function]:
    """Return the functions that hold a line, the outermost first."""
    held = (n for n in ast.walk(tree) if isinstance(n, Function) and n.lineno <= line <= (n.end_lineno or n.lineno))
    return list(held)


def parameters(function: Function | ast.Lambda) -> set[str]:
    """Return the names of all parameters."""
    given = function.args
    several = (*given.posonlyargs, *given.args, *given.kwonlyargs)
    return {each.arg for each in (*several, given.vararg, given.kwarg) if each is not None}


def bound_unplainly(function: Function, name: str) -> bool:
    """Tell whether something in a function binds the name other than by assignment."""
    for node in ast.walk(function):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() if node is not function:
                if node.name == name:
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


def uses(node: ast.AST, name: str) -> Iterator[ast.AST]:
    """Yield where a name stands and means what is outside; a string that holds it comes as itself."""
    if isinstance(node, ast.Name) and node.id == name:
        yield node
    elif isinstance(node, ast.JoinedStr):  # places inside are not told reliably before Python 3.12
        if any(isinstance(inner, ast.Name) and inner.id == name for inner in ast.walk(node)):
            yield node
    elif isinstance(node, Function | ast.Lambda) and name in parameters(node):
        for default in (*node.args.defaults, *(each for each in node.args.kw_defaults if each)):
            yield from uses(default, name)
    else:
        for child in ast.iter_child_nodes(node):
            yield from uses(child, name)


def replaced(text: str, nodes: Iterable[ast.Name | ast.Attribute], new: str) -> str:
    """Return `text` with `new` where the nodes stand; of `self.x` where the `x` does."""
    rows = [row.encode() for row in text.split("\n")]
    for node in sorted(nodes, key=lambda n: (n.end_lineno or 0, n.end_col_offset or 0), reverse=True):
        line, end = (node.end_lineno or node.lineno) - 1, node.end_col_offset or 0
        begin = end - len(node.attr.encode()) if isinstance(node, ast.Attribute) else node.col_offset
        rows[line] = rows[line][:begin] + new.encode() + rows[line][end:]
    return "\n".join(row.decode() for row in rows)
