"""The lines of a paper that state settings."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.paper import Block, Paper, Paragraph, Section, Table
from paper2code_local.stages.s2_plan.stated import LONGEST, MOST, Stated, settings, stated


def paper(*sections: tuple[str, str | Block]) -> Paper:
    return Paper(
        title="",
        authors=(),
        abstract="",
        sections=tuple(
            Section(
                id=f"s{i}",
                number="",
                heading=heading,
                level=1,
                blocks=(Paragraph(text=block) if isinstance(block, str) else block,),
                chars=0,
            )
            for i, (heading, block) in enumerate(sections, 1)
        ),
        references=(),
        footnotes=(),
        chars=0,
        dropped_chars=0,
        parser="tei",
        warnings=(),
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("We train with a learning rate of 2e-4 and a batch size of 64.", 2),
        ("Dropout is 0.1 and we run 30 epochs.", 2),
        ("with rank r = 16 and scaling factor α = 32", 2),
        ("The learning rate decays (Moe et al., 2019) as in [12, 13].", 0),
        ("Layers are stacked as proposed in 2017.", 0),
        ("We are the first to do so, by 3 points.", 0),
        ("", 0),
    ],
)
def test_a_setting_is_a_word_with_a_number_close_by(text: str, count: int) -> None:
    assert settings(text) == count


def test_lines_come_in_reading_order_with_the_heading_they_stand_under() -> None:
    given = paper(
        ("Method", "We do much. The margin is 1. We do more."),
        ("Related work", "They use a batch size of 7."),
        ("Set-up", "Training takes 3 epochs. Nothing else, as Moe et al. 2019 say."),
    )
    assert stated(given) == (
        Stated("s1", "Method", "The margin is 1."),
        Stated("s3", "Set-up", "Training takes 3 epochs."),
    )


def test_rows_of_a_table_of_settings_count_and_a_long_paper_stays_short() -> None:
    rows = tuple(("learning rate", f"{i}e-4") for i in range(3 * MOST))
    table = Table(id="tab1", label="Table 1", caption="Settings", rows=rows)
    found = stated(paper(("Set-up", table), ("Long", "batch size 8 " + "word " * 400)))
    assert len(found) == MOST
    assert found[0] == Stated("s1", "Set-up", "learning rate | 0e-4")
    assert all(len(line.text) <= LONGEST for line in found)
