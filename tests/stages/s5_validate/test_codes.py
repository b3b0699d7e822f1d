from __future__ import annotations

from pathlib import Path

import pytest

from paper2code_local.stages.s5_validate import CODES, document, validate

PAGE = Path(__file__).parents[3] / "docs" / "findings.md"


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_example_has_the_finding(code: str) -> None:
    example = CODES[code]
    found = [f for f in validate(example.wrong, example.order) if f.code == code]
    assert [f.severity for f in found] == [example.severity]
    assert found[0].path in example.wrong
    assert found[0].message
    assert found[0].hint


@pytest.mark.parametrize("code", CODES)
def test_the_right_example_has_no_finding(code: str) -> None:
    example = CODES[code]
    assert validate(example.right, example.order) == ()


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == document()
