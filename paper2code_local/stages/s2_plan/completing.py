"""What the code turned out to need and the plan lacks: settings that it reads, files that it imports, functions that it
calls.

In: a plan, what the code reads or imports. Out: a plan that has it. Must not know how that was found out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from keyword import iskeyword
from typing import Annotated, Literal

from pydantic import Field

from paper2code_local.artifacts.answers import Answer, fields
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import ConfigValue, FilePlan, FunctionPlan, Plan
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.prefix import section_text
from paper2code_local.stages.s2_plan.config import Numbers, Value, home
from paper2code_local.stages.s2_plan.values import stands_in, tidy

AT_ONCE = 12
"""Settings of one question."""
TOKENS_EACH, TOKENS_MORE = 48, 32
_COUNTS = re.compile(
    r"^(num|n|max|min)_|_(size|rate|dim|width|depth|steps|epochs|bins|classes|layers|heads|weight|decay|length|threshold)$"
    r"|^(lr|alpha|beta|gamma|epochs|steps|dim|width|depth|momentum|dropout|temperature|threshold|batchsize|patience)$"
)
"""Keys whose values are numbers: models like to answer with the paper's symbol for one."""


def answer_type(keys: tuple[str, ...]) -> type[Answer]:
    """Return the answer type: one value for each key, under its own name."""
    kinds = ((key, Numbers if _COUNTS.search(key) else Value) for key in keys)
    values = {f"value_{n}": Annotated[kind, Field(alias=key)] for n, (key, kind) in enumerate(kinds)}
    answer: type[Answer] = fields("MoreAnswer", **values)
    return answer


async def with_settings(plan: Plan, paper: Paper, uses: Mapping[str, str], asker: Asker) -> Plan:
    """Return `plan` with a value for each key of `uses`, which holds the line of code that reads it.

    Values that no section states are our assumptions. A key that cannot be one, or gets no answer, is left out.
    """
    known = {value.key for value in plan.config}
    keys = tuple(k for k in uses if k.isidentifier() and not iskeyword(k) and k.isascii() and k not in known)
    found: list[ConfigValue] = []
    for start in range(0, len(keys), AT_ONCE):
        some = keys[start : start + AT_ONCE]
        asked = prompt(__package__, "more.md", uses=[(key, uses[key].strip()) for key in some])
        tokens = TOKENS_MORE + TOKENS_EACH * len(some)
        answer = await asker.ask(Question(f"repair.config.{start}", asked, answer_type(some), tokens))
        if not isinstance(answer, Unanswered):
            said = answer.model_dump(by_alias=True)
            found += [_traced(key, tidy(said[key]), paper) for key in some]
    return plan.model_copy(update={"config": (*plan.config, *found)})


def with_need(plan: Plan, path: str, need: str) -> Plan | None:
    """Return `plan` with `path` allowed to import `need`, its files in an order that fits; None for a circle."""
    files = {file.path: file for file in plan.files}
    if need not in files or path not in files:
        return None
    files[path] = files[path].model_copy(update={"needs": (*files[path].needs, need)})
    ordered: dict[str, FilePlan] = {}
    while len(ordered) < len(files):
        free = [f for f in files.values() if f.path not in ordered and set(f.needs) <= ordered.keys()]
        if not free:
            return None
        ordered[free[0].path] = free[0]
    placed = tuple(ordered.values())
    return plan.model_copy(update={"files": placed}) if placed[-1].path == plan.files[-1].path else None


def with_helper(plan: Plan, path: str, owner: str, helper: FunctionPlan) -> Plan:
    """Return `plan` with one more function in the file at `path`, or one more method of its class `owner`."""
    file = plan.file(path)
    if owner:
        grown = (c.model_copy(update={"methods": (*c.methods, helper)}) if c.name == owner else c for c in file.classes)
        file = file.model_copy(update={"classes": tuple(grown)})
    else:
        file = file.model_copy(update={"functions": (*file.functions, helper)})
    return plan.model_copy(update={"files": tuple(file if f.path == path else f for f in plan.files)})


def _traced(key: str, value: bool | int | float | str, paper: Paper) -> ConfigValue:
    sections = {s.id: section_text(s) for s in paper.sections}
    spoken = {i: text for i, text in sections.items() if any(w in text.lower() for w in key.split("_") if len(w) > 3)}
    section = home(value, key, next(iter(spoken)), spoken) if spoken else ""
    stated = bool(section) and stands_in(value, key, spoken[section])
    origin: Literal["traced", "assumed"] = "traced" if stated else "assumed"
    return ConfigValue(key=key, value=value, section=section if stated else "", origin=origin)
