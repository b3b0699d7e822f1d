"""Relations between classes and calls in time order: the edges of the two diagrams."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from paper2code_local.artifacts.answers import Answer, choice, fields, mended, several
from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.plan import Call, FilePlan, Relation, RelationKind, definitions
from paper2code_local.asking import Asker, Question, Unanswered, prompt

ASKED_KINDS = tuple(kind for kind in get_args(RelationKind) if kind != "inheritance")
"""Inheritance is decided by the interfaces, so it is not asked."""
SEPARATOR = " :: "


@dataclass(frozen=True)
class Flow:
    """The edges of the class diagram and of the sequence diagram."""

    relations: tuple[Relation, ...]
    calls: tuple[Call, ...]
    findings: tuple[Finding, ...]


def relations_type(classes: Sequence[str]) -> type[Answer]:
    """Return the answer type of the relations between `classes`."""
    name = choice(classes)
    relation = fields("RelationAnswer", source=name, target=name, kind=choice(ASKED_KINDS))
    answer: type[Answer] = fields("RelationsAnswer", relations=several(relation, 6))
    return answer


def calls_type(files: Sequence[FilePlan]) -> type[Answer]:
    """Return the answer type of the calls between `files`."""
    callees = [f"{f.path}{SEPARATOR}{name}" for f in files[:-1] for name in definitions(f)]
    call = fields("CallAnswer", caller=choice([f.path for f in files]), callee=choice(callees))
    answer: type[Answer] = fields("CallsAnswer", calls=several(call, 10, 1))
    return answer


async def flow_of(files: tuple[FilePlan, ...], asker: Asker) -> Flow:
    """Ask for relations and calls together; what a file may not import it cannot call."""
    relations, calls = await asyncio.gather(_relations(files, asker), _calls(files, asker))
    findings: tuple[Finding, ...] = ()
    if not calls:
        findings = (mended("", "the order of calls was not given; the sequence diagram follows the imports"),)
        calls = tuple(
            Call(caller=f.path, callee=need.path, definition=definitions(need)[0])
            for f in files
            for need in files
            if need.path in f.needs and definitions(need)
        )
    return Flow(relations, calls, findings)


async def _relations(files: tuple[FilePlan, ...], asker: Asker) -> tuple[Relation, ...]:
    classes = {c.name: c for f in files for c in f.classes}
    inherited = [
        Relation(source=c.name, target=c.base, kind="inheritance") for c in classes.values() if c.base in classes
    ]
    if len(classes) < 2:
        return tuple(inherited)
    asked = prompt(__package__, "relations.md", classes=", ".join(classes))
    answer = await asker.ask(Question("plan.relations", asked, relations_type(list(classes)), 400))
    if isinstance(answer, Unanswered):
        return tuple(inherited)
    edges = {(r.source, r.target): r for r in inherited}
    for said in answer.model_dump()["relations"]:
        pair = said["source"], said["target"]
        if pair[0] != pair[1] and pair not in edges and pair[::-1] not in edges:
            edges[pair] = Relation.model_validate(said)
    return tuple(edges.values())


async def _calls(files: tuple[FilePlan, ...], asker: Asker) -> tuple[Call, ...]:
    needs = {f.path: f.needs for f in files}
    answer = await asker.ask(Question("plan.calls", prompt(__package__, "calls.md"), calls_type(files), 800))
    if isinstance(answer, Unanswered):
        return ()
    calls = []
    for said in answer.model_dump()["calls"]:
        callee, definition = said["callee"].split(SEPARATOR)
        call = Call(caller=said["caller"], callee=callee, definition=definition)
        if callee in needs[call.caller] and call not in calls:
            calls.append(call)
    return tuple(calls)
