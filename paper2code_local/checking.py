"""Check and repair of generated code: the gate with what surrounds the code, and a model that knows paper and plan.

In: a plan, its specifications, the code, who answers. Out: the plan with what the code turned out to need, a
`ValidatedRepo`, a report. Must not know the run folder, nor what comes before or after.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import CONFIG, FunctionPlan, Plan
from paper2code_local.artifacts.promises import import_order
from paper2code_local.artifacts.repair import Change, Fault, RepairReport
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.artifacts.smoke import SmokeReport
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.casting import Part
from paper2code_local.errors import AnswerError
from paper2code_local.isolated import isolated
from paper2code_local.stages import s2_plan, s4_code, s6_repair, s7_write
from paper2code_local.stages.s5_validate.gate import validate

HELPERS_OF_HELPERS = 2
"""A function that was missing may call others that are."""
Smoke = Callable[[Mapping[str, bytes]], Awaitable[SmokeReport]]
"""Imports every module of a repository in a sandbox."""


@dataclass(frozen=True)
class Checking:
    """The code of one run under the gate."""

    paper: Paper
    specs: Mapping[str, FileSpec]
    part: Part
    """Who answers, knowing paper and plan."""
    kept: frozenset[str]
    """Files that are the user's."""
    _looked: dict[tuple[object, ...], tuple[Finding, ...]] = field(default_factory=dict)
    _refused: set[str] = field(default_factory=set)
    """Settings that code reads and for which the model had no value."""

    async def look(self, plan: Plan, repo: Repo) -> tuple[Finding, ...]:
        """Return what the gate says of the code."""
        return await s6_repair.look(repo, self._gate(plan))

    async def best(
        self,
        plan: Plan,
        beside: tuple[SourceFile, ...],
        drafts: Sequence[SourceFile | Unwritten],
        likelihoods: Sequence[float],
    ) -> SourceFile | Unwritten:
        """Return the draft of a file with the least errors, then warnings; of several, the likeliest, then the first.

        `beside` are the files that it needs; `likelihoods` the mean log-probability of each draft's tokens.
        """
        weights: list[tuple[bool, tuple[int, int], float]] = []
        for draft, likelihood in zip(drafts, likelihoods, strict=True):
            written = isinstance(draft, SourceFile)
            found = await self.look(plan, Repo(files=(*beside, draft))) if written else ()
            here = [f for f in found if f.path == draft.path]
            weights.append((not written, s6_repair.weight(here), -likelihood))
        return drafts[min(range(len(drafts)), key=lambda n: weights[n])]

    async def repair(
        self, plan: Plan, repo: Repo, before: tuple[Finding, ...], rounds: int
    ) -> tuple[Plan, ValidatedRepo, RepairReport]:
        """Repair what `before` found in at most `rounds` rounds; what is left becomes honest stubs.

        Raises AnswerError (`stubs`) when the entry point or more than half of the files would be stubs.
        """
        completed = await self._completed(plan, repo, before)

        async def rewrite(fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
            return await self._rewrite(completed, fault, label, repo)

        scope = self._scope(completed)
        asked = await self._asked(completed, repo, rewrite, rounds, scope, "repair")
        if s6_repair.weight(asked[1].report.after) > s6_repair.weight(asked[1].report.mended):
            mended = await s6_repair.repair(repo, self._gate(completed), rewrite, 0, scope)
            told = {"rounds": asked[1].report.rounds, "ended": "stuck"}
            asked = completed, s6_repair.Repaired(mended.repo, mended.report.model_copy(update=told))
        completed, repaired = asked
        for _ in range(HELPERS_OF_HELPERS if rounds else 0):
            wider, repaired = await self._with_helpers(completed, repaired)
            if wider is completed:
                break
            completed = wider
        gate = self._gate(completed)
        validated = await s6_repair.settle(repaired.repo, completed, gate, self._skeleton(completed), self.kept)
        changes = (*gained(plan, completed), *repaired.report.changes)
        report = repaired.report.model_copy(update={"before": before, "changes": changes, "after": validated.findings})
        return completed, validated, report

    async def _asked(
        self, plan: Plan, repo: Repo, rewrite: s6_repair.Rewrite, rounds: int, scope: s6_repair.Scope, label: str
    ) -> tuple[Plan, s6_repair.Repaired]:
        """Let the rounds run; meanwhile a setting that the plan can still gain is no error, and then it gains it."""
        strictly: dict[Finding, Finding] = {}
        strict = self._gate(plan)

        async def gate(texts: Mapping[str, str]) -> tuple[Finding, ...]:
            found = await strict(texts)
            gainable = {f: f.model_copy(update={"severity": "warning"}) for f in found if self._gainable(f)}
            strictly.update((lenient, finding) for finding, lenient in gainable.items())
            return tuple(gainable.get(f, f) for f in found)

        repaired = await s6_repair.repair(repo, gate, rewrite, rounds, scope, label)
        report = repaired.report
        mended, after = (tuple(strictly.get(f, f) for f in findings) for findings in (report.mended, report.after))
        ended = "stuck" if report.ended == "clean" and errors_of(after) else report.ended
        report = report.model_copy(update={"mended": mended, "after": after, "ended": ended})
        return await self._caught_up(plan, s6_repair.Repaired(repaired.repo, report))

    def _gainable(self, finding: Finding) -> bool:
        setting = finding.severity == "error" and finding.code == "P2C801" and finding.about[:1] == (CONFIG,)
        return setting and finding.about[1] not in self._refused

    async def _caught_up(self, plan: Plan, repaired: s6_repair.Repaired) -> tuple[Plan, s6_repair.Repaired]:
        """Let the plan gain what code needs that was written again; both as they were where that helps nothing."""
        wider = await self._completed(plan, repaired.repo, repaired.report.after)
        if wider == plan:
            return plan, repaired
        after = await s6_repair.look(repaired.repo, self._gate(wider))
        if s6_repair.weight(after) >= s6_repair.weight(repaired.report.after):
            return plan, repaired
        ended = repaired.report.ended if errors_of(after) else "clean"
        report = repaired.report.model_copy(update={"after": after, "ended": ended})
        return wider, s6_repair.Repaired(repaired.repo, report)

    async def _with_helpers(self, plan: Plan, repaired: s6_repair.Repaired) -> tuple[Plan, s6_repair.Repaired]:
        """Write what the code calls and nobody wrote; return both as they were where that makes nothing better."""
        repo, before, wider = repaired.repo, repaired.report, plan
        helpers = [h for h in s6_repair.helpers_of(repo, before.after, self.kept) if _plannable(h, plan)]
        for helper in helpers:
            planned = FunctionPlan(signature=helper.signature, purpose=helper.purpose)
            wider = s2_plan.with_helper(wider, helper.path, helper.owner, planned)
        for helper in helpers:
            stub = s4_code.stub_of(helper.path, wider, self.specs, helper.qualname)
            repo = s6_repair.with_helper(repo, helper, stub)
        if not helpers:
            return plan, repaired

        async def rewrite(fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
            return await self._rewrite(wider, fault, label, repo)

        scope = replace(self._scope(wider), only=frozenset((h.path, h.qualname) for h in helpers))
        wider, more = await self._asked(wider, repo, rewrite, 1, scope, "helper")
        if s6_repair.weight(more.report.after) >= s6_repair.weight(before.after):
            return plan, repaired
        added = tuple(
            Change(by="model", path=h.path, codes=(h.code,), what=f"`{h.qualname}` is added: code calls it.")
            for h in helpers
        )
        told = {
            "changes": (*before.changes, *added, *more.report.changes),
            "rounds": before.rounds + more.report.rounds,
        }
        ended = before.ended if errors_of(more.report.after) else "clean"
        report = before.model_copy(update={**told, "after": more.report.after, "ended": ended})
        return wider, s6_repair.Repaired(more.repo, report)

    async def tried(
        self, plan: Plan, validated: ValidatedRepo, report: RepairReport, smoke: Smoke, rounds: int
    ) -> tuple[ValidatedRepo, RepairReport, SmokeReport]:
        """Import the code in a sandbox; what fails there goes into one more round of repair, if `rounds` allow any."""

        async def tried(texts: Mapping[str, str]) -> SmokeReport:
            whole = s6_repair.contents(texts)
            whole |= s7_write.surroundings(whole, plan, self.paper)
            return await smoke({path: text.encode("utf-8", "replace") for path, text in whole.items()})

        texts = {file.path: file.text for file in validated.files}
        first = await tried(texts)
        at_fault = {finding.path for finding in errors_of(first.findings)}
        if not at_fault or not rounds:
            return _with_findings(validated, first.findings), report, first
        static = self._gate(plan)

        async def gate(texts: Mapping[str, str]) -> tuple[Finding, ...]:
            found = await static(texts)
            if any(finding.code.startswith(s6_repair.BLOCKING) for finding in errors_of(found)):
                return (*found, *first.findings)  # an answer like that is not taken: no need to run it
            return (*found, *(await tried(texts)).findings)

        async def rewrite(fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
            return await self._rewrite(plan, fault, label, repo)

        planned = Repo(files=tuple(file for file in validated.files if file.path in self.specs))
        others = frozenset(file.path for file in planned.files) - at_fault
        scope = replace(self._scope(plan), kept=self.kept | others)
        repaired = await s6_repair.repair(planned, gate, rewrite, 1, scope, "smoke")
        try:
            settled = await s6_repair.settle(repaired.repo, plan, static, self._skeleton(plan), self.kept)
        except AnswerError:  # it would now be stubs; it was not before
            return _with_findings(validated, first.findings), report, first
        last = await tried({file.path: file.text for file in settled.files})
        now = s6_repair.weight((*settled.findings, *last.findings))
        if now >= s6_repair.weight((*validated.findings, *first.findings)):
            return _with_findings(validated, first.findings), report, first
        stubbed = tuple(dict.fromkeys((*validated.stubbed_files, *settled.stubbed_files)))
        settled = _with_findings(settled.model_copy(update={"stubbed_files": stubbed}), last.findings)
        more = repaired.report
        told = {"changes": (*report.changes, *more.changes), "rounds": report.rounds + more.rounds}
        return settled, report.model_copy(update={**told, "after": settled.findings}), last

    def _skeleton(self, plan: Plan) -> Callable[[str, str], SourceFile]:
        return lambda path, reason: s4_code.skeleton_file(path, plan, self.specs, reason)

    def _scope(self, plan: Plan) -> s6_repair.Scope:
        settings = frozenset(value.key for value in plan.config)
        return s6_repair.Scope(kept=self.kept, assigned=assigned(plan), settings=settings)

    def _gate(self, plan: Plan) -> s6_repair.Gate:
        """Return the gate for code of this plan, with the settings and requirements that it will be written with."""
        order = import_order(plan)

        async def gate(texts: Mapping[str, str]) -> tuple[Finding, ...]:
            whole = s6_repair.contents(texts)
            whole |= s7_write.surroundings(whole, plan, self.paper)
            key = (order, *sorted(whole.items()))
            if key not in self._looked:  # repair and settle begin with a look at what the last look saw
                files = {path: text.encode("utf-8", "replace") for path, text in whole.items()}
                self._looked[key] = await isolated(validate, files, order)
            return self._looked[key]

        return gate

    async def _rewrite(self, plan: Plan, fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
        files = {f.path: f for f in repo.files}
        needed = tuple(f for need in plan.file(fault.path).needs if isinstance(f := files[need], SourceFile))
        once = self.part.asker.once(fault.asked, fault.sample)  # the next round is the next attempt
        granularity = self.part.model.granularity
        return await s4_code.recode_file(files[fault.path], plan, self.specs, needed, once, granularity, fault, label)

    async def _completed(self, plan: Plan, repo: Repo, findings: tuple[Finding, ...]) -> Plan:
        """Return the plan with the settings that the code reads, and the needs that it has and that make no circle."""
        rows = {file.path: file.text.split("\n") for file in repo.files if isinstance(file, SourceFile)}
        reads: dict[str, str] = {}
        for finding in errors_of(findings):
            match finding.code, finding.about:
                case "P2C801", (file, key) if file == CONFIG:
                    reads.setdefault(key, rows[finding.path][finding.line - 1])
                case "P2C204", (need,):
                    plan = s2_plan.with_need(plan, finding.path, need) or plan
        if reads:
            plan = await s2_plan.with_settings(plan, self.paper, reads, self.part.asker)
            self._refused.update(reads.keys() - {value.key for value in plan.config})
        return plan


def _plannable(helper: s6_repair.Helper, plan: Plan) -> bool:
    """Tell whether the plan has a place for a helper: a file, and for a method its class."""
    classes = {c.name for f in plan.files if f.path == helper.path for c in f.classes}
    return helper.path in {f.path for f in plan.files} and (not helper.owner or helper.owner in classes)


def _with_findings(validated: ValidatedRepo, more: tuple[Finding, ...]) -> ValidatedRepo:
    return validated.model_copy(update={"findings": (*validated.findings, *more)})


def assigned(plan: Plan) -> dict[str, frozenset[str]]:
    """Return "path:Class" → the attributes that its constructor is planned to set."""
    return {
        f"{file.path}:{each.name}": frozenset(attribute.name for attribute in each.attributes)
        for file in plan.files
        for each in file.classes
    }


def gained(before: Plan, after: Plan) -> tuple[Change, ...]:
    """Return what a plan gained, as changes."""
    before_keys = {value.key for value in before.config}
    settings = [
        Change(by="model", path=CONFIG, codes=("P2C801",), what=f"`{v.key}: {v.value}` is added: code reads it.")
        for v in after.config
        if v.key not in before_keys
    ]
    needs = [
        Change(by="mechanical", path=f.path, codes=("P2C204",), what=f"It may import {need}: that makes no circle.")
        for f in after.files
        for need in f.needs
        if need not in before.file(f.path).needs
    ]
    return (*needs, *settings)


def counted(findings: tuple[Finding, ...]) -> str:
    """Say how many errors and warnings there are."""
    errors = len(errors_of(findings))
    return f"{errors} errors, {len(findings) - errors} warnings"


def smoked(report: SmokeReport) -> str:
    """Say in a line what came of a smoke run."""
    missing = f", not installed here: {', '.join(report.missing())}" if report.missing() else ""
    return f"{report.count('ok')} of {len(report.trials)} tried with success{missing}"
