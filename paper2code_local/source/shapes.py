"""What a function takes, what a call gives, and whether the two fit.

In: syntax trees of definitions and calls. Out: frozen shapes, and the first mismatch. Must not know names or files.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["missing", "many", "unknown", "twice"]


@dataclass(frozen=True, slots=True)
class Signature:
    """The parameters of a function."""

    positional: tuple[str, ...]
    """Those that may be given by position, in order; the positional-only ones come first."""
    positional_only: int
    """How many of `positional` have no keyword."""
    required: int
    """How many of `positional` have no default."""
    keyword_only: tuple[str, ...]
    required_keywords: tuple[str, ...]
    """Those of `keyword_only` that have no default."""
    varargs: bool
    """Takes `*args`."""
    varkw: bool
    """Takes `**kwargs`."""

    @property
    def keywords(self) -> frozenset[str]:
        """Return what may be given by name."""
        return frozenset(self.positional[self.positional_only :] + self.keyword_only)


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call."""

    positional: int
    """How many stand there by position, `*` not counted."""
    keywords: tuple[str, ...]
    star: bool
    """Has a `*…` of unknown length."""
    double_star: bool
    """Has a `**…` of unknown keys."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """The first reason why a call fails."""

    kind: Kind
    detail: str
    """A parameter, or for "many" how many are taken and given."""


def signature_of(parameters: ast.arguments) -> Signature:
    """Read the parameters of a `def` or `lambda`."""
    positional = [a.arg for a in (*parameters.posonlyargs, *parameters.args)]
    keyword_only = zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True)
    return Signature(
        positional=tuple(positional),
        positional_only=len(parameters.posonlyargs),
        required=len(positional) - len(parameters.defaults),
        keyword_only=tuple(a.arg for a in parameters.kwonlyargs),
        required_keywords=tuple(a.arg for a, default in keyword_only if default is None),
        varargs=parameters.vararg is not None,
        varkw=parameters.kwarg is not None,
    )


def signature(text: str) -> Signature | None:
    """Read one line that begins a function, "def f(x: int) -> str"; None when it is none."""
    try:
        (function,) = ast.parse(f"{text}: ...").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return signature_of(function.args) if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else None


def arguments_of(call: ast.Call, skip: int = 0) -> Arguments:
    """Read the arguments of a call, without the first `skip` positional ones."""
    stars = [isinstance(argument, ast.Starred) for argument in call.args[skip:]]
    return Arguments(
        positional=stars.index(True) if True in stars else len(stars),
        keywords=tuple(k.arg for k in call.keywords if k.arg is not None),
        star=True in stars,
        double_star=any(k.arg is None for k in call.keywords),
    )


def mismatch(signature: Signature, arguments: Arguments, bound: bool = False, partial: bool = False) -> Mismatch | None:
    """Return the first certain reason why the call raises TypeError, or None.

    `bound`: the first parameter is filled by what stands before the dot. `partial`: the rest is given later.
    """
    given = arguments.positional + bound
    taken = signature.positional
    if given > len(taken) and not signature.varargs:
        return Mismatch("many", f"{max(len(taken) - bound, 0)}, {arguments.positional}")
    by_name = signature.keywords
    for keyword in arguments.keywords:
        if keyword not in by_name:
            if not signature.varkw:
                return Mismatch("unknown", keyword)
        elif keyword in taken[signature.positional_only : given]:
            return Mismatch("twice", keyword)
    if partial or arguments.double_star:
        return None
    return next((Mismatch("missing", name) for name in _missing(signature, arguments, given)), None)


def _missing(signature: Signature, arguments: Arguments, given: int) -> Iterator[str]:
    if not arguments.star:
        for position, name in enumerate(signature.positional[: signature.required]):
            if position >= given and (position < signature.positional_only or name not in arguments.keywords):
                yield name
    yield from (name for name in signature.required_keywords if name not in arguments.keywords)
