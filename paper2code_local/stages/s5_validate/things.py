"""What a chain may evidently be: the nouns of `receivers`.

In: nothing. Out: data. Must not know how it is found out.
"""

from __future__ import annotations

from dataclasses import dataclass

from paper2code_local.source import Class, Function
from paper2code_local.stages.s5_validate.modules import Module


@dataclass(frozen=True, slots=True)
class AModule:
    """A module of the repository."""

    module: Module


@dataclass(frozen=True, slots=True)
class AClass:
    """A class of the repository."""

    path: str
    cls: Class
    exact: bool = True
    """False: it, or one that derives from it."""


@dataclass(frozen=True, slots=True)
class AnInstance:
    """An object of a class of the repository."""

    path: str
    cls: Class
    exact: bool = True
    """False: or of one that derives from it."""


@dataclass(frozen=True, slots=True)
class ASuper:
    """`super()` in a method of the class."""

    path: str
    cls: Class


@dataclass(frozen=True, slots=True)
class AFunction:
    """A function or method of the repository."""

    path: str
    function: Function
    role: str
    """What its decorators make of it, as `outside.role_of` has it."""
    bound: bool = False
    """Its first parameter is filled by what stands before the dot."""
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Outside:
    """Something that is not in the repository: "torch.nn.Module", "builtins.len"."""

    dotted: str


@dataclass(frozen=True, slots=True)
class OutsideMethod:
    """A method that an object has from a PyTorch module."""

    instance: AnInstance
    name: str


Thing = AModule | AClass | AnInstance | ASuper | AFunction | Outside | OutsideMethod
Things = tuple[Thing, ...]
