"""The rounds of repair: mend without a model, ask the model for what is left, keep what makes the repository better.

In: a `Repo`, the gate, a way to rewrite. Out: `Repaired`. Rounds are barriers: all rewrites of a round read the same
repository. Each answer is judged by itself, so a good one is not lost with a bad one; what passed stays byte for byte.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.repair import Change, Ending, Fault, RepairReport
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten
from paper2code_local.source import definition_text, replace_unit
from paper2code_local.stages.s6_repair.faults import faults_of
from paper2code_local.stages.s6_repair.looking import Gate, look, texts_of, weight
from paper2code_local.stages.s6_repair.mechanical import Fix, fix_of

UNIT_TOKENS, FILE_TOKENS = 512, 3072
"""What an answer may take."""
TOKENS = 32_768
"""What all answers of a repair may take together."""
IN_VAIN = 2
"""After so many rounds in a row that bring nothing, more of the same will not."""
ANSWERS, IN_FLIGHT = 3, 12
"""A unit that was asked for in vain is asked for so often in a round, as long as the round has no more than so many
questions in flight: a step of decoding reads the weights once for all of them, though the KV cache of each."""
MENDINGS = 200
"""Mechanical repairs of one repository, at most."""


class Rewrite(Protocol):
    """Asks the model for a unit or a file again."""

    def __call__(self, fault: Fault, label: str, repo: Repo) -> Awaitable[SourceFile | Unwritten]:
        """Return the whole file with the new version in it."""
        ...


@dataclass(frozen=True)
class Scope:
    """What may be written again, and what is known of it."""

    kept: frozenset[str] = frozenset()
    """Files that are the user's and stay."""
    only: frozenset[tuple[str, str]] | None = None
    """Paths and qualified names of all that the model is asked for; None for whatever is at fault."""
    assigned: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """That of `faults_of`."""
    settings: frozenset[str] = frozenset()
    """Keys that code may read of its `config`."""


EVERYTHING = Scope()


@dataclass(frozen=True)
class Version:
    """A repository, what the gate says of it, and how it came to be."""

    repo: Repo
    findings: tuple[Finding, ...]
    changes: tuple[Change, ...] = ()

    @property
    def weight(self) -> tuple[int, int]:
        """Return how bad it is."""
        return weight(self.findings)


@dataclass(frozen=True)
class Repaired:
    """The repository after the rounds."""

    repo: Repo
    report: RepairReport


async def repair(
    repo: Repo,
    gate: Gate,
    rewrite: Rewrite,
    rounds: int,
    scope: Scope = EVERYTHING,
    label: str = "repair",
    answers: int = ANSWERS,
) -> Repaired:
    """Mend what can be mended, then ask again for what the gate refuses, at most `rounds` times.

    A round is `label` and its number. What is asked for again is asked for `answers` times at once, if it is not much.
    """
    first = Version(repo, await look(repo, gate))
    now = mended = await mend(first, gate, scope)
    done, vain, left = 0, 0, TOKENS
    ended: Ending = "clean"
    before: dict[tuple[str, str | None], Fault] = {}
    while faults := _remembering(before, _faults(now, scope, before)):
        ended = "rounds" if done >= rounds else "stuck" if vain >= IN_VAIN else "clean"
        affordable, left = _affordable(_several(faults, answers), left)
        if ended == "clean" and not affordable:
            ended = "tokens"
        if ended != "clean":
            break
        done += 1
        written = await asyncio.gather(*(rewrite(fault, f"{label}{done}", now.repo) for fault in affordable))
        better = await _best(now, list(zip(affordable, written, strict=True)), gate, scope)
        vain = 0 if better is not now else vain + 1
        now = better
    report = RepairReport(
        before=first.findings,
        mended=mended.findings,
        after=now.findings,
        rounds=done,
        ended=ended,
        changes=now.changes,
    )
    return Repaired(now.repo, report)


async def mend(version: Version, gate: Gate, scope: Scope) -> Version:
    """Apply what needs no model, one fix after the other, as long as each makes the repository better."""
    beyond: set[Finding] = set()
    for _ in range(MENDINGS):
        found = _first_fix(version, beyond, scope)
        if found is None:
            break
        finding, fix = found
        change = Change(by="mechanical", path=fix.path, codes=(finding.code,), what=fix.what)
        candidate = _with_text(version.repo, fix.path, fix.text)
        tried = Version(candidate, await look(candidate, gate), (*version.changes, change))
        if tried.weight < version.weight:
            version = tried
        else:
            beyond.add(finding)
    return version


def _first_fix(version: Version, beyond: set[Finding], scope: Scope) -> tuple[Finding, Fix] | None:
    """Return the first finding that can be mended; add to `beyond` those before it that cannot."""
    texts = texts_of(version.repo)
    for finding in version.findings:
        if finding in beyond or finding.path in scope.kept:
            continue
        fix = fix_of(texts, finding, scope.settings)
        if fix is not None and fix.path not in scope.kept:
            return finding, fix
        beyond.add(finding)
    return None


async def _best(now: Version, answers: list[tuple[Fault, SourceFile | Unwritten]], gate: Gate, scope: Scope) -> Version:
    """Return the best of: nothing new, the best answer to each fault, each of them where it helps by itself."""

    async def judged(version: Version, some: Sequence[tuple[Fault, SourceFile]]) -> Version:
        for fault, answer in some:
            version = _applied(version, fault, answer)
        return await mend(replace(version, findings=await look(version.repo, gate)), gate, scope)

    usable: dict[tuple[str, str | None], list[tuple[Fault, SourceFile]]] = {}
    for fault, answer in answers:
        if isinstance(answer, SourceFile):
            usable.setdefault((fault.path, fault.unit), []).append((fault, answer))
    chosen, found = [], [now]
    for several in usable.values():
        tried = [await judged(now, [each]) for each in several] if len(several) > 1 or len(usable) == 1 else []
        best = min(range(len(tried)), key=lambda n: tried[n].weight, default=0)
        chosen.append(several[best])
        found += tried[best : best + 1]
    if len(chosen) > 1:
        found.append(await judged(now, chosen))
        one_by_one = now
        for each in chosen:
            tried_now = await judged(one_by_one, [each])
            one_by_one = min(one_by_one, tried_now, key=lambda version: version.weight)
        found.append(one_by_one)
    return min(found, key=lambda version: version.weight)


def _applied(version: Version, fault: Fault, answer: SourceFile) -> Version:
    """Return the repository with one answer in it; `findings` are still those of before."""
    codes = tuple(dict.fromkeys(f.code for f in fault.findings))
    what = f"`{fault.unit}` is written again." if fault.unit else "The file is written again."
    change = Change(by="model", path=fault.path, codes=codes, what=what)
    files: list[SourceFile | Unwritten] = []
    for file in version.repo.files:
        if file.path == fault.path and fault.unit and isinstance(file, SourceFile):
            text = replace_unit(file.text, fault.unit, definition_text(answer.text, fault.unit))
            stubbed = tuple(name for name in file.stubbed if name != fault.unit or name in answer.stubbed)
            files.append(file.model_copy(update={"text": text, "stubbed": stubbed}))
        else:
            files.append(answer if file.path == fault.path else file)
    return replace(version, repo=Repo(files=tuple(files)), changes=(*version.changes, change))


def _with_text(repo: Repo, path: str, text: str) -> Repo:
    changed = [f.model_copy(update={"text": text}) if f.path == path else f for f in repo.files]
    if path not in {f.path for f in repo.files}:
        changed.append(SourceFile.model_construct(path=path, text=text, stubbed=()))
    return Repo(files=tuple(changed))


def _faults(now: Version, scope: Scope, before: Mapping[tuple[str, str | None], Fault]) -> tuple[Fault, ...]:
    asked = {unit: fault.asked + 1 for unit, fault in before.items()}
    faults = faults_of(now.repo, now.findings, scope.kept, scope.assigned, asked)
    return tuple(f for f in faults if scope.only is None or (f.path, f.unit) in scope.only)


def _remembering(before: dict[tuple[str, str | None], Fault], faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Return the faults with how often they were met, and the words that were proved wrong in them, `before`."""
    for fault in faults:
        if last := before.get((fault.path, fault.unit)):
            words = tuple(dict.fromkeys((*fault.avoid, *last.avoid)))
            fault = fault.model_copy(update={"avoid": words, "asked": last.asked + 1})
        before[fault.path, fault.unit] = fault
    return tuple(before[fault.path, fault.unit] for fault in faults)


def _several(faults: tuple[Fault, ...], answers: int) -> tuple[Fault, ...]:
    """Return each fault, and those in units that were asked for before up to `answers` times, if not too many."""
    again = [fault for fault in faults if fault.asked and fault.unit]
    most = min(answers, (IN_FLIGHT - len(faults)) // len(again) + 1) if again else 1
    return (*faults, *(f.model_copy(update={"sample": n}) for n in range(1, most) for f in again))


def _affordable(faults: tuple[Fault, ...], left: int) -> tuple[tuple[Fault, ...], int]:
    """Return the faults whose answers fit into `left` tokens, those with most errors first, and what is left then.

    First answers come before second ones.
    """
    chosen = []
    for fault in sorted(faults, key=lambda fault: (fault.sample, -len(fault.findings))):
        cost = UNIT_TOKENS if fault.unit else FILE_TOKENS
        if cost <= left:
            chosen.append(fault)
            left -= cost
    return tuple(chosen), left
