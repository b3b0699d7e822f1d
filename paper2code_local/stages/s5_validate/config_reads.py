"""Which keys of a settings file the code reads, and where the settings go that nobody can follow.

In: what every expression may be. Out: reads, and what may change or be read unseen. Must not know what is reported.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from paper2code_local.source import Block, Seen, Signature
from paper2code_local.stages.s5_validate.config_flow import Flow
from paper2code_local.stages.s5_validate.config_values import NOTHING, Read, Tree
from paper2code_local.stages.s5_validate.constructors import Constructing
from paper2code_local.stages.s5_validate.settings import Keys
from paper2code_local.stages.s5_validate.things import AClass, AFunction

_CHANGING = frozenset({"update", "setdefault", "clear", "popitem", "merge_with", "__setitem__", "__setattr__"})
_WHOLE = frozenset({"items", "keys", "values", "__iter__"})
_ONLY_SHOWS = re.compile(
    r"print|pprint|len|str|repr|type|bool|isinstance|id|dumps?|safe_dump|info|debug|warning|to_yaml|to_container|deepcopy"
    r"|copy|dict|SimpleNamespace|Namespace|EasyDict|munchify|fromDict|Box|ConfigDict|create|hasattr|getattr|save"
)
_FOLLOWED: tuple[type[ast.AST], ...] = (
    ast.Attribute,
    ast.Call,
    ast.keyword,
    ast.Subscript,
    ast.Return,
    ast.Expr,
    ast.Compare,
    ast.BinOp,
)
_FOLLOWED += (ast.UnaryOp, ast.FormattedValue, ast.If, ast.IfExp, ast.BoolOp, ast.While, ast.Assert, ast.Await)
_FOLLOWED += (ast.AugAssign, ast.withitem, ast.AnnAssign, ast.NamedExpr)
_METHODS = frozenset(dir(dict)) | {"to_dict", "toDict", "freeze", "defrost", "dump", "merge_from_file"}


@dataclass(slots=True)
class Reads:
    """What the code does with settings."""

    reads: list[Read] = field(default_factory=list)
    present: set[tuple[str, Keys]] = field(default_factory=set)
    """Keys that the code asks for first, or sets itself."""
    changed: set[tuple[str, Keys]] = field(default_factory=set)
    """Mappings that the code changes under keys that reading does not show."""
    lost: set[tuple[str, Keys]] = field(default_factory=set)
    """Mappings that go where nobody can follow."""
    refused: list[tuple[Read, str]] = field(default_factory=list)
    """Keys that are given by `**` to a function that has no such parameter, and its name."""


class Reading:
    """Collects the reads of one repository."""

    def __init__(self, flow: Flow) -> None:
        self._flow = flow
        self._constructing = Constructing(flow.receivers)
        self._found = Reads()
        self._named = {word for block in flow.path_of for word in block.words}
        self._likely: dict[object, list[tuple[Keys, str, int, bool]]] = defaultdict(list)

    def collect(self) -> Reads:
        """Return everything that is done with settings."""
        for block in self._flow.path_of:
            hot = self._flow.is_hot(block)
            for seen in block.seen:
                if hot:
                    self._take(seen, block)
                if isinstance(seen.node, ast.Subscript):
                    self._note(seen, block)
        self._guess()
        return self._found

    def _take(self, seen: Seen, block: Block) -> None:
        match seen.node:
            case ast.Subscript(value=base, slice=key, ctx=context):
                for tree in self._flow.trees(base, block):
                    literal = key.value if isinstance(key, ast.Constant) else None
                    if not isinstance(literal, str):
                        loses = isinstance(context, ast.Load)
                        (self._found.lost if loses else self._found.changed).add((tree.file, tree.keys))
                    elif isinstance(context, ast.Load):
                        self._read(tree, literal, "item", seen, block)
                    else:
                        self._found.present.add((tree.file, (*tree.keys, literal)))
            case ast.Attribute(value=base, attr=name, ctx=context):
                for tree in self._flow.trees(base, block):
                    if tree.attributes == "none" or name in _METHODS:
                        continue
                    if isinstance(context, ast.Load):
                        self._read(tree, name, "attribute", seen, block)
                    else:
                        self._found.present.add((tree.file, (*tree.keys, name)))
            case ast.Call():
                self._call(seen.node, seen, block)
            case ast.Compare(left=ast.Constant(value=str() as key), ops=[ast.In() | ast.NotIn()], comparators=[right]):
                for tree in self._flow.trees(right, block):
                    self._found.present.add((tree.file, (*tree.keys, key)))
            case ast.AugAssign(target=target):
                for tree in self._flow.trees(target, block):
                    self._found.changed.add((tree.file, tree.keys))
        if isinstance(seen.node, ast.expr) and self._escapes(seen.node, seen.parent, block):
            for tree in self._flow.trees(seen.node, block):
                self._found.lost.add((tree.file, tree.keys))

    def _escapes(self, node: ast.expr, parent: ast.AST | None, block: Block) -> bool:
        """Tell whether a value goes on from here in a way that is not followed; calls are looked at as a whole."""
        match parent:
            case ast.Assign():
                return not all(isinstance(t, ast.Name) or self._is_own(t, block) for t in parent.targets)
        return not isinstance(parent, _FOLLOWED)

    def _is_own(self, target: ast.expr, block: Block) -> bool:
        owner = target.value.id if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) else ""
        return block.cls is not None and owner in block.positional()[:1]

    def _call(self, call: ast.Call, seen: Seen, block: Block) -> None:
        func = call.func
        name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
        for tree in self._flow.trees(func.value, block) if isinstance(func, ast.Attribute) else ():
            key = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
            if name in ("get", "pop") and isinstance(key, str):
                has_default = len(call.args) > 1 or bool(call.keywords)
                required: Literal["get", "item"] = "get" if name == "get" else "item"
                self._read(tree, key, "default" if has_default else required, seen, block)
            elif name == "setdefault" and isinstance(key, str):
                self._found.present.add((tree.file, (*tree.keys, key)))
            elif name in _CHANGING:
                self._found.changed.add((tree.file, tree.keys))
            elif name not in ("copy",):
                self._found.lost.add((tree.file, tree.keys))
        if name in ("hasattr", "getattr") and len(call.args) > 1 and isinstance(call.args[1], ast.Constant):
            for tree in self._flow.trees(call.args[0], block):
                self._found.present.add((tree.file, (*tree.keys, str(call.args[1].value))))
        self._arguments(call, name, seen, block)

    def _arguments(self, call: ast.Call, name: str, seen: Seen, block: Block) -> None:
        followed: set[int] = set()
        for callee, filled, _ in self._flow.callees(call, block):
            followed.update(id(node) for _, node in self._flow.bound_arguments(call, callee, filled))
        for node in (*call.args, *(k.value for k in call.keywords if k.arg is not None)):
            inner = node.value if isinstance(node, ast.Starred) else node
            for tree in self._flow.trees(inner, block):
                if id(node) not in followed and _ONLY_SHOWS.fullmatch(name) is None:
                    self._found.lost.add((tree.file, tree.keys))
        for keyword in call.keywords:
            if keyword.arg is None:
                for tree in self._flow.trees(keyword.value, block):
                    self._unpacked(call, tree, name, seen, block)

    def _unpacked(self, call: ast.Call, tree: Tree, name: str, seen: Seen, block: Block) -> None:
        """Take a mapping that is given by `**` as reads of the parameters that it fills."""
        found = self._signature(call, block)
        entry = self._flow.settings.entry(tree.file, tree.keys)
        if found is None or entry is None or not entry.whole or len(call.keywords) != 1 or call.args:
            if name not in ("SimpleNamespace", "Namespace"):
                self._found.lost.add((tree.file, tree.keys))
            return
        signature, filled = found
        names = (*signature.positional[filled:], *signature.keyword_only)
        required = {*signature.positional[filled : signature.required], *signature.required_keywords}
        for parameter in names:
            self._read(tree, parameter, "argument" if parameter in required else "default", seen, block)
        for key in entry.items:
            if key not in names and not signature.varkw:
                read = self._made(tree, key, "argument", seen, block)
                self._found.refused.append((read, name))
        if signature.varkw:
            self._found.lost.add((tree.file, tree.keys))

    def _signature(self, call: ast.Call, block: Block) -> tuple[Signature, int] | None:
        """Return the one signature behind a call, and how many of its parameters are filled already."""
        things = self._flow.things(call, block)
        if len(things) != 1:
            return None
        (thing,) = things
        if isinstance(thing, AFunction) and thing.role in ("plain", "static", "class"):
            return thing.function.signature, int(thing.bound)
        if isinstance(thing, AClass):
            made = self._constructing.constructors(thing.cls, exact=True) or ()
            return (made[0].signature, int(made[0].bound)) if len(made) == 1 and made[0].sure else None
        return None

    def _read(
        self,
        tree: Tree,
        key: str,
        kind: Literal["item", "attribute", "get", "default", "argument"],
        seen: Seen,
        block: Block,
    ) -> None:
        self._found.reads.append(self._made(tree, key, "default" if seen.guarded else kind, seen, block))

    def _made(
        self,
        tree: Tree,
        key: str,
        kind: Literal["item", "attribute", "get", "default", "argument"],
        seen: Seen,
        block: Block,
    ) -> Read:
        runs = self._flow.designed or (self._is_called(block) and not seen.conditional)
        line = getattr(seen.node, "lineno", 0)
        return Read(tree.file, (*tree.keys, key), self._flow.path_of[block], line, kind, tree.sure and runs)

    def _is_called(self, block: Block) -> bool:
        name = block.cls if block.name == "__init__" else block.name
        return not name or name in self._named or name.startswith("__")

    def _note(self, seen: Seen, block: Block) -> None:
        """Remember keys that are read of something unknown, which may be the settings."""
        keys: list[str] = []
        node: ast.AST = seen.node
        if isinstance(seen.parent, ast.Subscript) and seen.parent.value is node:
            return
        while isinstance(node, ast.Subscript):
            if not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, str):
                return
            keys.insert(0, node.slice.value)
            node = node.value
        root: object = None
        if isinstance(node, ast.Name) and block.parameters is not None and node.id in block.bound:
            assigned = any(isinstance(t, ast.Name) and t.id == node.id for t, _, _ in block.assigned)
            root = None if assigned or self._flow.name(node.id, block) != NOTHING else (block, node.id)
        elif isinstance(node, ast.Attribute) and self._is_own(node, block):
            path = self._flow.path_of[block]
            root = (path, block.cls, node.attr) if self._flow.attribute(node.attr, block) == NOTHING else None
        if root is not None and keys and isinstance(getattr(seen.node, "ctx", None), ast.Load) and not seen.guarded:
            line = getattr(seen.node, "lineno", 0)
            self._likely[root].append((tuple(keys), self._flow.path_of[block], line, seen.conditional))

    def _guess(self) -> None:
        """Take what is read of an unknown mapping for settings where most of the keys are there."""
        file = self._flow.settings.only()
        if file is None:
            return
        prefixes = list(_mappings(self._flow.settings.trees[file].items, ()))
        for uses in self._likely.values():
            firsts = {keys[0] for keys, _, _, _ in uses}
            settings = self._flow.settings
            there = {p: sum(settings.entry(file, (*p, first)) is not None for first in firsts) for p in prefixes}
            best = max(there, key=lambda prefix: there[prefix])
            if there[best] < 2 or there[best] < 0.6 * len(firsts):
                continue
            for keys, path, line, _ in uses:
                for depth in range(len(keys)):
                    self._found.reads.append(Read(file, (*best, *keys[: depth + 1]), path, line, "item", False))


def _mappings(items: object, keys: Keys, depth: int = 0) -> Iterator[Keys]:
    """Yield the keys of every mapping of a tree, at most four deep."""
    yield keys
    for key, entry in items.items() if isinstance(items, dict) and depth < 4 else ():
        if entry.items:
            yield from _mappings(entry.items, (*keys, key), depth + 1)
