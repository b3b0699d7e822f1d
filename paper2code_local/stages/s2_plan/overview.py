"""The first question: what must be built."""

from __future__ import annotations

from paper2code_local.artifacts.answers import Answer, fields, several, text, unique
from paper2code_local.artifacts.plan import Overview
from paper2code_local.asking import Asker, Question, Unanswered, prompt
from paper2code_local.errors import AnswerError


def answer_type(scale: float) -> type[Answer]:
    """Return the type of the answer."""
    long, short = text(240 * scale), text(200 * scale)
    method = several(text(200), 6 * scale, 2)  # more steps or longer ones, not both: answers grow with scale, no faster
    answer: type[Answer] = fields(
        "OverviewAnswer", task=long, method=method, data=short, training=short, evaluation=short
    )
    return answer


def question(scale: float) -> Question[Answer]:
    """Return the question."""
    asked = prompt(__package__, "overview.md")
    return Question("plan.overview", asked, answer_type(scale), int(900 * scale))


async def overview_of(asker: Asker, scale: float) -> Overview:
    """Ask for the overall plan. Raises AnswerError when there is none."""
    answer = await asker.ask(question(scale))
    if isinstance(answer, Unanswered):
        raise AnswerError(
            "overview", f"no usable overall plan: {answer.reason}", "Try a larger model, or another --seed."
        )
    said = answer.model_dump()
    return Overview.model_validate(said | {"method": unique(said["method"])})
