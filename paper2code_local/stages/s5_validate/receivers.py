"""What a name, or a chain of attributes and calls, evidently is.

In: the modules of a repository and how each file uses names. Out: for a chain in a scope the things that it may be, or
None where reading cannot tell. Must not know what is reported about it.

Sound first: several bindings of a name are all kept, and one that is not understood makes the whole unknown.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import replace

from paper2code_local.source import CALL, Binding, Chain, Class, Function, Import, Scope, Signature, Usage
from paper2code_local.stages.s5_validate.families import Families
from paper2code_local.stages.s5_validate.modules import UNKNOWN, Module, Modules
from paper2code_local.stages.s5_validate.outside import NN_MODULES, RETURN_SELF, role_of
from paper2code_local.stages.s5_validate.things import (
    AClass,
    AFunction,
    AModule,
    AnInstance,
    ASuper,
    Outside,
    OutsideMethod,
    Thing,
    Things,
)

_DEPTH = 15
"""Longest way from a name to what it means, in steps: aliases, re-exports, bases."""


class Receivers:
    """Answers for one repository."""

    def __init__(self, modules: Modules, usages: Mapping[str, Usage]) -> None:
        self.modules = modules
        self.usages = usages
        self.stored = frozenset(name for usage in usages.values() for name in usage.stored)
        self.stored_on_modules = frozenset(name for usage in usages.values() for name in usage.stored_on_modules)
        self.probed = frozenset(name for usage in usages.values() for name in usage.probed)
        self.opens_anything = any(usage.opens_anything for usage in usages.values())
        self.called = frozenset(call.chain[-1] for usage in usages.values() for call in usage.calls)
        """The last name of everything that is called anywhere."""
        self.opened: set[Class] = set()
        """Classes whose objects get attributes by name from outside."""
        self._seen: dict[tuple[Scope, Chain], Things | None] = {}
        self._depth = 0
        self.families = Families(self)
        self.families.relate()
        self._open_what_is_set_by_name()

    def look(self, path: str, scope: Scope, chain: Chain) -> Things | None:
        """Return what a chain in a scope of the file `path` may be; None when that is not certain."""
        key = (scope, chain)
        if key not in self._seen:
            if self._depth > _DEPTH:
                return None
            self._seen[key] = None  # what a circle of aliases sees
            self._depth += 1
            self._seen[key] = self._look(path, scope, chain)
            self._depth -= 1
        return self._seen[key]

    def imported_names(self, path: str) -> Iterator[Module | None]:
        """Yield the module of each star import of a file; None for one that is not certain."""
        for imported in self.modules.outlines[path].imports:
            if imported.star:
                resolved = self.modules.resolve(imported, path)
                yield from resolved.modules if resolved.certain else (None,)

    def _look(self, path: str, scope: Scope, chain: Chain) -> Things | None:
        if len(chain) > 1:
            if chain[1] == CALL and chain[0].partition(":")[0] == "super" and not scope.find("super"):
                return self._super(path, scope, chain)
            before = self.look(path, scope, chain[:-1])
            return None if before is None else self._each(before, chain[-1])
        bindings = scope.find(chain[0])
        usage = self.usages[path]
        if not bindings:
            return self._starred(path, chain[0])
        at_module = usage.module.bindings.get(chain[0]) is bindings
        if at_module and (usage.rebinds or chain[0] in self.stored_on_modules):
            return None
        return self.bound(path, bindings)

    def bound(self, path: str, bindings: list[Binding]) -> Things | None:
        """Return what a name with these bindings may be; overloads count only where there is nothing else."""
        found: dict[Thing, None] = {}
        for binding in bindings:
            things = self._bound(path, binding)
            if things is None:
                return None
            found.update(dict.fromkeys(things))
        real = [thing for thing in found if not (isinstance(thing, AFunction) and thing.role == "overload")]
        return tuple(real) or None

    def role(self, path: str, scope: Scope, decorators: tuple[Chain | None, ...]) -> str | None:
        """Say what decorators make of a function or class; None when one of them is not known."""
        role = "plain"
        for decorator in decorators:
            while decorator is not None and decorator[-1] == CALL:
                decorator = decorator[:-1]
            things = self.look(path, scope, decorator) if decorator else None
            known = role_of(things[0].dotted) if things and isinstance(things[0], Outside) else None
            if known is None:
                return None
            role = known if known != "plain" else role
        return role

    def _bound(self, path: str, binding: Binding) -> Things | None:
        if binding.function is not None:
            role = self.role(path, binding.scope, binding.function.decorators)
            return None if role is None else (AFunction(path, binding.function, role),)
        if binding.kind == "class" and binding.cls is not None:
            return (AClass(path, binding.cls),)
        if binding.kind == "self" and binding.cls is not None:
            return (AnInstance(path, binding.cls, exact=False),)
        if binding.kind == "cls" and binding.cls is not None:
            return (AClass(path, binding.cls, exact=False),)
        if binding.imported is not None:
            return self._imported(path, binding.imported, binding.name)
        if binding.call is not None:
            return self._named_tuple(path, binding)
        return self.look(path, binding.scope, binding.value) if binding.value is not None else None

    def _named_tuple(self, path: str, binding: Binding) -> Things | None:
        call = binding.call
        if call is None or self.look(path, call.scope, call.chain) != (Outside("collections.namedtuple"),):
            return None
        signature = named_tuple(call.literals) if not call.arguments.keywords else None
        function = Function(call.chain[-1], binding.line, signature, (), False) if signature is not None else None
        return (AFunction(path, function, "static"),) if function is not None else None

    def _imported(self, path: str, imported: Import, name: str | None) -> Things | None:
        if name is None and imported.asname is None:
            imported = replace(imported, module=imported.module.partition(".")[0])
        resolved = self.modules.resolve(imported, path)
        if not resolved.modules:
            if resolved.missing or resolved.outside or imported.level:
                return None
            return (Outside(f"{imported.module}.{name}" if name is not None else imported.module),)
        if not resolved.certain:
            return None
        things: Things = tuple(AModule(module) for module in resolved.modules)
        return things if name is None else self._each(things, name)

    def _starred(self, path: str, name: str) -> Things | None:
        """Return what a name is that only a star import or Python itself can bind."""
        if self.usages[path].rebinds:
            return None
        found: list[Thing] = []
        for module in self.imported_names(path):
            names = self.modules.star_names(module) if module is not None else None
            if module is None or names is None:
                return None
            if name in names:
                things = self._each((AModule(module),), name)
                if things is None or any(isinstance(thing, AModule) for thing in things):
                    return None  # a submodule is there only when somebody has imported it
                found.extend(things)
        if found:
            return tuple(dict.fromkeys(found))
        return (Outside(f"builtins.{name}"),) if hasattr(builtins, name) else None

    def _super(self, path: str, scope: Scope, chain: Chain) -> Things | None:
        cls = scope.cls
        if cls is None or scope.kind == "class" or chain[0] not in ("super", f"super:{cls.name}"):
            return None
        things: Things = (ASuper(path, cls),)
        for step in chain[2:]:
            after = self._each(things, step)
            if after is None:
                return None
            things = after
        return things

    def _each(self, things: Things, step: str) -> Things | None:
        found: dict[Thing, None] = {}
        for thing in things:
            after = self._step(thing, step)
            if after is None:
                return None
            found.update(dict.fromkeys(after))
        return tuple(found) or None

    def _step(self, thing: Thing, step: str) -> Things | None:
        if step == CALL:
            if isinstance(thing, AClass) and self.families.makes_itself(thing.cls):
                return (AnInstance(thing.path, thing.cls, thing.exact),)
            return (thing.instance,) if isinstance(thing, OutsideMethod) and thing.name in RETURN_SELF else None
        if isinstance(thing, AModule):
            return self._of_module(thing.module, step)
        if isinstance(thing, Outside):
            return (Outside(f"{thing.dotted}.{step}"),)
        if isinstance(thing, AClass | AnInstance | ASuper):
            return self.of_class(thing, step)
        return None

    def _of_module(self, module: Module, name: str) -> Things | None:
        if module == UNKNOWN or name in self.stored_on_modules:
            return None
        below = self.modules.child(module, name)
        usage = self.usages.get(module.file) if module.file is not None else None
        if module.file is None or (usage is not None and name not in usage.module.bindings and below is not None):
            return (AModule(below),) if below is not None and below != UNKNOWN else None
        if usage is None or below is not None or usage.rebinds:
            return None
        return self.look(module.file, usage.module, (name,))

    def of_class(self, thing: AClass | AnInstance | ASuper, name: str) -> Things | None:
        """Return what an attribute of a class, of an object or of `super()` may be; None when that is not certain."""
        families = self.families
        if isinstance(thing, AnInstance) and name in RETURN_SELF and NN_MODULES & families.outside(thing.cls):
            bound = families.is_bound_in_body(thing.cls, name, thing.exact)
            return (OutsideMethod(thing, name),) if not bound else None
        if name in self.stored or families.is_dynamic(thing.cls, getattr(thing, "exact", False)):
            return None
        if isinstance(thing, ASuper):
            members = families.member_after(thing.cls, name)
        else:
            stores = families.stores(thing.cls, name, thing.exact)
            members = families.members(thing.cls, name, thing.exact)
            if stores:
                return self._stored(stores) if members == () and isinstance(thing, AnInstance) else None
        if not members:
            return None
        found: dict[Thing, None] = {}
        for path, bindings in members:
            things = self.bound(path, bindings)
            if things is None or not all(isinstance(each, AFunction | AClass) for each in things):
                return None
            found.update((self._method(each, thing), None) for each in things)
        return tuple(found) if not any(isinstance(t, AFunction) and t.role == "property" for t in found) else None

    def _stored(self, stores: list[tuple[str, Binding]]) -> Things | None:
        found: dict[Thing, None] = {}
        for path, binding in stores:
            things = self.look(path, binding.scope, binding.value) if binding.value is not None else None
            if things is None:
                return None
            found.update(dict.fromkeys(things))
        return tuple(found)

    def _method(self, thing: Thing, owner: AClass | AnInstance | ASuper) -> Thing:
        """Say whether the first parameter of a function in a class is filled by what stands before the dot."""
        if not isinstance(thing, AFunction) or thing.role in ("property", "overload"):
            return thing
        is_class_method = thing.role == "class" or thing.function.name in ("__init_subclass__", "__class_getitem__")
        static = thing.role == "static" or thing.function.name == "__new__"
        bound = not static and (is_class_method or not isinstance(owner, AClass))
        return replace(thing, bound=bound, exact=getattr(owner, "exact", True), role=thing.role)

    def _open_what_is_set_by_name(self) -> None:
        for path, usage in self.usages.items():
            for scope, chain in usage.opened:
                for thing in self.look(path, scope, chain) or (None,):
                    if isinstance(thing, AClass | AnInstance):
                        self.opened.add(thing.cls)
                    elif not isinstance(thing, Outside | AModule):
                        self.opens_anything = True
        self._seen.clear()  # what was found out before all of this was known
        self.families.forget()


def named_tuple(literals: tuple[str | tuple[str, ...] | None, ...]) -> Signature | None:
    """Return the constructor of `namedtuple(name, fields)`; None when the fields cannot be read."""
    if len(literals) != 2 or literals[1] is None:
        return None
    fields = literals[1].replace(",", " ").split() if isinstance(literals[1], str) else list(literals[1])
    return Signature(tuple(fields), 0, len(fields), (), (), False, False)
