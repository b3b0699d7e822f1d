"""Forbidden words: bounded, and the words themselves before anything else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.avoiding import BEFORE, MOST, spellings


@given(st.lists(st.text(min_size=1, max_size=8), max_size=90))
def test_no_more_are_forbidden_than_vllm_takes_and_each_word_comes_before_its_spellings(words: list[str]) -> None:
    found = spellings(words)
    assert len(found) == len(set(found)) <= MOST
    assert found[: min(len(set(words)), MOST)] == list(dict.fromkeys(words))[:MOST]


def test_a_name_is_forbidden_after_the_signs_that_share_its_token() -> None:
    assert spellings(["loader", "..."]) == ["loader", "...", *(f"{sign}loader" for sign in BEFORE)]
