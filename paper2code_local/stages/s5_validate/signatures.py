"""Calls that Python refuses: P2C701 to P2C704.

In: how each file uses names, and what the names are. Out: findings. Must not know how that is found out.
"""

from __future__ import annotations

from collections.abc import Iterator

from paper2code_local.artifacts.finding import Finding
from paper2code_local.source import CALL, Arguments, Call, Mismatch, Signature, mismatch
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.constructors import Constructing
from paper2code_local.stages.s5_validate.nearest import Nearest
from paper2code_local.stages.s5_validate.outside import NN_MODULES
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.things import AClass, AFunction, AnInstance, Outside, Thing

_SHOWN = 60
_CODES = {"missing": "P2C701", "many": "P2C702", "unknown": "P2C703", "twice": "P2C704"}
Taken = tuple[Signature, bool, bool]
"""A signature, whether its first parameter is filled already, and whether that is sure."""


class SignatureCheck:
    """Checks the calls of one repository, file by file."""

    def __init__(self, receivers: Receivers) -> None:
        self._receivers = receivers
        self._constructing = Constructing(receivers)
        self._nearest = Nearest()

    def check(self, path: str) -> Iterator[Finding]:
        """Yield the findings on the calls of one file."""
        for call in self._receivers.usages[path].calls:
            found = self._refused(path, call)
            if found is not None:
                signature, problem, sure = found
                hint = self._hint(signature, call.arguments, problem)
                yield _finding(path, call, problem, hint, sure and not call.place.doubtful)

    def _hint(self, signature: Signature, arguments: Arguments, problem: Mismatch) -> str:
        free = (name for name in sorted(signature.keywords) if name not in arguments.keywords)
        close = self._nearest.to(problem.detail, free) if problem.kind == "unknown" else None
        if close is not None:
            return f"Did you mean `{close}`?"
        return f"Call it with what it takes: ({_parameters(signature)})."

    def _refused(self, path: str, call: Call) -> tuple[Signature, Mismatch, bool] | None:
        """Return why nothing that may be called takes the arguments."""
        partial = call.partial is not None
        things = self._receivers.look(path, call.scope, call.chain)
        if call.partial is not None:
            if things is None or not all(isinstance(t, Outside) and t.dotted == "functools.partial" for t in things):
                return None
            things = self._receivers.look(path, call.scope, call.partial)
        taken: list[Taken] = []
        for thing in things or ():
            signatures = self._signatures(thing)
            if not signatures:
                return None
            taken.extend(signatures)
        refusals = [(s, mismatch(s, call.arguments, bound, partial), sure) for s, bound, sure in taken]
        if not refusals or any(problem is None for _, problem, _ in refusals):
            return None
        signature, problem, _ = refusals[0]
        return (signature, problem, all(sure for *_, sure in refusals)) if problem is not None else None

    def _signatures(self, thing: Thing) -> list[Taken] | None:
        if isinstance(thing, AFunction):
            # What does nothing stands for something else: a hook, an overload, a stub.
            return [(thing.function.signature, thing.bound, True)] if not thing.function.hollow else None
        if isinstance(thing, AClass):
            made = self._constructing.constructors(thing.cls, thing.exact)
            return [(c.signature, c.bound, c.sure) for c in made] if made is not None else None
        return self._called(thing) if isinstance(thing, AnInstance) else None

    def _called(self, instance: AnInstance) -> list[Taken] | None:
        """Return what calling an object takes; for a PyTorch module what its `forward` takes."""
        families = self._receivers.families
        own = families.is_bound_in_body(instance.cls, "__call__", instance.exact)
        name = "__call__" if own else "forward"
        if not own and not NN_MODULES & families.outside(instance.cls):
            return None
        things = self._receivers.of_class(instance, name)
        functions = [thing for thing in things or () if isinstance(thing, AFunction)]
        if not functions or len(functions) != len(things or ()):
            return None
        return [(f.function.signature, f.bound, True) for f in functions if not f.function.hollow] or None


def _finding(path: str, call: Call, problem: Mismatch, hint: str, sure: bool) -> Finding:
    name = _shown(call)
    if problem.kind == "many":
        taken, given = problem.detail.split(", ")
        message = f"`{name}` takes {taken} positional arguments and is called with {given}."
    elif problem.kind == "unknown":
        message = f"`{name}` has no parameter `{problem.detail}`."
    elif problem.kind == "twice":
        message = f"`{name}` gets `{problem.detail}` by position and again by keyword."
    else:
        message = f"`{name}` is called without its argument `{problem.detail}`."
    about = (name, problem.detail)
    return finding(_CODES[problem.kind], path, call.place.line, message, hint, None if sure else "warning", about)


def _parameters(signature: Signature) -> str:
    if len(signature.keywords) > _SHOWN:
        return f"{len(signature.keywords)} parameters"
    required = signature.positional[: signature.required]
    optional = [f"{name}=…" for name in signature.positional[signature.required :]]
    keyword_only = [name if name in signature.required_keywords else f"{name}=…" for name in signature.keyword_only]
    star = ["*args"] if signature.varargs else ["*"] if keyword_only else []
    return ", ".join([*required, *optional, *star, *keyword_only, *(["**kwargs"] if signature.varkw else [])])


def _shown(call: Call) -> str:
    """Return what is called as it is written, arguments left out."""
    first, *rest = call.partial or call.chain
    return first.partition(":")[0] + "".join("(…)" if step == CALL else f".{step}" for step in rest)
