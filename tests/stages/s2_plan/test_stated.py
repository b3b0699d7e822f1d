"""The lines of a paper that state settings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    papers = paper(
        ("Method", "We do much. The margin is 1. We do more."),
        ("Related work", "They use a batch size of 7."),
        ("Set-up", "Training takes 3 epochs. Nothing else, as Moe et al. 2019 say."),
    )
    assert stated(papers) == (
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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a batch size of 32 and a group size of 16", [("batch_size", 32), ("group_size", 16)]),
        ("We use AdamW, lr = 1 × e −3, 200 epochs.", [("learning_rate", 0.001), ("epochs", 200)]),
        ("GRPO runs for 1,000 update steps", [("steps", 1000)]),
        ("with rank r = 16 and α = 32, a dropout rate of 0.05", [("rank", 16), ("alpha", 32), ("dropout", 0.05)]),
        ("Learning rate | 2e-4", [("learning_rate", 0.0002)]),
        ("Hidden width h | 64", [("hidden_width", 64)]),
        ("Temperature learning rate | 0.05", [("temperature_learning_rate", 0.05)]),
        ("Ours | 91.3", []),
        ("LSTM (2 layers) | 91.3", [("layers", 2)]),
        ("a window size of 5, 12 attention heads", [("window_size", 5), ("heads", 12)]),
        (r"with $\beta = 0.9$ and a beam size of $4$", [("beta", 0.9), ("beam_size", 4)]),
        (r"ϵ = 10−9 and $\tau=10^{-3}$", [("epsilon", 1e-9), ("tau", 0.001)]),
        ("The learning rate is that of Moe et al. (2019).", []),
        ("rank ∈ {2, 4, 8}, margin as in [3], 3 of 7 epochs matter", [("epochs", 7)]),
        ("Steps 3 and 4 repeat; the correlation is ρ = 0.55.", []),
    ],
)
def test_what_a_line_spells_out_needs_no_model(text: str, found: list[tuple[str, object]]) -> None:
    assert list(Stated("s1", "Set-up", text).settings()) == found


@given(st.text(max_size=120) | st.text("batch size of learning rate 0123456789.,=e-×10 epochs αβ", max_size=80))
def test_whatever_is_spelled_out_is_a_name_and_a_value(text: str) -> None:
    for key, value in Stated("s1", "", text).settings():
        assert key.isidentifier()
        assert value == value
