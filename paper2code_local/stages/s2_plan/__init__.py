"""Plan: what is built, in which files, in which order, with which settings.

In: the paper, as text and as an artifact. Out: a `Plan` and findings about what had to be mended. Many small questions:
overview → files → what each needs → interfaces (each as soon as those it needs are known) → relations, calls, logic and
configuration together. Must not know files on disk, events or the command line.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import Plan
from paper2code_local.asking import Asker
from paper2code_local.prefix import PaperText, files_text, overview_text
from paper2code_local.stages.s2_plan.architecture import architecture_of
from paper2code_local.stages.s2_plan.completing import with_helper, with_need, with_settings
from paper2code_local.stages.s2_plan.config import config_of
from paper2code_local.stages.s2_plan.flow import flow_of
from paper2code_local.stages.s2_plan.logic import logic_of
from paper2code_local.stages.s2_plan.overview import overview_of

__all__ = ["Planned", "make_plan", "with_helper", "with_need", "with_settings"]


@dataclass(frozen=True)
class Planned:
    """A plan, and what was mended while it was made."""

    plan: Plan
    findings: tuple[Finding, ...]


async def make_plan(paper: Paper, text: PaperText, asker: Asker, scale: float) -> Planned:
    """Plan the repository for `paper`; `asker` already shares its text; `scale` multiplies the bounds of answers.

    Raises AnswerError when the model gives no usable overview or file list.
    """
    overview = await overview_of(asker, scale)
    asker = asker.knowing(overview_text(overview))
    architecture = await architecture_of(asker, scale)
    asker = asker.knowing(files_text(architecture.files))
    flow, logic, config = await asyncio.gather(
        flow_of(architecture.files, asker),
        logic_of(architecture.files, text, asker, scale),
        config_of(paper, text, asker, scale),
    )
    plan = Plan(
        overview=overview,
        files=logic.files,
        relations=flow.relations,
        calls=flow.calls,
        order_reason=logic.order_reason,
        packages=logic.packages,
        shared_knowledge=logic.shared_knowledge,
        unclear=logic.unclear,
        config=config.values,
    )
    return Planned(plan, (*architecture.findings, *flow.findings, *logic.findings, *config.findings))
