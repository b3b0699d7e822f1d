"""Signatures and types as a model writes them → ones that compile and whose names are defined.

In: one line. Out: one line, or what takes its place. Must not know questions or files.
"""

from __future__ import annotations

import ast
import builtins
import re
from keyword import iskeyword

KNOWN_ROOTS = frozenset(
    {"torch", "nn", "np", "Any", "Callable", "Iterable", "Iterator", "Sequence", "Path", "DataLoader"}
)
"""Roots of type names that our opening lines can import."""
MODULES = frozenset({"torch", "nn", "np"})
"""Those of them that are no types by themselves."""
_DOTS = re.compile(r"(?P<ellipsis>(?<=[\[ ])\.\.\.(?=[\],]))|\.\.+|\.(?=[\],\s)])")
"""Dots that stand for an ellipsis, and those that only a grammar which allows dots in names has let through."""


def usable_signature(line: str, known: set[str] | frozenset[str]) -> str | None:
    """Return `line` as a signature that compiles and whose types are known; None when nothing can be made of it.

    Repeated parameters are dropped, and `self_` at the beginning of their names; a parameter without a default after
    one that has one gets None.
    """
    line = _DOTS.sub(lambda dots: dots["ellipsis"] or "", line)
    if "()" not in line:
        line = line.replace("(", "(*, ", 1)  # keyword-only parameters may have their defaults in any order
    try:
        tree = ast.parse(f"{line}: ...").body[0]
    except (SyntaxError, ValueError):
        return None
    if not isinstance(tree, ast.FunctionDef):
        return None
    parameters: dict[str, str] = {}
    defaulted = False
    for position, (argument, default) in enumerate(zip(tree.args.kwonlyargs, tree.args.kw_defaults, strict=True)):
        name = plain_name(argument.arg)
        if name in parameters or (name == "self" and (position or argument.annotation)):
            continue
        written = name
        if argument.annotation is not None:
            written += f": {known_type(ast.unparse(argument.annotation), known)}"
        defaulted = defaulted or default is not None
        if defaulted:
            written += f" = {ast.unparse(default)}" if default is not None else " = None"
        parameters[name] = written
    returns = known_type(ast.unparse(tree.returns), known) if tree.returns else "None"
    if tree.name == "__init__":
        returns = "None"
    signature = f"def {tree.name}({', '.join(parameters.values())}) -> {returns}"
    try:
        compile(f"{signature}: ...", "<signature>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # a keyword as a name
        return None
    return signature


def plain_name(name: str) -> str:
    """Return the name of a parameter or attribute without the `self_` that small models begin it with."""
    while name.startswith("self_") and name[5:].isidentifier() and not iskeyword(name[5:]):
        name = name[5:]
    return name


def known_type(written: str, known: set[str] | frozenset[str]) -> str:
    """Return the annotation `written`, or Any when a name in it is defined nowhere."""
    try:
        tree = ast.parse(written, mode="eval")
    except SyntaxError:
        return "Any"
    roots = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    defined = all(root in known or hasattr(builtins, root) for root in roots)
    return written if (roots or written == "None") and defined and written not in MODULES else "Any"
