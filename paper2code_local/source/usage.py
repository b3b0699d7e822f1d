"""How a file uses names: its scopes, what they bind, what is read, called and assigned.

In: the syntax tree of a file. Out: a frozen `Usage`, and the nodes of its calls. Must not know other files, nor what is
right or wrong. One walk without recursion, linear in the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

from paper2code_local.source.chains import (
    ALL,
    TYPE,
    argument,
    chain_of,
    expected,
    fields_of,
    is_compiled,
    is_doubtful,
    is_hollow,
    literal,
    raises,
)
from paper2code_local.source.early import read_early
from paper2code_local.source.naming import Here, Naming
from paper2code_local.source.recursion import endless
from paper2code_local.source.scopes import Binding, Call, Chain, Class, Function, Kind, Scope, Usage
from paper2code_local.source.shapes import signature_of

_REPLACES_ITSELF = re.compile(
    r"sys\.modules\s*\[\s*(__name__|__package__)|\bexec\s*\(|_convert_\(|global_enum|execfile"
)
_REPLACING_WORDS = ("sys.modules", "exec", "_convert_(", "global_enum")
_SETS_NAMED = frozenset({"register_buffer", "register_parameter", "add_module", "register_module"})
_SETS_ANYTHING = frozenset({"store_attr", "save_hyperparameters"})
_CLASS_FIRST = frozenset({"__new__", "__init_subclass__", "__class_getitem__"})


def usage(tree: ast.Module, text: str) -> tuple[Usage, list[ast.Call]]:
    """Read how a file uses names, and return that and every call in it; `text` is what `tree` was made of."""
    walk = _Walk(_is_lazy(tree))
    walk.run(tree)
    return walk.usage(tree, text), walk.call_nodes


def _is_lazy(tree: ast.Module) -> bool:
    """Tell whether annotations are never evaluated: the file imports `annotations` from `__future__`."""
    return any(
        isinstance(s, ast.ImportFrom) and s.module == "__future__" and any(a.name == "annotations" for a in s.names)
        for s in tree.body
    )


class _Walk(Naming):
    """The second half of the walk: definitions, calls and control flow."""

    def __init__(self, lazy: bool) -> None:
        super().__init__(lazy)
        self.classes: list[Class] = []

    def run(self, tree: ast.Module) -> None:
        """Walk the whole file."""
        handlers: dict[type[ast.AST], Callable[[Any, Here], None]] = {
            kind: getattr(self, name) for kind, name in _HANDLERS.items()
        }
        self.block(tree.body, Here(self.module))
        while self.stack:
            node, here = self.stack.pop()
            handlers.get(type(node), self.others)(node, here)

    def usage(self, tree: ast.Module, text: str) -> Usage:
        """Sort out what was assigned to `self`, and return everything."""
        stored: set[str] = set()
        on_modules: set[str] = set()
        for scope, chain, name, binding in self.stores:
            root = scope.find(chain[0]) if chain else []
            if chain and len(chain) == 1 and len(root) == 1 and root[0].kind == "self" and root[0].cls is not None:
                root[0].cls.stores.setdefault(name, []).append(binding)
                continue
            stored.add(name)
            if any(b.kind == "import" for b in root):
                on_modules.add(name)
        opened, anything = self._opened()
        for name in self.declared - self.module.bindings.keys():
            self.module.bindings[name] = [Binding("other", 0, self.module)]
        return Usage(
            module=self.module,
            scopes=tuple(self.scopes),
            classes=tuple(self.classes),
            calls=tuple(self.calls),
            reads=tuple((scope, chain, place) for (scope, chain), place in self.reads.items()),
            early=read_early(tree, self.classes),
            stored=frozenset(stored),
            stored_on_modules=frozenset(on_modules),
            probed=frozenset(self.probed),
            opened=tuple(opened),
            opens_anything=anything,
            rebinds=self.whole_namespace > 0
            or (any(w in text for w in _REPLACING_WORDS) and _REPLACES_ITSELF.search(text) is not None),
            stars=self.stars,
        )

    def _opened(self) -> tuple[list[tuple[Scope, Chain]], bool]:
        """Mark the classes whose `self` gets attributes by name, and return what else does."""
        opened, anything = [], False
        for scope, chain, certainly in self.opened:
            root = scope.find(chain[0]) if chain else []
            own = [b.cls for b in root if b.kind in ("self", "cls") and b.cls is not None]
            for cls in own:
                cls.dynamic = True
            if own or not certainly:
                continue
            if chain and any(b.kind != "other" for b in root):
                opened.append((scope, chain))
            else:
                anything = True
        return opened, anything

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, here: Here) -> None:
        decorators = tuple(chain_of(decorator) for decorator in node.decorator_list)
        itself = endless(node) if isinstance(node, ast.FunctionDef) and not decorators else None
        function = Function(node.name, node.lineno, signature_of(node.args), decorators, is_hollow(node.body), itself)
        self.bind(node.name, here, Binding("def", node.lineno, here.scope, function=function))
        outer = self.type_parameters(node, here)
        inner = self.inner("function", outer)
        self.parameters(node.args, inner, self.first_parameter(function, here.scope))
        rewritten = any(is_compiled(decorator) for decorator in decorators)
        self.block(node.body, Here(inner, 0, here.doubtful or rewritten))  # it runs later: no error is expected there
        self.push_all(node.decorator_list, here)
        self.outside(node.args, here)
        annotations = outer._replace(doubtful=True) if self.lazy else outer
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg):
            self.push(each.annotation if each is not None else None, annotations)
        self.push(node.returns, annotations)

    def lambda_(self, node: ast.Lambda, here: Here) -> None:
        inner = self.inner("function", here)
        self.parameters(node.args, inner, None)
        self.push(node.body, here._replace(scope=inner))
        self.outside(node.args, here)

    def inner(self, kind: Kind, here: Here) -> Scope:
        """Make a scope below the present one."""
        scope = Scope(kind, here.scope, here.scope.cls)
        self.scopes.append(scope)
        return scope

    def outside(self, parameters: ast.arguments, here: Here) -> None:
        self.push_all([*parameters.defaults, *parameters.kw_defaults], here)

    def parameters(self, parameters: ast.arguments, scope: Scope, first: Binding | None) -> None:
        """Bind the parameters of a function in its scope."""
        positional = [*parameters.posonlyargs, *parameters.args]
        for each in (*positional, *parameters.kwonlyargs, parameters.vararg, parameters.kwarg):
            if each is not None:
                known = first if first is not None and each is positional[0] else None
                scope.bindings.setdefault(each.arg, []).append(known or Binding("other", each.lineno, scope))

    def first_parameter(self, function: Function, scope: Scope) -> Binding | None:
        """Return what the first parameter of a method is; None when that is anything."""
        names = function.signature.positional
        if scope.kind != "class" or not names or ("staticmethod",) in function.decorators:
            return None
        is_class = ("classmethod",) in function.decorators or function.name in _CLASS_FIRST
        if not is_class and names[0] != "self":
            return None  # `Class.function(x)` needs no decorator
        return Binding("cls" if is_class else "self", function.line, scope, cls=scope.cls)

    def type_parameters(self, node: Any, here: Here) -> Here:
        """Make the scope of `def f[T]`, on Pythons that have it."""
        parameters = getattr(node, "type_params", [])
        if not parameters:
            return here
        scope = self.inner("function", here)
        for each in parameters:
            scope.bindings[each.name] = [Binding("other", each.lineno, scope)]
            self.push(getattr(each, "bound", None), here._replace(scope=scope, doubtful=True))
        return here._replace(scope=scope)

    def type_alias(self, node: Any, here: Here) -> None:
        self.push(node.name, here)
        self.push(node.value, self.type_parameters(node, here)._replace(doubtful=True))

    def class_(self, node: ast.ClassDef, here: Here) -> None:
        outer = self.type_parameters(node, here)
        scope = self.inner("class", outer)
        cls = Class(
            name=node.name,
            line=node.lineno,
            bases=tuple(_base(base) for base in node.bases),
            decorators=tuple(chain_of(decorator) for decorator in node.decorator_list),
            keywords=frozenset(keyword.arg or "**" for keyword in node.keywords),
            metaclass=next((chain_of(k.value) for k in node.keywords if k.arg == "metaclass"), None),
            outer=outer.scope,
            scope=scope,
            fields=tuple(fields_of(node.body)),
            namedtuple=self.named_tuple(node.bases, here),
            options=_options(node.decorator_list),
        )
        scope.cls = cls
        self.classes.append(cls)
        self.bind(node.name, here, Binding("class", node.lineno, here.scope, cls=cls))
        self.block(node.body, Here(scope, here.expects, here.doubtful))
        self.push_all([*node.decorator_list, *node.bases, *(k.value for k in node.keywords)], outer)

    def named_tuple(self, bases: list[ast.expr], here: Here) -> Call | None:
        """Return the `namedtuple(…)` that is the only base."""
        if len(bases) != 1 or not isinstance(bases[0], ast.Call):
            return None
        chain = chain_of(bases[0].func)
        return self.shape(bases[0], here, chain) if chain is not None and chain[-1] == "namedtuple" else None

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, here: Here) -> None:
        inner = here._replace(scope=self.inner("comprehension", here))
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self.push_all(elements, inner)
        for generator in reversed(node.generators):
            first = generator is node.generators[0]
            self.push_all((generator.target, *generator.ifs), inner)
            self.push(generator.iter, here if first else inner)

    def try_(self, node: Any, here: Here) -> None:
        flags, broad = expected(node.handlers)
        self.block(node.finalbody, here)
        self.push_all(node.handlers, here)
        self.block(node.orelse, here)
        self.block(node.body, here._replace(expects=here.expects | flags, doubtful=here.doubtful or broad))

    def handler(self, node: ast.ExceptHandler, here: Here) -> None:
        if node.name is not None:
            self.bind(node.name, here, Binding("other", node.lineno, here.scope))
        self.block(node.body, here)
        self.push(node.type, here)

    def with_(self, node: ast.With | ast.AsyncWith, here: Here) -> None:
        raised = any(raises(item.context_expr) for item in node.items)
        self.block(node.body, here._replace(expects=ALL) if raised else here)
        self.push_all(node.items, here)

    def if_(self, node: ast.If, here: Here) -> None:
        doubts = is_doubtful(node.test)
        self.block(node.orelse, here._replace(doubtful=here.doubtful or doubts[1]))
        self.block(node.body, here._replace(doubtful=here.doubtful or doubts[0]))
        self.push(node.test, here)

    def if_expression(self, node: ast.IfExp, here: Here) -> None:
        doubts = is_doubtful(node.test)
        self.push(node.orelse, here._replace(doubtful=here.doubtful or doubts[1]))
        self.push(node.body, here._replace(doubtful=here.doubtful or doubts[0]))
        self.push(node.test, here)

    def loop(self, node: Any, here: Here) -> None:
        self.block(node.orelse, here)
        self.block(node.body, here)
        self.push_all((node.target, node.iter) if not isinstance(node, ast.While) else (node.test,), here)

    def call(self, node: ast.Call, here: Here) -> None:
        self.call_nodes.append(node)
        chain = chain_of(node.func)
        inner = here
        if chain is not None:
            if not here.expects & TYPE:
                self.calls.append(self.shape(node, here, chain))
            last = chain[-1]
            if last in _SPECIAL:
                self.special(node, chain, last, here)
            elif len(node.args) > 1 and isinstance(named := literal(node.args[1]), str) and named.isidentifier():
                self.probed.add(named)  # `replace_parameter(layer, "weight", …)` may set it
            if raises(node):
                inner = here._replace(expects=ALL)
        for keyword in reversed(node.keywords):
            self.push(keyword.value, inner)
        self.push_all(node.args, inner)
        self.push(node.func, here)

    def special(self, node: ast.Call, chain: Chain, last: str, here: Here) -> None:
        """Take note of calls that read or set attributes by name."""
        self.whole_namespace += self.is_namespace(node, here)
        if last in _SETS_ANYTHING:
            self.opened.append((here.scope, ("self",), True))
        elif last in _SETS_NAMED:
            self.set_by_name(literal(argument(node, 0, "name")), chain[:-1] or None, here)
        elif last in ("setattr", "__setattr__") or (last == "object" and "patch" in chain):
            named = literal(argument(node, 1)) or (literal(argument(node, 0)) if last != "object" else None)
            target: Chain = (chain_of(node.args[0]) if node.args else None) or ()
            if last == "__setattr__" and len(node.args) == 2 and chain[0] != "object":
                named, target = literal(node.args[0]), ("self",)
            self.set_by_name(named, target or None, here)
        elif last in ("hasattr", "getattr", "delattr"):
            named = literal(argument(node, 1))
            self.probed.update([named] if isinstance(named, str) else ())
        elif last in ("vars", "isinstance") and node.args:
            self.opened.append((here.scope, chain_of(node.args[0]), False))
        elif last == "patch":
            self.set_by_name(literal(argument(node, 0)), None, here)

    def set_by_name(self, named: str | tuple[str, ...] | None, target: Chain | None, here: Here) -> None:
        if isinstance(named, str):
            self.stores.append((here.scope, target, named.rpartition(".")[2], Binding("other", 0, here.scope)))
        else:
            self.opened.append((here.scope, target, True))


_SPECIAL = (
    _SETS_NAMED
    | _SETS_ANYTHING
    | {
        "globals",
        "locals",
        "vars",
        "setattr",
        "__setattr__",
        "object",
        "hasattr",
        "getattr",
        "delattr",
        "isinstance",
        "patch",
    }
)


def _base(node: ast.expr) -> Chain | None:
    """Return a base class as a chain; `Generic[T]` as `Generic`."""
    return chain_of(node.value if isinstance(node, ast.Subscript) else node)


def _options(decorators: list[ast.expr]) -> frozenset[str]:
    """Return what a decorator changes about the constructor: "init", "kw_only", or "?" when it cannot be read."""
    options: set[str] = set()
    for decorator in decorators:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg in ("init", "kw_only"):
                given = keyword.value.value if isinstance(keyword.value, ast.Constant) else None
                if not isinstance(given, bool):
                    options.add("?")
                elif given is (keyword.arg == "kw_only"):
                    options.add(keyword.arg)
            elif keyword.arg is None:
                options.add("?")
    return frozenset(options)


_HANDLERS: Mapping[type[ast.AST], str] = {
    ast.Name: "name",
    ast.Constant: "nothing",
    ast.Pass: "nothing",
    ast.Break: "nothing",
    ast.Continue: "nothing",
    ast.Attribute: "attribute",
    ast.Subscript: "subscript",
    ast.Compare: "compare",
    ast.Assign: "assign",
    ast.AnnAssign: "annassign",
    ast.NamedExpr: "walrus",
    ast.Global: "global_",
    ast.Nonlocal: "nonlocal_",
    ast.Import: "import_",
    ast.ImportFrom: "import_from",
    ast.MatchAs: "captured",
    ast.MatchStar: "captured",
    ast.MatchMapping: "captured",
    ast.ExceptHandler: "handler",
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
    ast.With: "with_",
    ast.AsyncWith: "with_",
    ast.If: "if_",
    ast.IfExp: "if_expression",
    ast.For: "loop",
    ast.AsyncFor: "loop",
    ast.While: "loop",
    ast.Call: "call",
}
if hasattr(ast, "TypeAlias"):
    _HANDLERS = {**_HANDLERS, ast.TypeAlias: "type_alias"}
