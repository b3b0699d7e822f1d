"""The context of a run and its estimate: arithmetic that must hold for any paper and any model."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.estimate import estimate
from paper2code_local.settings import budget

scales = st.sampled_from([0.5, 1.0, 2.0, 4.0])


@given(st.integers(1, 200_000), st.integers(2_048, 1_000_000), scales, st.booleans())
def test_the_context_holds_the_paper_and_the_rest_or_the_paper_is_cut(
    paper: int, longest: int, scale: float, whole_files: bool
) -> None:
    context, room = budget(paper, longest, scale, whole_files)
    assert 0 < room < context <= longest
    assert room >= min(paper, longest // 3)
    assert room <= max(paper, longest // 3 + 1)


def test_a_short_paper_does_not_take_all_of_a_long_context() -> None:
    context, room = budget(5_000, 131_072, 1.0, False)
    assert room == 5_000
    assert context < 20_000


@given(st.integers(100, 100_000), st.booleans(), scales)
def test_an_estimate_grows_with_the_paper_and_knows_time_only_from_measurement(
    paper: int, whole_files: bool, scale: float
) -> None:
    small, large = (estimate(tokens, whole_files, scale, None) for tokens in (paper, 2 * paper))
    assert small.calls == large.calls > 10
    assert small.prompt_tokens < large.prompt_tokens
    assert small.seconds is None
    timed = estimate(paper, whole_files, scale, 50.0)
    assert timed.seconds is not None
    assert abs(timed.seconds * 50.0 - timed.completion_tokens) < 1
