from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate import validate, without_ignores


def _codes(text: str, honour: bool = True) -> list[str]:
    return [f.code for f in validate({"m.py": text.encode()}, honour_ignores=honour)]


@pytest.mark.parametrize(
    "comment", ["# p2c: ignore[P2C601]", "#p2c:ignore[ P2C202 , P2C601 ]", "# noqa # p2c: ignore[P2C601] because"]
)
def test_a_comment_silences_its_codes_on_its_line(comment: str) -> None:
    text = f"x = nothing  {comment}\ny = naught\n"
    assert _codes(text) == ["P2C601"]
    assert _codes(text, honour=False) == ["P2C601", "P2C601"]


@pytest.mark.parametrize(
    "comment", ["# p2c: ignore", "# p2c: ignore[]", "# p2c: ignore[P2C999]", "# p2c: ignore[F821]"]
)
def test_a_comment_without_a_code_that_there_is_silences_nothing_and_is_a_warning(comment: str) -> None:
    assert _codes(f"x = nothing  {comment}\n") == ["P2C106", "P2C601"]


def test_the_comment_of_other_checkers_counts_for_undefined_names() -> None:
    assert _codes("x = nothing  # noqa: E501, F821\n") == []
    assert _codes("x = nothing  # noqa: E501\n") == ["P2C601"]
    assert _codes("x = nothing  # noqa: F821\n", honour=False) == ["P2C601"]


def test_only_comments_count() -> None:
    text = 'x = """\n# p2c: ignore[P2C999]\n"""\ny = nothing, "# p2c: ignore[P2C601]"\n'
    assert _codes(text) == ["P2C601"]
    assert without_ignores(text) == (text, ())


def test_taking_the_comments_out_leaves_the_rest() -> None:
    text = "x = 1  # p2c: ignore[P2C601]\ny = 2  # why # p2c: ignore\nz = 3  # p2c: ignore[P2C202] see there\n"
    assert without_ignores(text) == ("x = 1\ny = 2  # why\nz = 3  # see there\n", (1, 2, 3))


def test_much_white_space_costs_nothing() -> None:
    text = "# p2c:" + " " * 900_000 + "\n"
    assert without_ignores(text) == (text, ())
