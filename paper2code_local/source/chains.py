"""Expressions as chains, and what small parts of a syntax tree say: questions that `usage` asks while it walks.

In: a node. Out: a chain, a literal, yes or no. Must not know scopes. Nothing here recurses without a bound.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from paper2code_local.source.scopes import CALL, Chain, Field

_LONGEST = 10
_VERSION = re.compile(r"\w*version_info|is_?py_?[23]\w*|py_?[23]\w*|python_?[23]|hexversion|six", re.IGNORECASE)
NAME, ATTRIBUTE, TYPE = 1, 2, 4
"""Flags: which errors are expected here."""
ALL = NAME | ATTRIBUTE | TYPE
_EXPECTED = {"NameError": NAME, "UnboundLocalError": NAME, "AttributeError": ATTRIBUTE, "TypeError": TYPE}
_BROAD = frozenset({"Exception", "BaseException", "StandardError", "RuntimeError"})
_RAISES = re.compile(r"\w*(raises|Raises|suppress)\w*|assert\w*Error\w*")
_COMPILED = re.compile(r"jit|kernel|triton|prim_func|taichi|macro", re.IGNORECASE)
_DATA = (ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr, ast.Compare)
_EXITS = frozenset({("sys", "exit"), ("exit",), ("quit",), ("os", "_exit")})


def chain_of(node: ast.expr) -> Chain | None:
    """Return an expression as a chain, or None; `super(A, self)` begins with "super:A"."""
    steps: list[str] = []
    while len(steps) < _LONGEST:
        if isinstance(node, ast.Name):
            steps.append(node.id)
            return tuple(reversed(steps))
        if isinstance(node, ast.Attribute):
            steps.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            steps.append(CALL)
            if isinstance(node.func, ast.Name) and node.func.id == "super" and node.args:
                first = node.args[0]
                steps.append(f"super:{first.id}" if isinstance(first, ast.Name) else "super:?")
                return tuple(reversed(steps))
            node = node.func
        else:
            break
    return None


def literal(node: ast.expr | None) -> str | tuple[str, ...] | None:
    """Return a string, or a list or tuple of strings; None for everything else."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.List | ast.Tuple):
        texts = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
        return tuple(texts) if len(texts) == len(node.elts) else None
    return None


def is_data(node: ast.expr) -> bool:
    """Tell whether an expression is evidently nothing that can be called: a literal, or a setting of `config`."""
    if isinstance(node, ast.Constant):
        return node.value is not None
    if isinstance(node, ast.Subscript):
        key = node.slice
        named = isinstance(node.value, ast.Name) and node.value.id == "config"
        return named and isinstance(key, ast.Constant) and isinstance(key.value, str)
    return isinstance(node, _DATA)


def argument(call: ast.Call, position: int, keyword: str = "") -> ast.expr | None:
    """Return an argument by position or keyword."""
    if position < len(call.args):
        return call.args[position]
    return next((k.value for k in call.keywords if k.arg == keyword), None)


def expected(handlers: Sequence[ast.ExceptHandler]) -> tuple[int, bool]:
    """Return which errors a `try` is written for, as flags, and whether it catches everything."""
    flags, broad = 0, False
    for handler in handlers:
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
        for kind in kinds:
            name = (chain_of(kind) or ("?",))[-1] if kind is not None else "Exception"
            flags |= _EXPECTED.get(name, 0)
            broad = broad or name in _BROAD
    return flags, broad


def raises(node: ast.expr) -> bool:
    """Tell whether an expression is a call that expects errors: `pytest.raises(…)`, `suppress(…)`."""
    chain = chain_of(node.func) if isinstance(node, ast.Call) else None
    return chain is not None and _RAISES.fullmatch(chain[-1]) is not None


def is_compiled(decorator: Chain | None) -> bool:
    """Tell whether a decorator may read the text of a function and run something else."""
    return any(_COMPILED.search(step) for step in decorator or ())


def is_doubtful(test: ast.expr) -> tuple[bool, bool]:
    """Tell whether the two branches below a test may never run: `if False`, `if PY2`, `if TYPE_CHECKING`."""
    if isinstance(test, ast.Constant):
        return not test.value, bool(test.value)
    for part in _parts(test):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        is_sys = isinstance(part, ast.Attribute) and name == "version"
        if is_sys or name == "TYPE_CHECKING" or _VERSION.fullmatch(name):
            return True, True
    return False, False


def _parts(node: ast.expr) -> Iterator[ast.AST]:
    """Yield the first 40 nodes of an expression."""
    found: list[ast.AST] = [node]
    for part in found:
        yield part
        if len(found) < 40:
            for name in part._fields:
                value = getattr(part, name, None)
                parts = value if isinstance(value, list) else (value,)
                found.extend(each for each in parts if isinstance(each, ast.AST))


def ends_block(statement: ast.stmt) -> bool:
    """Tell whether nothing after the statement runs."""
    if isinstance(statement, ast.Return | ast.Raise | ast.Break | ast.Continue):
        return True
    if not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Call):
        return False
    return chain_of(statement.value.func) in _EXITS


def is_hollow(body: Sequence[ast.stmt]) -> bool:
    """Tell whether a function only raises, passes or documents."""
    return all(
        isinstance(s, ast.Pass | ast.Raise) or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))
        for s in body
    )


def fields_of(body: Sequence[ast.stmt]) -> Iterator[Field]:
    """Yield the annotated names of a class body as fields; class variables are none."""
    keyword_only: bool | None = None
    for statement in body:
        if not isinstance(statement, ast.AnnAssign):
            if isinstance(statement, ast.If | ast.Try | ast.With | ast.For | ast.While) and any(
                isinstance(part, ast.AnnAssign) for part in ast.walk(statement)
            ):
                yield Field("", True, True, None, False)
            continue
        kind = _annotation(statement.annotation)
        if kind == "KW_ONLY":
            keyword_only = True
        elif isinstance(statement.target, ast.Name) and kind != "ClassVar":
            yield _field(statement.target.id, statement.value, keyword_only)


def _annotation(node: ast.expr) -> str:
    """Return the last name of an annotation, without what stands in brackets."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value.partition("[")[0].strip().rpartition(".")[2]
    return (chain_of(node.value if isinstance(node, ast.Subscript) else node) or ("",))[-1]


def _field(name: str, value: ast.expr | None, kw_only: bool | None) -> Field:
    if not isinstance(value, ast.Call):
        return Field(name, value is not None, True, kw_only, True)
    given = {k.arg: k.value for k in value.keywords}
    switches = {key: given.get(key) for key in ("init", "kw_only")}
    certain = (chain_of(value.func) or ("",))[-1] == "field" and None not in given and not value.args
    values = {key: node.value if isinstance(node, ast.Constant) else None for key, node in switches.items()}
    certain = certain and all(node is None or isinstance(values[key], bool) for key, node in switches.items())
    init = values["init"] is not False
    return Field(
        name,
        bool({"default", "default_factory"} & set(given)),
        init,
        values["kw_only"] if isinstance(values["kw_only"], bool) else kw_only,
        certain,
    )
