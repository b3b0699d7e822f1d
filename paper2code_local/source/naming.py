"""The first half of the walk of `usage`: what names and attributes are bound and read.

In: nodes and where they stand. Out: bindings and reads, gathered. Must not know control flow, definitions or calls.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Literal, NamedTuple

from paper2code_local.source.chains import ATTRIBUTE, NAME, chain_of, ends_block, is_data, literal
from paper2code_local.source.outline import Import
from paper2code_local.source.scopes import Binding, Call, Chain, Place, Scope
from paper2code_local.source.shapes import arguments_of

_READS_OF_A_DICT = frozenset({"get", "keys", "items", "values", "copy", "__getitem__"})


class Here(NamedTuple):
    """Where the walk is."""

    scope: Scope
    expects: int = 0
    """Flags of the errors that are expected here."""
    doubtful: bool = False
    """May never run, or may fail in peace."""


class Naming:
    """What has been met so far, and what is still to be walked."""

    def __init__(self, lazy: bool) -> None:
        """`lazy`: annotations are never evaluated."""
        self.lazy = lazy
        self.module = Scope("module", None)
        self.scopes = [self.module]
        self.calls: list[Call] = []
        self.call_nodes: list[ast.Call] = []
        self.reads: dict[tuple[Scope, Chain], Place] = {}
        self.stores: list[tuple[Scope, Chain | None, str, Binding]] = []
        self.opened: list[tuple[Scope, Chain | None, bool]] = []
        """Object that gets attributes by name; whether it certainly does."""
        self.probed: set[str] = set()
        self.declared: set[str] = set()
        """Declared `global` somewhere: bound from elsewhere, if not here."""
        self.stars = False
        self.whole_namespace = 0
        """Calls of `globals()`, `vars()` and `locals()` that do more than read."""
        self.stack: list[tuple[ast.AST, Here]] = []

    def push(self, node: ast.AST | None, here: Here) -> None:
        if node is not None:
            self.stack.append((node, here))

    def push_all(self, nodes: Sequence[ast.AST | None], here: Here) -> None:
        self.stack.extend((node, here) for node in reversed(nodes) if node is not None)

    def block(self, body: Sequence[ast.stmt], here: Here) -> None:
        """Push statements; those after a `return` are doubtful."""
        if not here.doubtful:
            end = next((n for n, s in enumerate(body) if ends_block(s)), len(body)) + 1
            self.push_all(body[end:], here._replace(doubtful=True))
            body = body[:end]
        self.push_all(body, here)

    def others(self, node: ast.AST, here: Here) -> None:
        stack = self.stack
        before = len(stack)
        for name in node._fields:
            value = getattr(node, name)
            if isinstance(value, ast.AST):
                if value._fields:
                    stack.append((value, here))
            elif isinstance(value, list):
                stack.extend((each, here) for each in value if isinstance(each, ast.AST))
        if len(stack) - before > 1:
            stack[before:] = reversed(stack[before:])

    def nothing(self, node: ast.AST, here: Here) -> None:
        """Constants and the like say nothing."""

    def bind(self, name: str, here: Here, binding: Binding) -> None:
        scope = here.scope
        if name in scope.module_names:
            scope = self.module
        scope.bindings.setdefault(name, []).append(binding)

    def name(self, node: ast.Name, here: Here) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(node.id, here, Binding("other", node.lineno, here.scope))
        elif not here.expects & NAME:
            loads = here.scope.loads
            old = loads.get(node.id)
            if old is None or (old.doubtful and not here.doubtful):
                loads[node.id] = Place(node.lineno, here.doubtful)

    def attribute(self, node: ast.Attribute, here: Here) -> None:
        chain = chain_of(node)
        inner: ast.expr = node.value
        if not isinstance(node.ctx, ast.Load):
            self.store(node, here, Binding("other", node.lineno, here.scope))
            self.push(inner, here)
            return
        if chain is not None:
            if not here.expects & ATTRIBUTE:
                old = self.reads.get((here.scope, chain))
                if old is None or (old.doubtful and not here.doubtful):
                    self.reads[here.scope, chain] = Place(node.lineno, here.doubtful)
            if "__dict__" in chain:
                self.opened.append((here.scope, chain[: chain.index("__dict__")] or None, chain[-1] == "update"))
            if node.attr in _READS_OF_A_DICT and isinstance(inner, ast.Call):
                self.whole_namespace -= self.is_namespace(inner, here)
        while isinstance(inner, ast.Attribute):
            inner = inner.value
        self.push(inner, here)

    def is_namespace(self, call: ast.Call, here: Here) -> bool:
        """Tell whether a call is `globals()`, or a `vars()` or `locals()` that is not a function's own."""
        if not isinstance(call.func, ast.Name) or call.args:
            return False
        local = here.scope.kind in ("function", "comprehension")
        return call.func.id == "globals" or (call.func.id in ("vars", "locals") and not local)

    def store(self, target: ast.Attribute, here: Here, binding: Binding) -> None:
        self.stores.append((here.scope, chain_of(target.value), target.attr, binding))
        if target.attr in ("__class__", "__dict__"):
            self.opened.append((here.scope, chain_of(target.value), True))

    def subscript(self, node: ast.Subscript, here: Here) -> None:
        value = node.value
        if isinstance(value, ast.Call) and isinstance(node.ctx, ast.Load):
            self.whole_namespace -= self.is_namespace(value, here)
        if not isinstance(node.ctx, ast.Load) and isinstance(value, ast.Attribute) and value.attr == "__dict__":
            self.opened.append((here.scope, chain_of(value.value), True))
        self.push_all((node.value, node.slice), here)

    def compare(self, node: ast.Compare, here: Here) -> None:
        for operator, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operator, ast.In | ast.NotIn) and isinstance(right, ast.Call):
                self.whole_namespace -= self.is_namespace(right, here)
                left = literal(node.left)
                self.probed.update([left] if isinstance(left, str) else ())
        self.push_all((node.left, *node.comparators), here)

    def assign(self, node: ast.Assign, here: Here) -> None:
        chain = chain_of(node.value)
        call = None
        if isinstance(node.value, ast.Call) and chain is not None and chain[-2] == "namedtuple":
            call = self.shape(node.value, here, chain[:-1])
        for target in node.targets:
            binding = Binding(_kind(node.value, chain), node.lineno, here.scope, chain, call=call)
            if isinstance(target, ast.Name):
                self.bind(target.id, here, binding)
            elif isinstance(target, ast.Attribute):
                self.store(target, here, binding)
                self.push(target.value, here)
            else:
                self.push(target, here)
        if here.scope.kind == "class" and here.scope.cls is not None and "__slots__" in _names(node.targets):
            self.slots(node.value, here)
        self.push(node.value, here)

    def slots(self, value: ast.expr, here: Here) -> None:
        names = literal(value)
        if here.scope.cls is not None and names is None:
            here.scope.cls.dynamic = True
        for name in (names,) if isinstance(names, str) else names or ():
            self.bind(name, here, Binding("other", value.lineno, here.scope))

    def annassign(self, node: ast.AnnAssign, here: Here) -> None:
        chain = chain_of(node.value) if node.value is not None else None
        binding = Binding(_kind(node.value, chain), node.lineno, here.scope, chain)
        if isinstance(node.target, ast.Name):
            self.bind(node.target.id, here, binding)
        elif isinstance(node.target, ast.Attribute):
            self.store(node.target, here, binding)
            self.push(node.target.value, here)
        else:
            self.push(node.target, here)
        never = self.lazy or here.scope.kind not in ("module", "class")
        self.push(node.annotation, here._replace(doubtful=True) if never else here)
        self.push(node.value, here)

    def walrus(self, node: ast.NamedExpr, here: Here) -> None:
        scope = here.scope
        while scope.kind == "comprehension" and scope.parent is not None:
            scope = scope.parent
        chain = chain_of(node.value)
        binding = Binding("value" if chain else "other", node.lineno, here.scope, chain)
        self.bind(node.target.id, here._replace(scope=scope), binding)
        self.push(node.value, here)

    def global_(self, node: ast.Global, here: Here) -> None:
        here.scope.module_names.update(node.names)
        self.declared.update(node.names)

    def nonlocal_(self, node: ast.Nonlocal, here: Here) -> None:
        """Let what the function assigns count in each function around it: one of them is meant."""
        scope: Scope | None = here.scope
        while scope is not None and scope.parent is not None:
            for name in node.names:
                scope.bindings.setdefault(name, []).append(Binding("other", node.lineno, scope))
            scope = scope.parent

    def import_(self, node: ast.Import, here: Here) -> None:
        for alias in node.names:
            imported = _import(alias.name, 0, (), alias.asname, node.lineno)
            self.bind(imported.bound()[0], here, Binding("import", node.lineno, here.scope, imported=imported))

    def import_from(self, node: ast.ImportFrom, here: Here) -> None:
        for alias in node.names:
            if alias.name == "*":
                self.stars = True
                continue
            imported = _import(node.module or "", node.level, ((alias.name, alias.asname),), None, node.lineno)
            binding = Binding("import", node.lineno, here.scope, imported=imported, name=alias.name)
            self.bind(alias.asname or alias.name, here, binding)

    def captured(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping, here: Here) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        if name is not None:
            self.bind(name, here, Binding("other", node.lineno, here.scope))
        self.others(node, here)

    def shape(self, node: ast.Call, here: Here, chain: Chain) -> Call:
        """Return a call of what `chain` names as data."""
        partial = chain_of(node.args[0]) if chain[-1] in ("partial", "partialmethod") and node.args else None
        literals = tuple(literal(a) for a in node.args) if chain[-1] == "namedtuple" else ()
        place = Place(node.lineno, here.doubtful)
        return Call(chain, arguments_of(node, 1 if partial else 0), here.scope, place, literals, partial)


def _kind(value: ast.expr | None, chain: Chain | None) -> Literal["value", "data", "other"]:
    if chain:
        return "value"
    return "data" if value is not None and is_data(value) else "other"


def _names(targets: Sequence[ast.expr]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _import(
    module: str, level: int, names: tuple[tuple[str, str | None], ...], asname: str | None, line: int
) -> Import:
    return Import(module, level, names, asname, False, line, False, False, False)
