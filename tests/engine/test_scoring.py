"""How likely answers were: the mean over all tokens of all answers of a draft."""

from __future__ import annotations

import pytest

from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.scoring import ScoringEngine
from tests.engines import SAMPLING, Answering

REQUEST = Request(label="x", system="s", user="u", max_tokens=9, sampling=SAMPLING, seed=1)


class Telling(Answering):
    """Tells log-probabilities, one answer after the other."""

    def __init__(self, *told: tuple[float | None, int]) -> None:
        super().__init__(lambda _: "x")
        self._told = list(told)

    async def complete(self, request: Request) -> Completion:
        completion = await super().complete(request)
        logprob, tokens = self._told.pop(0)
        return completion.model_copy(update={"logprob": logprob, "completion_tokens": tokens})


async def test_the_mean_is_over_tokens_and_answers_that_tell_nothing_do_not_count() -> None:
    engine = ScoringEngine(Telling((-3.0, 2), (None, 50), (-1.0, 2)))
    assert engine.mean == float("-inf")
    for _ in range(3):
        await engine.complete(REQUEST)
    assert engine.mean == pytest.approx(-1.0)


async def test_it_asks_for_the_log_probability_and_the_question_stays_the_same_one() -> None:
    below = Answering(lambda _: "x")
    await ScoringEngine(below).complete(REQUEST)
    assert below.asked[0].scored
    assert below.asked[0].identity("m") == REQUEST.identity("m")
