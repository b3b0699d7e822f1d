"""What a plan promises of each file, as the gate holds a repository to it.

In: a plan. Out: an `ImportOrder`. Must not know the gate.
"""

from __future__ import annotations

import re

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile, Promise
from paper2code_local.artifacts.plan import ENTRY, FilePlan, FunctionPlan, Plan

_MEASURES = re.compile(
    r"\b(evaluat\w*|accurac\w*|loss(es)?|scores?|metrics?|perplexity|bleu|rouge|f1|auc|recall"
    r"|precision|error rates?)\b",
    re.IGNORECASE,
)
_SETS = re.compile(r"\b(weight|coefficient|threshold|default|name|config|constant)s?\b", re.IGNORECASE)


def import_order(plan: Plan) -> ImportOrder:
    """Return the planned files in order, with what each must define."""
    return ImportOrder(
        files=tuple(
            OrderedFile(path=f.path, needs=f.needs, promises=_promises(f), is_entry=f.path == ENTRY) for f in plan.files
        )
    )


def _promises(file: FilePlan) -> tuple[Promise, ...]:
    found: list[Promise] = []
    for planned in file.classes:
        found.append(Promise(name=planned.name, signature=""))
        found += [_promise(method, f"{planned.name}.") for method in planned.methods]
    return (*found, *(_promise(function, "") for function in file.functions))


def _promise(function: FunctionPlan, owner: str) -> Promise:
    said = f"{function.name.replace('_', ' ')} {function.purpose}"
    measured = _MEASURES.search(said) is not None and _SETS.search(said) is None
    return Promise(name=f"{owner}{function.name}", signature=function.signature, measured=measured)
