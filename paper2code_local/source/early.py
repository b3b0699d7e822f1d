"""What is read too early: names before anything binds them, attributes of `self` before the constructor sets them.

In: the syntax tree of a file and its classes. Out: reads that cannot succeed. Must not know other files, nor what is
reported.

A walk in the order of evaluation, without recursion. Whatever may have been bound counts as bound: either branch of an
`if`, a `try` that fails half-way, and in a loop what the round before it bound. What is left fails when it is reached.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from paper2code_local.source.chains import (
    ATTRIBUTE,
    NAME,
    chain_of,
    ends_block,
    expected,
    is_compiled,
    is_doubtful,
    raises,
)
from paper2code_local.source.scopes import Class, Early


@dataclass(slots=True, eq=False)
class _Scope:
    """What was bound and read so far in a function or module."""

    of_module: bool
    elsewhere: frozenset[str]
    """Names that are parameters, or that other scopes bind as well."""
    constructs: Class | None = None
    """Of a constructor: the class."""
    myself: str = ""
    """Of a constructor: its first parameter. Attributes of it are treated as names with a dot."""
    opened: bool = False
    """Somebody else has had hold of `self`, and may have set anything."""
    after_super: bool = False
    bound: set[str] = field(default_factory=set)
    early: dict[str, tuple[Early, int]] = field(default_factory=dict)
    """Name → its first read, and the outermost loop around it."""


class _Here(NamedTuple):
    scope: _Scope
    loop: int = 0
    """The outermost loop of the scope around this place, 0 for none."""
    hidden: frozenset[str] = frozenset()
    """Bound by a class body around this place."""
    quiet: bool = False
    """May never run, or may fail in peace."""
    cls: Class | None = None
    """The class whose body this is."""


class _Bound(NamedTuple):
    """Stands on the stack where a name is bound by something that is no `ast.Name`."""

    name: str


class _Opened(NamedTuple):
    """Stands on the stack where anything may happen to `self`."""


_Item = ast.AST | _Bound | _Opened | None


def read_early(tree: ast.Module, classes: Iterable[Class]) -> tuple[Early, ...]:
    """Return the names that functions and the module read before they can be bound; tell each class of its attributes.

    `classes` are those that reading the tree has found; `Class.early` of them is set.
    """
    walk = _Walk(tree, {(cls.line, cls.name): cls for cls in classes})
    walk.run(tree)
    return tuple(walk.found)


class _Walk:
    def __init__(self, tree: ast.Module, classes: Mapping[tuple[int, str], Class]) -> None:
        shared = [n for n in ast.walk(tree) if isinstance(n, ast.Global | ast.Nonlocal)]
        self.nonlocals = frozenset(name for n in shared if isinstance(n, ast.Nonlocal) for name in n.names)
        self.globals = frozenset(name for n in shared if isinstance(n, ast.Global) for name in n.names)
        self.classes = classes
        self.found: list[Early] = []
        self.stack: list[tuple[_Item, _Here]] = []
        self.later: list[tuple[Sequence[ast.stmt], _Here]] = []
        """Bodies of functions."""
        self.loops = 0

    def run(self, tree: ast.Module) -> None:
        """Walk the whole file, one scope after the other."""
        handlers: dict[type, Callable[[Any, _Here], None]] = {k: getattr(self, n) for k, n in _HANDLERS.items()}
        module = _Scope(True, self.nonlocals | self.globals)
        self.later.append((tree.body, _Here(module)))
        while self.later:
            body, here = self.later.pop()
            self.block(body, here)
            while self.stack:
                node, place = self.stack.pop()
                handlers.get(type(node), self.others)(node, place)
            self.end(here.scope)

    def end(self, scope: _Scope) -> None:
        """Sort out what the scope binds at all."""
        for name, (read, _) in scope.early.items():
            if "." not in name:
                self.found += [read] if name in scope.bound else ()
            elif scope.constructs is not None:
                scope.constructs.early += (read._replace(name=name.partition(".")[2]),)

    def push(self, here: _Here, *items: _Item) -> None:
        """Put items on the stack so that the first comes first."""
        self.stack.extend((item, here) for item in reversed(items) if item is not None)

    def block(self, body: Sequence[ast.stmt], here: _Here) -> None:
        end = next((n for n, s in enumerate(body) if ends_block(s)), len(body)) + 1
        self.push(here._replace(quiet=True), *body[end:])
        self.push(here, *body[:end])

    def others(self, node: ast.AST, here: _Here) -> None:
        for name in reversed(node._fields):
            value = getattr(node, name)
            if isinstance(value, list):
                if name == "body":
                    self.block(value, here)
                else:
                    self.push(here, *(each for each in value if isinstance(each, ast.AST)))
            elif isinstance(value, ast.AST):
                self.stack.append((value, here))

    def nothing(self, node: ast.AST, here: _Here) -> None:
        """What neither binds nor reads."""

    def global_(self, node: ast.Global, here: _Here) -> None:
        here.scope.elsewhere |= frozenset(node.names)  # Python has it that this stands before any use

    def bind(self, name: str, here: _Here) -> None:
        scope = here.scope
        if name in here.hidden:
            return
        scope.bound.add(name)
        if here.loop and name in scope.early and scope.early[name][1] == here.loop:
            del scope.early[name]  # the round before may have bound it

    def read(self, name: str, line: int, here: _Here) -> None:
        scope = here.scope
        known = name in scope.bound or name in scope.elsewhere or name in here.hidden
        if not (here.quiet or known or name in scope.early):
            scope.early[name] = Early(name, line, scope.of_module, scope.after_super), here.loop

    def name(self, node: ast.Name, here: _Here) -> None:
        if isinstance(node.ctx, ast.Store):
            self.bind(node.id, here)
        elif isinstance(node.ctx, ast.Load):
            self.read(node.id, node.lineno, here)
            if node.id == here.scope.myself:
                here.scope.opened = True
            elif node.id == "super":
                here.scope.after_super = True

    def bound(self, item: _Bound, here: _Here) -> None:
        self.bind(item.name, here)

    def opened(self, _item: _Opened, here: _Here) -> None:
        here.scope.opened = True

    def attribute(self, node: ast.Attribute, here: _Here) -> None:
        scope = here.scope
        if not (scope.myself and isinstance(node.value, ast.Name) and node.value.id == scope.myself):
            self.push(here, node.value)
        elif node.attr.startswith("__"):
            scope.opened = True
        elif isinstance(node.ctx, ast.Store):
            self.bind(f"{scope.myself}.{node.attr}", here)
        elif isinstance(node.ctx, ast.Load) and not scope.opened:
            self.read(f"{scope.myself}.{node.attr}", node.lineno, here)

    def call(self, node: ast.Call, here: _Here) -> None:
        function = node.func
        own = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name)
        mine = own and function.value.id == here.scope.myself  # type: ignore[attr-defined]
        inner = here._replace(quiet=True) if raises(node) else here
        self.push(here, _Opened() if mine else None)
        self.push(inner, *node.args, *(keyword.value for keyword in node.keywords))
        self.push(here, function)

    def assign(self, node: ast.Assign, here: _Here) -> None:
        self.push(here, node.value, *node.targets)

    def augassign(self, node: ast.AugAssign, here: _Here) -> None:
        target = node.target
        if isinstance(target, ast.Name):
            self.read(target.id, node.lineno, here)
        elif isinstance(target, ast.Attribute):
            self.attribute(ast.copy_location(ast.Attribute(target.value, target.attr, ast.Load()), target), here)
        self.push(here, node.value, target)

    def annassign(self, node: ast.AnnAssign, here: _Here) -> None:
        self.push(here, node.value, node.target if node.value is not None else None)

    def walrus(self, node: ast.NamedExpr, here: _Here) -> None:
        self.push(here, node.value, node.target)

    def import_(self, node: ast.Import | ast.ImportFrom, here: _Here) -> None:
        for alias in node.names:
            self.bind(alias.asname or alias.name.partition(".")[0], here)

    def captured(self, node: ast.MatchAs | ast.MatchStar | ast.MatchMapping, here: _Here) -> None:
        name = node.rest if isinstance(node, ast.MatchMapping) else node.name
        self.push(here, _Bound(name) if name is not None else None)
        self.others(node, here)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, here: _Here) -> None:
        given, cls = node.args, here.cls
        self.push(here, *node.decorator_list, *given.defaults, *given.kw_defaults, _Opened(), _Bound(node.name))
        scope = self.scope_of(given)
        parameters = [*given.posonlyargs, *given.args]
        own = cls.scope.bindings[node.name] if cls is not None and node.name == "__init__" else ()
        if len(own) == 1 and parameters and not node.decorator_list:
            scope.constructs, scope.myself = cls, parameters[0].arg
        quiet = here.quiet or any(is_compiled(chain_of(decorator)) for decorator in node.decorator_list)
        self.later.append((node.body, _Here(scope, quiet=quiet)))

    def scope_of(self, given: ast.arguments) -> _Scope:
        each = (*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg)
        names = frozenset(parameter.arg for parameter in each if parameter is not None)
        return _Scope(False, names | self.nonlocals)

    def lambda_(self, node: ast.Lambda, here: _Here) -> None:
        self.push(here, *node.args.defaults, *node.args.kw_defaults, _Opened())

    def class_(self, node: ast.ClassDef, here: _Here) -> None:
        cls = self.classes[node.lineno, node.name]
        self.push(here, _Opened(), _Bound(node.name))
        self.block(node.body, here._replace(hidden=here.hidden | frozenset(cls.scope.bindings), cls=cls))
        self.push(here, *node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords))

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, here: _Here) -> None:
        walrus = (n.target for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
        own = any(isinstance(n, ast.Name) and n.id == here.scope.myself for n in ast.walk(node))
        self.push(here, node.generators[0].iter, *walrus, _Opened() if own else None)

    def try_(self, node: Any, here: _Here) -> None:
        flags, broad = expected(node.handlers)
        self.block(node.finalbody, here)
        self.block(node.orelse, here)
        self.push(here, *node.handlers)
        self.block(node.body, here._replace(quiet=here.quiet or broad or bool(flags & (NAME | ATTRIBUTE))))

    def handler(self, node: ast.ExceptHandler, here: _Here) -> None:
        self.block(node.body, here)
        self.push(here, node.type, _Bound(node.name) if node.name is not None else None)

    def with_(self, node: ast.With | ast.AsyncWith, here: _Here) -> None:
        quiet = here.quiet or any(raises(item.context_expr) for item in node.items)
        self.block(node.body, here._replace(quiet=quiet))
        self.push(here, *node.items)

    def if_(self, node: ast.If, here: _Here) -> None:
        body, orelse = is_doubtful(node.test)
        self.block(node.orelse, here._replace(quiet=here.quiet or orelse))
        self.block(node.body, here._replace(quiet=here.quiet or body))
        self.push(here, node.test)

    def if_expression(self, node: ast.IfExp, here: _Here) -> None:
        body, orelse = is_doubtful(node.test)
        self.push(here._replace(quiet=here.quiet or orelse), node.orelse)
        self.push(here._replace(quiet=here.quiet or body), node.body)
        self.push(here, node.test)

    def loop(self, node: Any, here: _Here) -> None:
        self.loops += 1
        inside = here._replace(loop=here.loop or self.loops)
        self.block(node.orelse, here)
        self.block(node.body, inside)
        if isinstance(node, ast.While):
            self.push(inside, node.test)
        else:
            self.push(inside, node.target)
            self.push(here, node.iter)

    def type_alias(self, node: Any, here: _Here) -> None:
        self.push(here, node.name)


_HANDLERS: Mapping[type, str] = {
    _Bound: "bound",
    _Opened: "opened",
    ast.Name: "name",
    ast.Constant: "nothing",
    ast.Global: "global_",
    ast.Nonlocal: "nothing",
    ast.Attribute: "attribute",
    ast.Call: "call",
    ast.Assign: "assign",
    ast.AugAssign: "augassign",
    ast.AnnAssign: "annassign",
    ast.NamedExpr: "walrus",
    ast.Import: "import_",
    ast.ImportFrom: "import_",
    ast.MatchAs: "captured",
    ast.MatchStar: "captured",
    ast.MatchMapping: "captured",
    ast.FunctionDef: "function",
    ast.AsyncFunctionDef: "function",
    ast.Lambda: "lambda_",
    ast.ClassDef: "class_",
    ast.ListComp: "comprehension",
    ast.SetComp: "comprehension",
    ast.DictComp: "comprehension",
    ast.GeneratorExp: "comprehension",
    ast.Try: "try_",
    ast.TryStar: "try_",
    ast.ExceptHandler: "handler",
    ast.With: "with_",
    ast.AsyncWith: "with_",
    ast.If: "if_",
    ast.IfExp: "if_expression",
    ast.For: "loop",
    ast.AsyncFor: "loop",
    ast.While: "loop",
}
if hasattr(ast, "TypeAlias"):
    _HANDLERS = {**_HANDLERS, ast.TypeAlias: "type_alias"}
