"""Code: each file after those it needs, with their code before the coder's eyes.

    opening.py    what is decided is written by us: module docstring, imports, class headers, signatures, docstrings
    briefing.py   what the coder of a file is told: specification, dependencies, skeleton
    units.py      small models: one question per function or method body, all of a file's in flight
    whole.py      large models: one answer per file, begun by our opening lines

In: plan, specifications, an asker that shares both. Out: `SourceFile | Unwritten`. Must not know gate, repair or disk.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.artifacts.plan import FilePlan, Plan
from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.asking import Asker
from paper2code_local.modelstore.card import Granularity
from paper2code_local.stages.s4_code.briefing import Briefing
from paper2code_local.stages.s4_code.opening import Interface
from paper2code_local.stages.s4_code.units import NOT_HAD, rewrite_unit, write_units
from paper2code_local.stages.s4_code.whole import write_whole

__all__ = ["code_file", "recode_file", "skeleton_file", "stub_of"]


def interface(path: str, plan: Plan, specs: Mapping[str, FileSpec]) -> Interface:
    """Gather what is decided of the file at `path`."""
    file = plan.file(path)
    return Interface(file, specs[path], {need: plan.file(need).names() for need in file.needs}, plan.packages)


async def code_file(
    file: FilePlan,
    plan: Plan,
    specs: Mapping[str, FileSpec],
    needed: tuple[SourceFile, ...],
    asker: Asker,
    granularity: Granularity,
) -> SourceFile | Unwritten:
    """Write one file; `needed` holds the files that it may import, in the order of the plan."""
    decided = interface(file.path, plan, specs)
    briefing = Briefing(decided, needed)
    if granularity == "unit":
        return await write_units(decided, briefing, asker)
    return await write_whole(decided, briefing, asker, f"code.{file.path}")


async def recode_file(
    current: SourceFile | Unwritten,
    plan: Plan,
    specs: Mapping[str, FileSpec],
    needed: tuple[SourceFile, ...],
    asker: Asker,
    granularity: Granularity,
    fault: Fault,
    label: str,
) -> SourceFile | Unwritten:
    """Write a file again where a check found fault: the one unit at fault where it is planned, else all of it."""
    decided = interface(current.path, plan, specs)
    briefing = Briefing(decided, needed, fault.complaint, fault.avoid)
    planned = {unit.qualname for unit in decided.units()}
    if isinstance(current, SourceFile) and fault.unit in planned:
        return await rewrite_unit(current, fault.unit, decided, briefing, asker, label)
    if granularity == "unit":
        return await write_units(decided, briefing, asker, label)
    return await write_whole(decided, briefing, asker, f"{label}.{current.path}")


def stub_of(path: str, plan: Plan, specs: Mapping[str, FileSpec], name: str) -> str:
    """Return a planned function or method as an honest stub, indented as in its file."""
    decided = interface(path, plan, specs)
    return decided.stub(next(unit for unit in decided.units() if unit.qualname == name), NOT_HAD)


def skeleton_file(path: str, plan: Plan, specs: Mapping[str, FileSpec], reason: str) -> SourceFile:
    """Return the file with every body an honest stub that names `reason`, e.g. "P2C101: does not compile"."""
    decided = interface(path, plan, specs)
    return decided.assembled({}, reason)
