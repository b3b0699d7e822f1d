"""Where settings that are loaded from a file go in the code: through variables, attributes, arguments and results.

In: the settings files and the blocks of every file. Out: what each expression may be. Must not know which keys are
read, nor what is reported.

Flow-insensitive: a name may be all that is ever assigned to it. Whatever is not understood is `UNKNOWN` and stays with
what is known, so that nobody is sure of such a name.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Literal

from paper2code_local.source import Binding, Block, chain_of
from paper2code_local.stages.s5_validate.config_values import ANYTHING, NOTHING, UNKNOWN, Stream, Text, Tree, Values
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.settings import Settings
from paper2code_local.stages.s5_validate.things import AClass, AFunction, Thing

DESIGNED = "config.yaml"
"""What the parameters called `config` of a repository that we wrote hold."""
_LOADERS = frozenset(f"yaml.{name}" for name in ("safe_load", "load", "full_load", "unsafe_load", "load_all"))
_OPENERS = frozenset({"open", "io.open", "codecs.open"})
_SAME_PATH = frozenset({"pathlib.Path", "str", "os.fspath", "hydra.utils.to_absolute_path"}) | frozenset(
    f"os.path.{name}" for name in ("abspath", "expanduser", "realpath", "normpath", "expandvars")
)
_SAME = frozenset({"dict", "copy.copy", "copy.deepcopy"})
_NAMESPACES = frozenset({"types.SimpleNamespace", "argparse.Namespace"})
_ATTRIBUTES = frozenset(
    {"easydict.EasyDict", "munch.munchify", "munch.Munch", "munch.Munch.fromDict", "munch.DefaultMunch.fromDict"}
    | {"box.Box", "ml_collections.ConfigDict", "ml_collections.config_dict.ConfigDict", "omegaconf.OmegaConf.create"}
)
_LIBRARIES = ("yaml", "omegaconf", "hydra")
_BUILT_IN = frozenset(dir(dict) + dir(str) + dir(list))
_ROUNDS = 8
_MOST = 6
_DEPTH = 12


class Flow:
    """Answers for the code of one repository."""

    def __init__(
        self, settings: Settings, receivers: Receivers, blocks: Mapping[str, tuple[Block, ...]], designed: bool
    ) -> None:
        self.settings = settings
        self.receivers = receivers
        self.blocks = blocks
        self.designed = designed and DESIGNED in settings.trees
        self.path_of = {block: path for path, found in blocks.items() for block in found}
        self._by_line = {(path, b.line): b for path, found in blocks.items() for b in found if b.name}
        self._methods: dict[str, list[Block]] = defaultdict(list)
        self._local: dict[tuple[Block | None, str], list[Block]] = defaultdict(list)
        for block in self.path_of:
            self._local[block.outer, block.name].append(block)
            if block.cls is not None:
                self._methods[block.name].append(block)
        self._known: dict[Hashable, Values] = {}
        self._options = {path: dict(_options(found)) for path, found in blocks.items()}
        self._hot = {"config"} if self.designed else set()
        self._imports: dict[str, dict[str, Binding]] = {path: {} for path in receivers.usages}
        for path, usage in receivers.usages.items():
            for name, found in ((n, b) for scope in usage.scopes for n, b in scope.bindings.items()):
                imported = found[0].imported
                if imported is not None and not imported.level:
                    self._imports[path].setdefault(name, found[0])
                    self._hot.update([name] if imported.module.startswith(_LIBRARIES) else [])
        self._changed = False
        self._complete = False
        """All that is known has arrived: what is still nothing is something unknown."""

    def run(self) -> None:
        """Follow values until nothing new comes."""
        for complete in (False, True):
            self._complete = complete
            self._changed = True
            for _ in range(_ROUNDS):
                if self._changed:
                    self._changed = False
                    for block in self.path_of:
                        if self.is_hot(block):
                            self._process(block)

    def is_hot(self, block: Block) -> bool:
        """Tell whether settings may occur in a block at all."""
        return not self._hot.isdisjoint(block.words)

    def trees(self, node: ast.expr, block: Block) -> list[Tree]:
        """Return the settings that an expression may be; nothing where it may be something else."""
        values = self.value(node, block)
        return [v for v in values if isinstance(v, Tree)] if UNKNOWN not in values else []

    def value(self, node: ast.expr, block: Block, depth: int = 0) -> Values:
        """Return what an expression may be; nothing when no value ever comes there."""
        if depth > _DEPTH:
            return ANYTHING
        match node:
            case ast.Constant():
                if node.value is None:
                    return NOTHING
                if isinstance(node.value, str) and node.value.endswith((".yaml", ".yml")):
                    return frozenset({Text(node.value)})
                return ANYTHING
            case ast.Name():
                return self.name(node.id, block)
            case ast.Attribute():
                return self._attribute(node, block, depth)
            case ast.Subscript():
                key = node.slice.value if isinstance(node.slice, ast.Constant) else None
                base = self.value(node.value, block, depth + 1)
                return self._below(base, key) if isinstance(key, str) else ANYTHING
            case ast.Call():
                return self._call(node, block, depth)
            case ast.NamedExpr() | ast.Await():
                return self.value(node.value, block, depth + 1)
            case ast.BoolOp(op=ast.Or()):
                return _unsure(self.value(node.values[0], block, depth + 1))
            case ast.IfExp():
                both = self.value(node.body, block, depth + 1) | self.value(node.orelse, block, depth + 1)
                return _unsure(both)
            case ast.BinOp(op=ast.Div() | ast.Add()):
                right = self.value(node.right, block, depth + 1)
                return frozenset(replace(v, is_tail=True) if isinstance(v, Text) else UNKNOWN for v in right)
        return ANYTHING

    def name(self, name: str, block: Block) -> Values:
        """Return what a name may be in a block."""
        scope: Block | None = block
        while scope is not None and name not in scope.bound:
            scope = scope.outer
        if scope is None:
            return ANYTHING
        found = self._known.get((scope, name), NOTHING)
        if not found and scope.parameters is not None and self.designed and name == "config":
            return frozenset({Tree(DESIGNED, (), True)})
        return found or (self._imported(name, self.path_of[scope]) if scope.outer is None else NOTHING)

    def callees(self, call: ast.Call, block: Block) -> list[tuple[Block, int, bool]]:
        """Return the functions that a call may run, how many parameters are filled already, and whether it is sure."""
        chain = chain_of(call.func)
        if chain is None:
            return self._by_method_name(call)
        scope: Block | None = block
        while scope is not None and scope.outer is not None:
            if chain[0] in scope.bound:
                local = self._local.get((scope, chain[0]), [])
                if len(chain) == 1 and len(local) == 1:
                    return [(local[0], 0, True)]
                own = chain[0] in scope.positional()[:1] and scope.cls is not None and len(chain) == 2
                return self._own_method(scope, chain[1], call) if own else self._by_method_name(call)
            scope = scope.outer
        things = self.things(call, block)
        found = [each for thing in things for each in self._functions(thing)]
        return found or self._by_method_name(call)

    def things(self, call: ast.Call, block: Block) -> tuple[Thing, ...]:
        """Return what a call by a name of the module means."""
        chain, path = chain_of(call.func), self.path_of[block]
        usage = self.receivers.usages.get(path)
        if chain is None or usage is None or (block.outer is not None and chain[0] in block.bound):
            return ()
        return self.receivers.look(path, usage.module, chain) or ()

    def dotted(self, node: ast.expr, block: Block) -> str:
        """Return the full name of something that is imported or built in; "" for anything else."""
        chain = chain_of(node)
        if chain is None:
            return ""
        path = self.path_of[block]
        found = self._imports.get(path, {}).get(chain[0])
        if found is not None and found.imported is not None:
            imported, name = found.imported, found.name
            whole = imported.module if imported.asname or name else imported.module.partition(".")[0]
            return ".".join((whole, *((name,) if name else ()), *chain[1:]))
        return chain[0] if len(chain) == 1 and chain[0] not in self.blocks[path][0].bound else ""

    def bound_arguments(self, call: ast.Call, callee: Block, filled: int) -> Iterator[tuple[str, ast.expr]]:
        """Yield the parameters of a function with what a call gives for them."""
        names = callee.positional()[filled:]
        for name, argument in zip(names, call.args, strict=False):
            if isinstance(argument, ast.Starred):
                break
            yield name, argument
        for keyword in call.keywords:
            if keyword.arg in callee.bound:
                yield keyword.arg, keyword.value

    def _process(self, block: Block) -> None:
        for target, given, conditional in block.assigned:
            values = self.value(given, block)
            if self._complete and not values and not isinstance(given, ast.Constant):
                values = ANYTHING
            self._assign(target, _unsure(values) if conditional else values, block)
        for node, conditional, _, _ in block.seen:
            if isinstance(node, ast.Call):
                for callee, filled, sure in self.callees(node, block):
                    self._bind(node, block, callee, filled, sure and not conditional)
        for result in block.returned:
            self._add(block, self.value(result, block), block.name)
        for decorator in block.decorators:
            if (tree := self._hydra(decorator, block)) and block.positional():
                self._add((block, block.positional()[0]), frozenset({tree}), block.positional()[0])

    def _bind(self, call: ast.Call, block: Block, callee: Block, filled: int, sure: bool) -> None:
        given = dict(self.bound_arguments(call, callee, filled))
        for name, node in given.items():
            # What other callers give proves nothing about this one: only what is known is passed on.
            values = frozenset(v for v in self.value(node, block) if v != UNKNOWN)
            self._add((callee, name), values if sure else _unsure(values), name)
        if callee.parameters is not None:
            names = callee.positional()
            defaults = callee.parameters.defaults
            for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
                if name not in given and isinstance(default, ast.Constant):
                    values = frozenset(v for v in self.value(default, callee) if v != UNKNOWN)
                    self._add((callee, name), values if sure else _unsure(values), name)

    def _assign(self, target: ast.expr, values: Values, block: Block) -> None:
        match target:
            case ast.Name():
                scope: Block | None = block
                while scope is not None and target.id not in scope.bound:
                    scope = scope.outer
                self._add((scope or block, target.id), values, target.id)
            case ast.Attribute(value=ast.Name(id=owner)) if block.cls and owner in block.positional()[:1]:
                self._add((self.path_of[block], block.cls, target.attr), values, target.attr)
            case ast.Tuple() | ast.List():
                for each in target.elts:
                    self._assign(each, ANYTHING, block)

    def _add(self, key: Hashable, values: Values, name: str) -> None:
        before = self._known.get(key, NOTHING)
        after = before | values
        if len(after) > _MOST:
            after = ANYTHING
        if after != before and before != ANYTHING:
            self._known[key] = after
            self._changed = True
            if any(not isinstance(v, type(UNKNOWN)) for v in after):
                self._hot.add(name)

    def _attribute(self, node: ast.Attribute, block: Block, depth: int) -> Values:
        if isinstance(node.value, ast.Name) and block.cls and node.value.id in block.positional()[:1]:
            return self.attribute(node.attr, block)
        base = self.value(node.value, block, depth + 1)
        trees = [v for v in base if isinstance(v, Tree) and v.attributes != "none"]
        if trees:
            return frozenset(v.below(node.attr) for v in trees) | (base & ANYTHING)
        default = self._options[self.path_of[block]].get(node.attr)
        return frozenset({Text(default, sure=self.designed)}) if default else ANYTHING

    def attribute(self, name: str, block: Block) -> Values:
        """Return what an attribute of `self` may be in a method."""
        path = self.path_of[block]
        usage = self.receivers.usages.get(path)
        bindings = usage.module.bindings.get(block.cls or "", []) if usage is not None else []
        cls = bindings[0].cls if len(bindings) == 1 else None
        families = self.receivers.families
        owners = [(families.path_of[c], c.name) for c in families.ancestors(cls)] if cls else [(path, block.cls or "")]
        found = NOTHING.union(*(self._known.get((*owner, name), NOTHING) for owner in owners))
        return frozenset({Tree(DESIGNED, (), True)}) if not found and self.designed and name == "config" else found

    def _below(self, base: Values, key: str) -> Values:
        return frozenset(v.below(key) if isinstance(v, Tree) else UNKNOWN for v in base)

    def _call(self, node: ast.Call, block: Block, depth: int) -> Values:
        dotted = self.dotted(node.func, block)
        first: Values = NOTHING
        given = node.args[:1] or [k.value for k in node.keywords[:1]]
        if given and not isinstance(given[0], ast.Starred):
            first = self.value(given[0], block, depth + 1)
        if dotted in _LOADERS:
            return frozenset(Tree(v.file, (), v.sure) if isinstance(v, Stream) else UNKNOWN for v in first)
        if dotted in _OPENERS:
            return self._streams(first, block)
        if dotted == "omegaconf.OmegaConf.load":
            streams = self._streams(first, block)
            return frozenset(Tree(v.file, (), False, "all") if isinstance(v, Stream) else UNKNOWN for v in streams)
        if dotted == "os.path.join" and node.args:
            last = self.value(node.args[-1], block, depth + 1)
            return frozenset(replace(v, is_tail=len(node.args) > 1) if isinstance(v, Text) else UNKNOWN for v in last)
        if dotted in _SAME_PATH or dotted in _SAME:
            return first
        if dotted in _ATTRIBUTES | _NAMESPACES:
            style: Literal["here", "all"] = "here" if dotted in _NAMESPACES else "all"
            return frozenset(replace(v, attributes=style) if isinstance(v, Tree) else UNKNOWN for v in first)
        if dotted == "omegaconf.OmegaConf.to_container":
            return frozenset(replace(v, attributes="none") if isinstance(v, Tree) else UNKNOWN for v in first)
        if isinstance(node.func, ast.Attribute):
            method = self._method(node, node.func, block, depth)
            if method is not None:
                return method
        callees = self.callees(node, block)
        return NOTHING.union(*(self._known.get(callee, NOTHING) for callee, _, _ in callees)) if callees else ANYTHING

    def _method(self, node: ast.Call, func: ast.Attribute, block: Block, depth: int) -> Values | None:
        """Return the result of a method of a path, a stream or settings; None when it is none."""
        base = self.value(func.value, block, depth + 1)
        trees = [v for v in base if isinstance(v, Tree)]
        if trees and func.attr in ("get", "pop") and node.args and isinstance(node.args[0], ast.Constant):
            key = node.args[0].value
            found = self._below(base, key) if isinstance(key, str) else ANYTHING
            return _unsure(found) if len(node.args) > 1 else found
        if trees and func.attr == "copy":
            return base
        if func.attr == "read" and any(isinstance(v, Stream) for v in base):
            return base
        if func.attr in ("open", "read_text", "read_bytes") and (any(isinstance(v, Text) for v in base) or not trees):
            return self._streams(base, block) if any(isinstance(v, Text) for v in base) else None
        if func.attr in ("resolve", "absolute", "expanduser", "as_posix") and not node.args:
            return base
        if func.attr == "joinpath" and node.args:
            last = self.value(node.args[-1], block, depth + 1)
            return frozenset(replace(v, is_tail=True) if isinstance(v, Text) else UNKNOWN for v in last)
        return None

    def _streams(self, values: Values, block: Block) -> Values:
        found: set[Stream] = set()
        for value in values or ANYTHING:
            file = None
            if isinstance(value, Text):
                file = self.settings.named(value.text, self.path_of[block], value.is_tail)
            sure = file is not None and isinstance(value, Text) and value.sure
            file = file or (self.settings.only() if not isinstance(value, Text) else None)
            if file is None:
                return ANYTHING
            found.add(Stream(file, sure))
        return frozenset(found)

    def _imported(self, name: str, path: str) -> Values:
        """Return what a name may be that is imported from another file of the repository."""
        usage = self.receivers.usages.get(path)
        bindings = usage.module.bindings.get(name, []) if usage is not None else []
        if len(bindings) != 1 or bindings[0].imported is None or bindings[0].name is None:
            return NOTHING
        resolved = self.receivers.modules.resolve(bindings[0].imported, path)
        file = resolved.modules[0].file if len(resolved.modules) == 1 else None
        there = self.blocks.get(file, ()) if file is not None else ()
        return self._known.get((there[0], bindings[0].name), NOTHING) if there else NOTHING

    def _own_method(self, scope: Block, name: str, call: ast.Call) -> list[tuple[Block, int, bool]]:
        found = [b for b in self._methods[name] if b.cls == scope.cls and self.path_of[b] == self.path_of[scope]]
        return [(found[0], 1, True)] if len(found) == 1 else self._by_method_name(call)

    def _by_method_name(self, call: ast.Call) -> list[tuple[Block, int, bool]]:
        """Return the only method of that name in the repository: likely it is meant."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        found = self._methods.get(name, [])
        return [(found[0], 1, False)] if len(found) == 1 and name not in _BUILT_IN else []

    def _functions(self, thing: Thing) -> Iterator[tuple[Block, int, bool]]:
        if isinstance(thing, AFunction) and (thing.path, thing.function.line) in self._by_line:
            yield self._by_line[thing.path, thing.function.line], int(thing.bound), True
        elif isinstance(thing, AClass):
            for cls in self.receivers.families.ancestors(thing.cls):
                path = self.receivers.families.path_of[cls]
                for method in self._methods["__init__"]:
                    if method.cls == cls.name and self.path_of[method] == path:
                        yield method, 1, True
                        return

    def _hydra(self, decorator: ast.expr, block: Block) -> Tree | None:
        if not isinstance(decorator, ast.Call) or self.dotted(decorator.func, block) != "hydra.main":
            return None
        given = {k.arg: k.value.value for k in decorator.keywords if isinstance(k.value, ast.Constant)}
        folder, name = given.get("config_path"), given.get("config_name")
        if not isinstance(folder, str) or not isinstance(name, str):
            return None
        text = f"{folder}/{name if name.endswith('.yaml') else name + '.yaml'}"
        file = self.settings.named(text, self.path_of[block], by_tail=True)
        return Tree(file, (), False, "all") if file is not None else None


def _unsure(values: Values) -> Values:
    return frozenset(replace(v, sure=False) if isinstance(v, Text | Stream | Tree) else v for v in values)


def _options(blocks: Iterable[Block]) -> Iterator[tuple[str, str]]:
    """Yield the options of a command line that have a YAML file for a default."""
    for block in blocks:
        for node, _, _, _ in block.seen:
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr != "add_argument":
                continue
            names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            default = next((k.value for k in node.keywords if k.arg == "default"), None)
            if isinstance(default, ast.Constant) and str(default.value).endswith((".yaml", ".yml")) and names:
                yield max(names, key=len).lstrip("-").replace("-", "_"), str(default.value)
