"""An attribute that the constructor was given and did not keep, or that is a setting.

In: the texts of a repository, a finding of an attribute that `self` does not have, the settings that there are. Out: a
`Fix`, or None. Must not know the gate.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.names import HOLDER, Function, parameters


def kept_by_constructor(texts: Mapping[str, str], finding: Finding, settings: frozenset[str]) -> Fix | None:
    """Let the constructor assign the attribute: from its parameter of that name, or from the `config` it is given."""
    text, (owner, name) = texts[finding.path], finding.about
    if owner != "self" or compile_error(text, finding.path):
        return None
    constructor = _constructor(ast.parse(text), finding.line)
    if constructor is None or not constructor.args.args or constructor.args.args[0].arg != "self":
        return None
    given = parameters(constructor)
    if name in given:
        value, why = name, "is its parameter"
    elif name in settings and HOLDER in given:
        value, why = f'{HOLDER}["{name}"]', "is a setting"
    else:
        return None
    first = constructor.body[0]
    after = [statement for statement in constructor.body[:3] if _is_opening(statement)]
    at = (after[-1].end_lineno or 0) if after else first.lineno - 1
    if first.lineno == constructor.lineno or (after and after[-1].end_lineno == constructor.lineno):
        return None  # all of it on one line
    rows = text.split("\n")
    rows.insert(at, " " * first.col_offset + f"self.{name} = {value}")
    return Fix(finding.path, "\n".join(rows), f"The constructor keeps `self.{name}`, which {why}.")


def _constructor(tree: ast.Module, line: int) -> Function | None:
    """Return the constructor of the innermost class that holds a line."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.lineno <= line <= (node.end_lineno or node.lineno):
            own = [each for each in node.body if isinstance(each, Function) and each.name == "__init__"]
            found = own[0] if len(own) == 1 else None
    return found


def _is_opening(statement: ast.stmt) -> bool:
    """Tell whether a statement is a docstring or the call of the base's constructor: `self` must not be set before."""
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Attribute) and value.func.attr == "__init__"
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
