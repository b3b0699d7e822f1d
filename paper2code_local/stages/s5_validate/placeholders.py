"""Functions that do nothing (P2C301), and the stubs that we leave ourselves (P2C401).

In: the outlines of a repository. Out: findings. Must not know what the functions should do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.finding import Finding, Severity
from paper2code_local.artifacts.import_order import ImportOrder
from paper2code_local.source import Definition, Outline
from paper2code_local.stages.s5_validate.codes import finding

_OUR_STUB = re.compile(r"P2C\d{3}")
_ABSTRACT = re.compile(r"abstract|overload|fixture|\.command|\.group|\.callback")
_INTERFACES = frozenset({"Protocol", "ABC", "Interface"})


def placeholders(outlines: Mapping[str, Outline], order: ImportOrder | None) -> Iterator[Finding]:
    """Yield what is still to be written, file by file; an error where the design promises it."""
    planned = {(file.path, promise.name) for file in order.files for promise in file.promises} if order else set()
    inherited = {_last(base) for o in outlines.values() for d in o.definitions for base in d.bases}
    for path, outline in outlines.items():
        stubs = [line for line, message in outline.not_implemented if _OUR_STUB.match(message)]
        for line in stubs:
            message = "A stub stands here in the place of code that could not be written."
            yield finding("P2C401", path, line, message, "Write this part by hand.")
        interfaces = {d.qualname for d in outline.definitions if d.kind == "class" and _is_interface(d, inherited)}
        for definition in outline.definitions:
            if definition.hollow is None or any(definition.start <= line <= definition.end for line in stubs):
                continue
            if definition.qualname.rpartition(".")[0] in interfaces or _is_abstract(definition):
                continue
            message = f"`{definition.qualname}` does nothing ({definition.hollow})."
            severity: Severity | None = "error" if (path, definition.qualname) in planned else None
            yield finding("P2C301", path, definition.start, message, "Write its body.", severity)


def _is_interface(definition: Definition, inherited: set[str]) -> bool:
    return _last(definition.qualname) in inherited or any(_last(base) in _INTERFACES for base in definition.bases)


def _is_abstract(definition: Definition) -> bool:
    return any(_ABSTRACT.search(decorator) for decorator in definition.decorators)


def _last(dotted: str) -> str:
    """Return "Module" for "nn.Module" and for "nn.Module[T]"."""
    return dotted.partition("[")[0].strip().rpartition(".")[2]
