"""The classes of a repository: who derives from whom, and what each has.

In: every class, and a way to find out what its bases are. Out: members, attributes, ancestors, descendants. Must not
know where a class is used, nor what is reported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from paper2code_local.source import Binding, Class
from paper2code_local.stages.s5_validate.outside import EMPTY, NN_MODULES, attributes_of
from paper2code_local.stages.s5_validate.things import AClass, Outside

if TYPE_CHECKING:
    from paper2code_local.stages.s5_validate.receivers import Receivers

Members = tuple[tuple[str, list[Binding]], ...]
"""(path, bindings) of each class body that may provide an attribute."""

_PLAIN_METACLASSES = frozenset({"abc.ABCMeta"})
_ANSWERS_ANYTHING = frozenset({"__getattr__", "__getattribute__"})
_DEPTH = 12
_LARGEST = 300
"""Of a larger family nothing is said: that bounds the work."""


@dataclass(frozen=True, slots=True)
class Attributes:
    """What the objects of a class have."""

    names: frozenset[str]
    status: Literal["closed", "torch", "decorated", "open", "anything"]
    """"closed": this is all; "torch": but for private names that another version of PyTorch may have; "decorated": but
    for what registering may add; "open": there may be more, from a base or decorator that is not known, or under names
    that reading does not show; "anything": they answer what they are asked, or a metaclass does."""


class Families:
    """Answers for the classes of one repository."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self.path_of = {cls: path for path, usage in receivers.usages.items() for cls in usage.classes}
        self._bases: dict[Class, tuple[AClass | Outside | None, ...]] = {}
        self._children: dict[Class, list[Class]] = defaultdict(list)
        self._loose: set[str] = set()
        self._ancestors: dict[Class, list[Class]] = {}
        self._descendants: dict[Class, list[Class]] = {}
        self._families: dict[tuple[Class, bool], list[Class]] = {}
        self._dynamic: dict[tuple[Class, bool], bool] = {}
        self._attributes: dict[tuple[Class, bool], Attributes] = {}

    def relate(self) -> None:
        """Find out who derives from whom."""
        for cls in self.path_of:
            for chain, base in zip(cls.bases, self.bases(cls), strict=True):
                if isinstance(base, AClass):
                    self._children[base.cls].append(cls)
                else:  # what seems to be of another package may be one of these, by a way that is not understood
                    self._loose.update(chain[-1:] if chain is not None else ())
                    self._loose.update([base.dotted.rpartition(".")[2]] if base is not None else ())

    def forget(self) -> None:
        """Forget what depends on which classes get attributes by name from outside."""
        self._dynamic.clear()
        self._attributes.clear()

    def bases(self, cls: Class) -> tuple[AClass | Outside | None, ...]:
        """Return what a class derives from; None for a base that reading does not understand."""
        if cls not in self._bases:
            self._bases[cls] = tuple(None for _ in cls.bases)  # what a circle of bases sees
            found = (self._receivers.look(self.path_of[cls], cls.outer, c) if c else None for c in cls.bases)
            self._bases[cls] = tuple(
                f[0] if f is not None and len(f) == 1 and isinstance(f[0], AClass | Outside) else None for f in found
            )
        return self._bases[cls]

    def ancestors(self, cls: Class) -> list[Class]:
        """Return a class and all of the repository that it derives from."""
        if cls not in self._ancestors:
            self._ancestors[cls] = self._reached(cls, lambda c: [b.cls for b in self.bases(c) if isinstance(b, AClass)])
        return self._ancestors[cls]

    def descendants(self, cls: Class) -> list[Class]:
        """Return a class and all of the repository that derive from it."""
        if cls not in self._descendants:
            self._descendants[cls] = self._reached(cls, lambda c: self._children.get(c, []))
        return self._descendants[cls]

    def outside(self, cls: Class) -> frozenset[str]:
        """Return the names of the bases outside of the repository, of the class and of what it derives from."""
        return frozenset(b.dotted for c in self.ancestors(cls) for b in self.bases(c) if isinstance(b, Outside))

    def is_large(self, cls: Class, exact: bool) -> bool:
        """Tell whether the family is too large for anything to be said."""
        return len(self._family(cls, exact)) >= _LARGEST

    def is_dynamic(self, cls: Class, exact: bool) -> bool:
        """Tell whether objects of the class get attributes by names that reading does not show."""
        key = (cls, exact)
        if key not in self._dynamic:
            opened = self._receivers.opened
            self._dynamic[key] = self.is_large(cls, exact) or any(
                c.dynamic or c in opened or (c.name in self._loose and not exact) for c in self._family(cls, exact)
            )
        return self._dynamic[key]

    def is_loose(self, cls: Class) -> bool:
        """Tell whether a class that is not understood may derive from this one."""
        return cls.name in self._loose

    def is_bound_in_body(self, cls: Class, name: str, exact: bool) -> bool:
        """Tell whether a class body of the family binds the name."""
        return any(name in c.scope.bindings for c in self._family(cls, exact))

    def members(self, cls: Class, name: str, exact: bool) -> Members | None:
        """Return where an attribute may come from; () when from no class body, None when that is not certain."""
        found: dict[str, Members] = {}
        for each in [cls] if exact else self.descendants(cls):
            members = self._member(each, name)
            if members is None:
                return None
            found[f"{self.path_of[each]}:{each.line}"] = members
        return tuple({id(bindings): (path, bindings) for m in found.values() for path, bindings in m}.values())

    def member_after(self, cls: Class, name: str) -> Members | None:
        """Return what `super().name` means in a method of the class; None where what derives from it may decide."""
        if cls.name in self._loose or any(len(c.bases) > 1 for c in self.descendants(cls) if c is not cls):
            return None
        return self._inherited(cls, name, 0)

    def stores(self, cls: Class, name: str, exact: bool) -> list[tuple[str, Binding]]:
        """Return what methods assign to the attribute of `self`."""
        return [(self.path_of[c], store) for c in self._family(cls, exact) for store in c.stores.get(name, ())]

    def only_sets(self, cls: Class, name: str, after_super: bool) -> bool:
        """Tell whether an attribute is there only once the methods of this class have assigned it.

        `after_super`: `super()` was called before; that sets nothing where all bases are empty or PyTorch modules.
        """
        family = self._family(cls, False)
        bases = self.outside(cls)
        plain = len(self.ancestors(cls)) == 1 and bases <= EMPTY | NN_MODULES and None not in self.bases(cls)
        return (
            name in cls.stores
            and self.attributes(cls, False).status in ("closed", "torch")
            and not self.is_dynamic(cls, False)
            and (plain or not after_super)
            and not any(name in c.scope.bindings or (name in c.stores and c is not cls) for c in family)
            and not any(name in (attributes_of(base) or ()) for base in bases)
            and "__new__" not in cls.scope.bindings
        )

    def only_declares(self, cls: Class, name: str, exact: bool) -> bool:
        """Tell whether an attribute is nothing but an annotation (`name: int`) in the class and others of its family.

        Of what a decorator makes of a class, and of bases that are not known, that is not said.
        """
        family = self._family(cls, exact)
        bodies = [c for c in family if name in c.scope.bindings]
        bare = {c for c in bodies if any(f.name == name and f.certain and not f.has_default for f in c.fields)}
        return (
            bool(bodies)
            and self.attributes(cls, exact).status in ("closed", "torch")
            and all(c in bare and len(c.scope.bindings[name]) == 1 and not c.decorators for c in bodies)
            and not any(name in c.stores for c in family)
            and not any(name in (attributes_of(base) or ()) for c in family for base in self.outside(c))
        )

    def makes_itself(self, cls: Class) -> bool:
        """Tell whether calling the class makes an object of it."""
        return not any("__new__" in c.scope.bindings or self.has_metaclass(c) for c in self.ancestors(cls))

    def has_metaclass(self, cls: Class) -> bool:
        """Tell whether the class statement names a metaclass that may do anything."""
        if "metaclass" not in cls.keywords:
            return "**" in cls.keywords
        things = self._receivers.look(self.path_of[cls], cls.outer, cls.metaclass) if cls.metaclass else None
        return things is None or not all(isinstance(t, Outside) and t.dotted in _PLAIN_METACLASSES for t in things)

    def attributes(self, cls: Class, exact: bool) -> Attributes:
        """Return the attributes of the objects of a class; not `exact`: or of one that derives from it."""
        key = (cls, exact)
        if key not in self._attributes:
            self._attributes[key] = self._collect(self._family(cls, exact), self.is_dynamic(cls, exact))
            if self.is_large(cls, exact):
                self._attributes[key] = Attributes(frozenset(), "anything")
        return self._attributes[key]

    def _collect(self, family: list[Class], is_open: bool) -> Attributes:
        names: set[str] = {"__class__"}
        is_anything, is_torch, is_decorated = False, False, False
        for cls in family:
            names.update(cls.scope.bindings, cls.stores)
            is_anything |= self.has_metaclass(cls) or not cls.scope.bindings.keys().isdisjoint(_ANSWERS_ANYTHING)
            role = self._receivers.role(self.path_of[cls], cls.outer, cls.decorators)
            registered = all("regist" in ".".join(decorator or ("?",)).lower() for decorator in cls.decorators)
            is_open |= role is None and not registered
            is_decorated |= role is None or bool(cls.keywords - {"metaclass"})
            for base in self.bases(cls):
                known = attributes_of(base.dotted) if isinstance(base, Outside) else frozenset()
                if base is None or known is None:
                    is_open = True
                elif isinstance(base, Outside):
                    names |= known
                    is_torch |= base.dotted.startswith("torch.")
        names.update(dir(object))
        if is_open or is_anything:
            return Attributes(frozenset(names), "anything" if is_anything else "open")
        return Attributes(frozenset(names), "decorated" if is_decorated else "torch" if is_torch else "closed")

    def _member(self, cls: Class, name: str, depth: int = 0) -> Members | None:
        if name in cls.scope.bindings:
            return ((self.path_of[cls], cls.scope.bindings[name]),)
        return self._inherited(cls, name, depth) if depth < _DEPTH else None

    def _inherited(self, cls: Class, name: str, depth: int) -> Members | None:
        """Return what the bases provide, nearest first; where two do, both: their order is not computed."""
        found: Members = ()
        if self.has_metaclass(cls):
            return None
        for base in self.bases(cls):
            members: Members | None = None
            if isinstance(base, AClass):
                members = self._member(base.cls, name, depth + 1)
            elif base is not None:
                known = attributes_of(base.dotted)
                members = () if known is not None and (base.dotted in EMPTY or name not in known) else None
            if members is None:
                return found or None
            found += members
        return found

    def _family(self, cls: Class, exact: bool) -> list[Class]:
        """Return whom the objects have their attributes from, at most `_LARGEST` of them."""
        if exact:
            return self.ancestors(cls)
        key = (cls, exact)
        if key not in self._families:
            found = dict.fromkeys(self.descendants(cls))
            for each in self.descendants(cls):
                if len(found) < _LARGEST:
                    found.update(dict.fromkeys(self.ancestors(each)))
            self._families[key] = list(found)
        return self._families[key]

    def _reached(self, cls: Class, onward: Callable[[Class], Iterable[Class]]) -> list[Class]:
        found = {cls: None}
        queue = [cls]
        for each in queue:
            for after in onward(each) if len(queue) < _LARGEST else ():
                if after not in found:
                    found[after] = None
                    queue.append(after)
        return queue
