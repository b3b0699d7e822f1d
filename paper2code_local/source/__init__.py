"""Python text, read but never run: what it imports and defines, how it uses names, whether it compiles,
and how to change one function.

In: source text. Out: frozen facts or new text. Must not know of models, findings or any file but the one it is given.
"""

from paper2code_local.source.blocks import Block, Seen, blocks
from paper2code_local.source.bodies import Hollow, body_problem, constant_result, function_only, opening_of, runs_main
from paper2code_local.source.chains import chain_of
from paper2code_local.source.customs import KNOWN_PACKAGES, known_import
from paper2code_local.source.lint import undefined_names, unused_imports
from paper2code_local.source.outline import Definition, Import, Outline, outline
from paper2code_local.source.problem import Problem, compile_error
from paper2code_local.source.scopes import CALL, Binding, Call, Chain, Class, Field, Function, Place, Scope, Usage
from paper2code_local.source.shapes import Arguments, Mismatch, Signature, mismatch, signature
from paper2code_local.source.skeleton import skeleton
from paper2code_local.source.units import definition_text, replace_unit, unit_at
from paper2code_local.source.usage import usage

__all__ = [
    "CALL",
    "KNOWN_PACKAGES",
    "Arguments",
    "Binding",
    "Block",
    "Call",
    "Chain",
    "Class",
    "Definition",
    "Field",
    "Function",
    "Hollow",
    "Import",
    "Mismatch",
    "Outline",
    "Place",
    "Problem",
    "Scope",
    "Seen",
    "Signature",
    "Usage",
    "blocks",
    "body_problem",
    "chain_of",
    "compile_error",
    "constant_result",
    "definition_text",
    "function_only",
    "known_import",
    "mismatch",
    "opening_of",
    "outline",
    "replace_unit",
    "runs_main",
    "signature",
    "skeleton",
    "undefined_names",
    "unit_at",
    "unused_imports",
    "usage",
]
