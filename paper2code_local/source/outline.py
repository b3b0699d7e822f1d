"""What a Python file imports, defines and exports.

In: source text, whether it parses or not. Out: a frozen `Outline`. Must not know other files, nor
what is right or wrong.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from paper2code_local.source.bindings import bound_names, targets, walrus_names
from paper2code_local.source.bodies import Hollow, hollow
from paper2code_local.source.tree import Where, definition_of, name_of, parse, statements, text_of

Kind = Literal["class", "function", "method", "variable"]

_IMPORTS = frozenset({"import_statement", "import_from_statement", "future_import_statement"})
_DYNAMIC = re.compile(
    r"\bglobals\(\)|\b(locals|vars)\(\)\s*[\[.]|sys\.modules|meta_path|(?<!\.)\b__path__|__path__\s*(?:[+=]|\.\w)"
    r"|_convert_\(|global_enum|__dict__\s*(\[|\.update)|^[ \t]*exec[ (]|setattr\(\s*\w*(module|__name__)",
    re.MULTILINE,
)
_DYNAMIC_WORDS = ("s()", "sys.modules", "_path", "_convert_(", "global_enum", "__dict__", "exec", "setattr(")
"""Without one of these there is no match: finding that out first costs a tenth."""
_PLAIN_STRING = re.compile(r"""(\"{3}|'{3}|["'])([^\\]*)\1""")
_SIGNATURE_MAX = 400


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module: `from .m import a as b` has names, `import m.n as x` has only a module."""

    module: str
    """Dotted, without the leading dots; "" for `from . import x`."""
    level: int
    """Number of leading dots."""
    names: tuple[tuple[str, str | None], ...]
    """(name, name after `as`) pairs of a from-import; empty otherwise."""
    asname: str | None
    """After `as` in `import m.n as x`."""
    star: bool
    line: int
    guarded: bool
    """Below an `if`, or where a failing import is expected: may not run, may fail in peace."""
    for_types: bool
    """Below `if TYPE_CHECKING`."""
    at_import_time: bool
    """Runs when the file is imported: not in a function, not for types, not only when run as a script."""

    @property
    def is_from(self) -> bool:
        """Tell `from m import …` from `import m`."""
        return self.star or bool(self.names)

    def bound(self) -> tuple[str, ...]:
        """Return the names that the import binds in its scope; a star's are unknown here."""
        if self.is_from:
            return tuple(asname or name for name, asname in self.names)
        return (self.asname or self.module.partition(".")[0],)


@dataclass(frozen=True, slots=True)
class Definition:
    """A class, function or method, or a variable of the module or of a class; never what is local to a function."""

    qualname: str
    """ "Model.forward"."""
    kind: Kind
    start: int
    """1-based first line, decorators included."""
    end: int
    """1-based last line."""
    signature: str
    """From `def` or `class` up to the colon, on one line; for a variable its first line."""
    docstring: str
    """Cleaned of indentation; "" when there is none."""
    is_async: bool
    decorators: tuple[str, ...]
    """As written, without the @."""
    bases: tuple[str, ...]
    """As written."""
    hollow: Hollow | None
    """Why a function's body does nothing; None when it does something, and for everything else."""


@dataclass(frozen=True, slots=True)
class Outline:
    """What a file says about itself."""

    imports: tuple[Import, ...]
    definitions: tuple[Definition, ...]
    exported: Mapping[str, int]
    """Every name bound at module level, conditional ones too, with the 1-based line that binds it first."""
    all_names: tuple[str, ...] | None
    """`__all__`, when it is one literal and nothing else touches it."""
    has_getattr: bool
    """The module defines `__getattr__`: any name may be there."""
    dynamic: bool
    """Writes to its namespace or to the module table in ways that reading does not show."""
    exact: bool
    """The whole text was understood; when False, names may be missing above."""
    changes_path: bool
    """Mentions `sys.path`."""
    not_implemented: tuple[tuple[int, str], ...]
    """(line, first argument) of each `raise NotImplementedError("…")`."""


def outline(text: str) -> Outline:
    """Outline a file. Never fails: text that does not parse is understood as far as it goes (`exact` is then False)."""
    data = text.encode("utf-8", "replace")
    root = parse(data)
    gathered = _Gathered(walrus=b":=" in data)
    for node, where in statements(root):
        gathered.take(node, where)
    return Outline(
        imports=tuple(gathered.imports),
        definitions=tuple(gathered.definitions),
        exported=gathered.exported,
        all_names=gathered.all_names if text.count("__all__") == 1 else None,
        has_getattr="__getattr__" in gathered.exported,
        dynamic=any(w in text for w in _DYNAMIC_WORDS) and _DYNAMIC.search(text) is not None,
        exact=not root.has_error,
        changes_path="sys.path" in text,
        not_implemented=tuple(gathered.not_implemented),
    )


class _Gathered:
    """What the walk has met so far."""

    def __init__(self, walrus: bool) -> None:
        self.walrus = walrus
        self.imports: list[Import] = []
        self.definitions: list[Definition] = []
        self.exported: dict[str, int] = {}
        self.all_names: tuple[str, ...] | None = None
        self.not_implemented: list[tuple[int, str]] = []

    def take(self, node: Node, where: Where) -> None:
        """Take note of one statement."""
        if node.type in _IMPORTS:
            self._import(node, where)
        elif node.type == "raise_statement":
            self.not_implemented.extend(_not_implemented(node))
        elif node.type == "global_statement":
            self._export(node, (text_of(c) for c in node.named_children if c.type == "identifier"))
        elif node.type == "delete_statement":
            if where == Where():
                for name in _deleted(node):
                    self.exported.pop(name, None)
        elif where.inside != "function":
            self._bind(node, where)

    def _import(self, node: Node, where: Where) -> None:
        found = list(_imports(node, where))
        self.imports.extend(found)
        if where.inside == "module":
            self._export(node, (name for each in found for name in each.bound()))

    def _bind(self, node: Node, where: Where) -> None:
        definition = definition_of(node)
        if definition is not None:
            self.definitions.append(_definition(node, definition, where))
        names = [name for name in bound_names(node) if name]
        if definition is None and node.type == "expression_statement":
            self.definitions.extend(_variables(node, names, where))
        if where.inside == "module":
            self._export(node, names)
            if self.walrus:
                self._export(node, walrus_names(node))
            if names == ["__all__"]:
                self.all_names = _literal_all(node)

    def _export(self, node: Node, names: Iterator[str] | list[str]) -> None:
        for name in names:
            self.exported.setdefault(name, _line(node))


def _line(node: Node) -> int:
    return int(node.start_point[0]) + 1


def _imports(node: Node, where: Where) -> Iterator[Import]:
    """Yield one `Import` per imported module."""
    if node.has_error:
        return
    at_import_time = where.inside != "function" and not where.for_types and not where.as_script

    def make(
        module: str, level: int, names: tuple[tuple[str, str | None], ...], asname: str | None, star: bool
    ) -> Import:
        return Import(module, level, names, asname, star, _line(node), where.guarded, where.for_types, at_import_time)

    named = [_with_alias(child) for child in node.children_by_field_name("name")]
    if node.type == "import_statement":
        for module, asname in named:
            yield make(module, 0, (), asname, False)
        return
    source = node.child_by_field_name("module_name")
    dotted = "__future__" if source is None else "".join(text_of(source).split())
    module = dotted.lstrip(".")
    star = any(child.type == "wildcard_import" for child in node.named_children)
    yield make(module, len(dotted) - len(module), tuple(named), None, star)


def _with_alias(node: Node) -> tuple[str, str | None]:
    """Return what is imported and its name after `as`."""
    if node.type != "aliased_import":
        return _dotted(node), None
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    return (_dotted(name) if name else ""), (text_of(alias) if alias else None)


def _dotted(node: Node) -> str:
    return ".".join(text_of(part) for part in node.named_children if part.type == "identifier")


def _deleted(node: Node) -> Iterator[str]:
    for child in node.named_children:
        yield from targets(child)


def _definition(outer: Node, node: Node, where: Where) -> Definition:
    is_class = node.type == "class_definition"
    kind: Kind = "class" if is_class else "method" if where.inside == "class" else "function"
    body = node.child_by_field_name("body")
    superclasses = node.child_by_field_name("superclasses")
    return Definition(
        qualname=".".join((*where.scope, name_of(node))),
        kind=kind,
        start=_line(outer),
        end=int(outer.end_point[0]) + 1,
        signature=_signature(node, body),
        docstring=_docstring(body),
        is_async=node.children[0].type == "async",
        decorators=tuple(text_of(c).lstrip("@").strip() for c in outer.named_children if c.type == "decorator"),
        bases=tuple(text_of(c) for c in superclasses.named_children) if superclasses else (),
        hollow=None if is_class else hollow(node),
    )


def _variables(node: Node, names: list[str], where: Where) -> Iterator[Definition]:
    """Yield a definition for each name that one assignment binds."""
    first_line = text_of(node).split("\n", 1)[0].strip()[:_SIGNATURE_MAX]
    for name in names:
        yield Definition(
            qualname=".".join((*where.scope, name)),
            kind="variable",
            start=_line(node),
            end=int(node.end_point[0]) + 1,
            signature=first_line,
            docstring="",
            is_async=False,
            decorators=(),
            bases=(),
            hollow=None,
        )


def _signature(node: Node, body: Node | None) -> str:
    """Return everything before the colon on one line, comments left out."""
    parts = [child for child in node.children if child.type not in ("block", "comment", ":")]
    if body is None:
        parts = parts[:4]
    header = (node.text or b"")[: parts[-1].end_byte - node.start_byte].decode("utf-8", "replace")
    lines = (line.strip() for line in header.split("\n"))
    return " ".join(line for line in lines if not line.startswith("#"))[:_SIGNATURE_MAX]


def _docstring(body: Node | None) -> str:
    if body is None or not body.named_children:
        return ""
    first = body.named_children[0]
    if first.type != "expression_statement" or not first.named_children or first.named_children[0].type != "string":
        return ""
    text = text_of(first.named_children[0])
    if plain := _PLAIN_STRING.fullmatch(text):
        return inspect.cleandoc(plain[2])
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    return inspect.cleandoc(value) if isinstance(value, str) else ""


def _literal_all(node: Node) -> tuple[str, ...] | None:
    """Return `__all__` when it is one literal list or tuple of strings."""
    assigned = node.named_children[0] if node.named_children else node
    right = assigned.child_by_field_name("right")
    if assigned.type != "assignment" or right is None or right.type not in ("list", "tuple", "expression_list"):
        return None
    parts = [child for child in right.named_children if child.type != "comment"]
    if not all(part.type == "string" and part.named_child_count == 3 for part in parts):
        return None
    return tuple(text_of(part.named_children[1]) for part in parts)


def _not_implemented(node: Node) -> Iterator[tuple[int, str]]:
    """Yield (line, message) when a `raise` names NotImplementedError with a string."""
    call = node.named_children[0] if node.named_children else None
    if call is None or call.type != "call":
        return
    function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    if function is None or arguments is None or text_of(function) != "NotImplementedError":
        return
    if arguments.named_children and arguments.named_children[0].type == "string":
        yield _line(node), "".join(text_of(p) for p in arguments.named_children[0].named_children[1:-1])
