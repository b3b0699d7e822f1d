"""Whether a repository has what was planned (P2C302 to P2C306).

In: the logic design with what each file promises, and the files. Out: findings. Must not know models, nor how a plan
comes about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile, Promise
from paper2code_local.source import Class, Function, Outline, Signature, constant_result, runs_main, signature
from paper2code_local.stages.s5_validate.codes import finding
from paper2code_local.stages.s5_validate.outside import attributes_of
from paper2code_local.stages.s5_validate.receivers import Receivers
from paper2code_local.stages.s5_validate.things import Outside

_OWN = frozenset({"__init__", "forward"})
"""Methods that a class has to write itself, though every base has them."""


class PromiseCheck:
    """Compares the files of one repository with its design."""

    def __init__(self, order: ImportOrder, texts: Mapping[str, str | None], receivers: Receivers) -> None:
        """`texts` has each Python file; None for what does not compile, which is said elsewhere."""
        self._order = order
        self._texts = texts
        self._receivers = receivers
        self._outlines: Mapping[str, Outline] = receivers.modules.outlines

    def check(self) -> Iterator[Finding]:
        """Yield what is missing or different, file by file."""
        for file in self._order.files:
            text = self._texts.get(file.path, "")
            if text is not None and file.promises and not text.strip():
                message = f"{file.path} is planned and {'empty' if file.path in self._texts else 'not there'}."
                yield finding("P2C302", file.path, 0, message, "Write the whole file as planned.")
            elif text is not None and file.path in self._receivers.usages:
                yield from self._promises(file, text)
                if file.is_entry and not runs_main(text):
                    message = f"{file.path} is the entry point, but running it does nothing."
                    hint = 'End it with `if __name__ == "__main__":` and a call of `main`.'
                    yield finding("P2C306", file.path, 0, message, hint)

    def _promises(self, file: OrderedFile, text: str) -> Iterator[Finding]:
        outline = self._outlines[file.path]
        places = {d.qualname: d for d in outline.definitions}
        absent: set[str] = set()
        for promise in file.promises:
            owner, _, name = promise.name.rpartition(".")
            if owner in absent:
                continue
            if outline.dynamic or outline.has_getattr:
                return
            kind = self._lack(file.path, owner, name)
            if kind is not None:
                absent.add(promise.name)
                yield self._missing(file.path, promise, kind, places[owner].start if owner in places else 0)
                continue
            here = places.get(promise.name)
            function = self._function(file.path, owner, name)
            if here is None or function is None:
                continue
            if problem := _difference(promise, function.signature, bool(owner)):
                message = f"`{promise.name}` is planned as `{promise.signature}`, but {problem}."
                hint = f"Write it as `{promise.signature}:`, since others call it like that."
                yield finding("P2C304", file.path, here.start, message, hint)
            lines = text.split("\n")[here.start - 1 : here.end]
            constant = constant_result("\n".join(lines)) if promise.measured else None
            if constant is not None:
                message = f"`{promise.name}` should measure something, but always returns {constant}."
                yield finding("P2C305", file.path, here.start, message, "Compute the value from the arguments.")

    def _missing(self, path: str, promise: Promise, severity: Severity, line: int) -> Finding:
        what = promise.signature or f"class {promise.name}"
        message = f"`{promise.name}` is planned in {path}, which does not define it."
        return finding("P2C303", path, line, message, f"Write `{what}:`, as planned.", severity)

    def _lack(self, path: str, owner: str, name: str) -> Severity | None:
        """Say how certain it is that a name is missing; None when it is there."""
        if not owner:
            return None if name in self._outlines[path].exported else "error"
        cls = self._class(path, owner)
        if cls is None:
            return None  # bound in another way: an import, an alias
        families = self._receivers.families
        for each in families.ancestors(cls):
            if name in each.scope.bindings or name in each.stores:
                return None
            role = self._receivers.role(families.path_of[each], each.outer, each.decorators)
            if role != "plain" or each.namedtuple is not None:
                return "warning" if name != "__init__" else None  # a decorator may write it, as data classes do
            for base in families.bases(each):
                known = attributes_of(base.dotted) if isinstance(base, Outside) else None
                if base is None or (isinstance(base, Outside) and (known is None or name in known - _OWN)):
                    return "warning"
        return "error"

    def _class(self, path: str, name: str) -> Class | None:
        bindings = self._receivers.usages[path].module.bindings.get(name, [])
        return bindings[0].cls if len(bindings) == 1 and bindings[0].kind == "class" else None

    def _function(self, path: str, owner: str, name: str) -> Function | None:
        """Return the one function behind a name of a file or class, when its decorators leave its parameters alone."""
        cls = self._class(path, owner) if owner else None
        scope = cls.scope if cls is not None else self._receivers.usages[path].module
        bindings = scope.bindings.get(name, [])
        function = bindings[0].function if len(bindings) == 1 else None
        if function is None or self._receivers.role(path, scope, function.decorators) in (None, "overload"):
            return None
        return function


def _difference(promise: Promise, real: Signature, is_method: bool) -> str | None:
    """Say which call that the planned signature allows would fail; None when there is none."""
    planned = signature(promise.signature)
    if planned is None:
        return None
    want, want_required = _without_self(planned, is_method)
    have, have_required = _without_self(real, is_method)
    for place, name in enumerate(want):
        if place >= len(have):
            if not (real.varargs or real.varkw or name in real.keyword_only):
                return f"it has no parameter `{name}`"
        elif have[place] != name:
            return f"its parameter {place + 1} is `{have[place]}`"
    if have_required > len(want):
        return f"it also needs `{have[len(want)]}`"
    if have_required > want_required:
        return f"`{have[want_required]}` has no default"
    for name in planned.keyword_only:
        if name not in real.keywords and not real.varkw:
            return f"it has no parameter `{name}`"
    given = planned.required_keywords + want
    return next((f"it also needs `{name}`" for name in real.required_keywords if name not in given), None)


def _without_self(shape: Signature, is_method: bool) -> tuple[tuple[str, ...], int]:
    """Return the positional parameters that a caller gives, and how many of them have no default."""
    skip = 1 if is_method and shape.positional[:1] in (("self",), ("cls",)) else 0
    return shape.positional[skip:], shape.required - skip
