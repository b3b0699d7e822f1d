"""The arguments that making an object of a class takes.

In: a class of the repository. Out: its possible signatures, or None where reading cannot tell. Must not know calls.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from paper2code_local.source import Class, Field, Signature
from paper2code_local.stages.s5_validate.families import Families
from paper2code_local.stages.s5_validate.outside import EMPTY, attributes_of
from paper2code_local.stages.s5_validate.receivers import Receivers, named_tuple
from paper2code_local.stages.s5_validate.things import AClass, AFunction, Outside

_DEPTH = 12
_CALLED_OTHERWISE = ("enum.", "typing.TypedDict", "typing_extensions.TypedDict")
_NAMED_TUPLE = "typing.NamedTuple"
_NO_ARGUMENTS = Signature((), 0, 0, (), (), False, False)


@dataclass(frozen=True, slots=True)
class Constructor:
    """One way to make an object; the object itself is not among the parameters."""

    signature: Signature
    bound: bool
    """The first parameter of `signature` is the object after all: it was written as a method."""
    sure: bool
    """Nothing outside of the repository may change it."""


Constructors = tuple[Constructor, ...]


class Constructing:
    """Answers for the classes of one repository."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._families: Families = receivers.families

    def constructors(self, cls: Class, exact: bool) -> Constructors | None:
        """Return what may be asked for; not `exact`: by the class or by one that derives from it."""
        found: dict[Constructor, None] = {}
        if self._families.is_large(cls, exact):
            return None
        if not exact and any(self._families.is_loose(c) for c in self._families.descendants(cls)):
            return None
        for each in [cls] if exact else self._families.descendants(cls):
            constructors = self._of(each)
            if constructors is None:
                return None
            found.update(dict.fromkeys(constructors))
        return tuple(found)

    def _of(self, cls: Class) -> Constructors | None:
        ancestors = self._families.ancestors(cls)
        if any(self._families.has_metaclass(c) for c in ancestors):
            return None
        if any(name.startswith(_CALLED_OTHERWISE) for name in self._families.outside(cls)):
            return None
        if any("__new__" in c.scope.bindings for c in ancestors):
            return None
        found = self._init(cls, 0)
        if found == ():
            found = (Constructor(_NO_ARGUMENTS, False, True),)
        if found is not None and not self._is_plain(ancestors):
            found = tuple(replace(each, sure=False) for each in found)
        return found

    def _is_plain(self, ancestors: list[Class]) -> bool:
        """Tell whether every base outside is known to leave calls of the class alone."""
        for cls in ancestors:
            for base in self._families.bases(cls):
                if base is None:
                    return False
                if isinstance(base, Outside) and base.dotted != _NAMED_TUPLE and attributes_of(base.dotted) is None:
                    return False
            if self._receivers.role(self._families.path_of[cls], cls.outer, cls.decorators) is None:
                return False
        return True

    def _init(self, cls: Class, depth: int) -> Constructors | None:
        """Return the `__init__` that the class has; () for that of `object`."""
        path = self._families.path_of[cls]
        role = self._receivers.role(path, cls.outer, cls.decorators)
        if depth > _DEPTH:
            return None
        if "__init__" in cls.scope.bindings:
            things = self._receivers.bound(path, cls.scope.bindings["__init__"])
            if things is None or not all(isinstance(t, AFunction) and t.role == "plain" for t in things):
                return None
            return tuple(Constructor(t.function.signature, True, True) for t in things if isinstance(t, AFunction))
        if role is None:
            return None
        if role == "dataclass" and "init" not in cls.options:
            signature = self._dataclass(cls) if "?" not in cls.options else None
            return (Constructor(signature, False, True),) if signature is not None else None
        if cls.namedtuple is not None and not cls.namedtuple.arguments.keywords:
            signature = named_tuple(cls.namedtuple.literals)
            return (Constructor(signature, False, True),) if signature is not None else None
        return self._inherited(cls, depth)

    def _inherited(self, cls: Class, depth: int) -> Constructors | None:
        found: Constructors = ()
        for base in self._families.bases(cls):
            if isinstance(base, AClass):
                constructors = self._init(base.cls, depth + 1)
                if constructors is None:
                    return found or None
                found += constructors
            elif base is not None and base.dotted == _NAMED_TUPLE:
                signature = _signature(cls.fields, cls) if len(cls.bases) == 1 else None
                return (Constructor(signature, False, True),) if signature is not None else None
            elif base is None or base.dotted not in EMPTY:
                return found or None
        return found

    def _dataclass(self, cls: Class) -> Signature | None:
        fields = self._fields(cls, 0)
        return _signature(tuple(fields.values()), None) if fields is not None else None

    def _fields(self, cls: Class, depth: int) -> dict[str, Field] | None:
        """Return the fields of a data class and of the data classes that it derives from."""
        found: dict[str, Field] = {}
        inherited: set[str] = set()
        if depth > _DEPTH or "?" in cls.options:
            return None
        for base in reversed(self._families.bases(cls)):
            if isinstance(base, AClass):
                fields = self._fields(base.cls, depth + 1)
                if fields is None:
                    return None
                found |= fields
                inherited |= {name for c in self._families.ancestors(base.cls) for name in c.scope.bindings}
            elif base is None or base.dotted not in EMPTY:
                return None
        path = self._families.path_of[cls]
        role = self._receivers.role(path, cls.outer, cls.decorators)
        if role != "dataclass":
            return found if role is not None else None
        for field in cls.fields:
            if not field.certain or len(cls.scope.bindings.get(field.name, ())) != 1:
                return None
            kw_only = field.kw_only if field.kw_only is not None else "kw_only" in cls.options
            default = field.has_default or field.name in inherited
            found[field.name] = replace(field, kw_only=kw_only, has_default=default)
        return found


def _signature(fields: tuple[Field, ...], named: Class | None) -> Signature | None:
    """Return the parameters that fields make; None when they cannot be in this order."""
    if not all(field.certain for field in fields):
        return None
    if named is not None and any(len(named.scope.bindings.get(field.name, ())) != 1 for field in fields):
        return None
    positional = [f for f in fields if f.init and not f.kw_only]
    keyword_only = [f for f in fields if f.init and f.kw_only]
    required = sum(not f.has_default for f in positional)
    if any(f.has_default for f in positional[:required]):
        return None
    return Signature(
        positional=tuple(f.name for f in positional),
        positional_only=0,
        required=required,
        keyword_only=tuple(f.name for f in keyword_only),
        required_keywords=tuple(f.name for f in keyword_only if not f.has_default),
        varargs=False,
        varkw=False,
    )
