"""The scopes of a file, what is bound in them and what is asked of them: the nouns of `usage`.

In: nothing. Out: data. Must not know how a file is walked, nor other files.

A *chain* is an expression that begins with a name and goes on by attributes and calls, as ("Net", "()", "encode") for
`Net(…).encode`. Whatever else an expression may be has no chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from paper2code_local.source.outline import Import
from paper2code_local.source.shapes import Arguments, Signature

Chain = tuple[str, ...]
CALL = "()"
Kind = Literal["module", "class", "function", "comprehension"]


@dataclass(slots=True, eq=False)
class Scope:
    """One scope of a file."""

    kind: Kind
    parent: Scope | None
    cls: Class | None = None
    """For the scope of a method, and all below it: the class."""
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    module_names: set[str] = field(default_factory=set)
    """Declared `global` here."""
    loads: dict[str, Place] = field(default_factory=dict)
    """Name → the first place that reads it and has no reason to fail."""

    def find(self, name: str) -> list[Binding]:
        """Return what `name`, read in this scope, may be bound to; nothing when no scope of the file binds it."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.module_names:
                scope = scope.module()
            if name in scope.bindings and (scope.kind != "class" or scope is self):
                return scope.bindings[name]
            scope = scope.parent
        return []

    def module(self) -> Scope:
        """Return the outermost scope."""
        scope = self
        while scope.parent is not None:
            scope = scope.parent
        return scope


class Place(NamedTuple):
    """Where something is read."""

    line: int
    doubtful: bool
    """May never run, or may fail in peace."""


class Early(NamedTuple):
    """A name, or in a constructor an attribute of `self`, read before anything can have bound it."""

    name: str
    line: int
    in_module: bool
    """Read by the module itself: other files may bind it."""
    after_super: bool
    """`super()` was called before."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One way in which a name is bound in its scope."""

    kind: Literal["import", "def", "class", "value", "data", "self", "cls", "other"]
    """"data": what is assigned can evidently not be called."""
    line: int
    scope: Scope
    """Where `value` is read."""
    value: Chain | None = None
    """What is assigned."""
    imported: Import | None = None
    name: str | None = None
    """For a from-import the name in the module."""
    function: Function | None = None
    cls: Class | None = None
    """The class; for `self` and `cls` the one around the method."""
    call: Call | None = None
    """The call that is assigned, if it has literal strings for arguments (a namedtuple)."""


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """One `def`."""

    name: str
    line: int
    signature: Signature
    decorators: tuple[Chain | None, ...]
    hollow: bool
    """Does nothing but raise, pass, or document."""
    endless: tuple[Chain, int] | None = None
    """How it calls itself whenever it is called, and the line."""


@dataclass(slots=True, eq=False)
class Class:
    """One class statement."""

    name: str
    line: int
    bases: tuple[Chain | None, ...]
    decorators: tuple[Chain | None, ...]
    keywords: frozenset[str]
    metaclass: Chain | None
    outer: Scope
    """Where bases and decorators are read."""
    scope: Scope
    fields: tuple[Field, ...] = ()
    stores: dict[str, list[Binding]] = field(default_factory=dict)
    """Attribute → what its own methods assign to `self.attribute`."""
    dynamic: bool = False
    """Sets attributes whose names reading does not show."""
    early: tuple[Early, ...] = ()
    """Attributes of `self` that the constructor reads before it sets them, and before anybody else can have."""
    namedtuple: Call | None = None
    """Among the bases: `namedtuple("P", "x y")`."""
    options: frozenset[str] = frozenset()
    """Keywords given to the decorator (of a data class) with another value than True or False, or that differ from
    the default: "init", "kw_only"."""


@dataclass(frozen=True, slots=True)
class Field:
    """An annotated name in the body of a class, as data classes and named tuples read it."""

    name: str
    has_default: bool
    init: bool
    kw_only: bool | None
    """None: as the class says."""
    certain: bool
    """Reading is sure of the above."""


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One call whose function has a chain."""

    chain: Chain
    arguments: Arguments
    scope: Scope
    place: Place
    literals: tuple[str | tuple[str, ...] | None, ...] = ()
    """The leading positional arguments where they are strings or lists of strings."""
    partial: Chain | None = None
    """The first argument, when the function is called `partial`."""


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """How a file uses names."""

    module: Scope
    scopes: tuple[Scope, ...]
    classes: tuple[Class, ...]
    calls: tuple[Call, ...]
    reads: tuple[tuple[Scope, Chain, Place], ...]
    """Attributes that are read, each chain once for each scope: ("self", "encoder", "weight")."""
    early: tuple[Early, ...]
    """Names that are read before their scope can have bound them."""
    stored: frozenset[str]
    """Attributes assigned to anything but a plain `self`, by name."""
    stored_on_modules: frozenset[str]
    """Those of them whose object is bound by an import."""
    probed: frozenset[str]
    """Attributes that `hasattr` or `getattr` ask for."""
    opened: tuple[tuple[Scope, Chain], ...]
    """Objects that get attributes whose names reading does not show."""
    opens_anything: bool
    """Some object that cannot be read gets attributes whose names reading does not show."""
    rebinds: bool
    """Writes to the module's own names in ways that reading does not show."""
    stars: bool
    """Has a star import."""

    def names(self) -> Iterator[tuple[Scope, str, Place]]:
        """Yield each name that is read and that no scope of the file binds."""
        for scope in self.scopes:
            for name, place in scope.loads.items():
                if not scope.find(name):
                    yield scope, name, place
