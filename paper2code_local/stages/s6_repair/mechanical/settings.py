"""Names that are settings: read from the `config` that the function was given.

In: the texts of a repository, a finding whose name is a key of the settings. Out: a `Fix`, or None. Must not know the
gate.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import compile_error
from paper2code_local.stages.s6_repair.mechanical.fix import Fix
from paper2code_local.stages.s6_repair.mechanical.names import (
    HOLDER,
    Function,
    around,
    bound_unplainly,
    parameters,
    replaced,
    uses,
)


def from_settings(texts: Mapping[str, str], finding: Finding) -> Fix | None:
    """Read a setting by its key where a function that has `config` uses it as a name; all of its uses there."""
    (name,) = finding.about
    text = texts[finding.path]
    if compile_error(text, finding.path):
        return None
    for function in around(ast.parse(text), finding.line):
        if HOLDER not in parameters(function):
            continue
        if bound_unplainly(function, name) or _other_holder(function):
            return None
        found = [node for statement in function.body for node in uses(statement, name)]
        plain = [node for node in found if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
        if not found or len(plain) < len(found):
            return None
        what = f"`{name}` is read from the settings, as nothing else defines it."
        return Fix(finding.path, replaced(text, plain, f'{HOLDER}["{name}"]'), what)
    return None


def _other_holder(function: Function) -> bool:
    """Tell whether something inside a function has a `config` of its own."""
    inner = (node for node in ast.walk(function) if isinstance(node, Function | ast.Lambda) and node is not function)
    return any(HOLDER in parameters(node) for node in inner)
