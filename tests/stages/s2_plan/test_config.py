"""Values of config.yaml: read as what they spell, and looked for in the section that they are said to come from."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.protocol import Request
from paper2code_local.stages.s2_plan.config import config_of
from paper2code_local.stages.s2_plan.values import numbers, numerals, stands_in, tidy
from tests import cooling
from tests.engines import Answering


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("1e-5", 1e-5),
        ("0.1", 0.1),
        ("32", 32),
        (" -3 ", -3),
        ("true", True),
        ("False", False),
        ("synthetic", "synthetic"),
        ("nan", "nan"),
        ("inf", "inf"),
        ("1e999", "1e999"),
        ("0.9, 0.98", "0.9, 0.98"),
        ("v1.5", "v1.5"),
    ],
)
def test_what_spells_a_number_or_a_switch_is_one(said: str, read: object) -> None:
    made = tidy(said)
    assert (made, type(made)) == (read, type(read))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-5, "a learning rate of 1e-5"),
        (1e-5, "a learning rate of 1E-05,"),
        (1e-5, "10−5 in all experiments"),
        (1e-3, "we set it to 10 −3"),
        (1e-4, "10^{-4}"),
        (2e-5, "2 × 10−5"),
        (2e-5, r"2 \times 10^{-5}"),
        (3e-4, "3 · 10 −4"),
        (1e-3, "lr = 1 × e −3, 200 epochs"),
        (0.001, "dropout of 0.1%"),
        (0.1, "10 % of the data"),
        (10, "10% of the data"),
        (32000, "32,000 steps"),
        (32000, "32000 steps."),
        (32000, "32k steps"),
        (5000, "5K examples"),
        (2_000_000, "2M images"),
        (1_234_567, "1,234,567 tokens"),
        (0.5, "of .5 and"),
        (-1, "label −1 is"),
        (8, "(8)"),
        (0.9, "β1 = 0.9,"),
        ("MNIST", "on MNIST and"),
        ("cifar_10", "CIFAR-10"),
        (True, "with early stopping"),
    ],
)
def test_a_value_is_found_in_every_usual_spelling(value: bool | int | float | str, text: str) -> None:
    assert stands_in(value, "early_stopping", text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "Section 3.1"),
        (1, "10 and 21"),
        (32, "32,000 steps"),
        (5, "v5 or x5"),
        (1e-5, "1e-4"),
        (0.01, "1 and 10"),
        ("MNIST", "on CIFAR"),
        (True, "we stop late"),
        (7, ""),
    ],
)
def test_a_value_that_is_not_there_is_not_found(value: bool | int | float | str, text: str) -> None:
    assert not stands_in(value, "early_stopping", text)


@given(st.integers(-(10**9), 10**9) | st.floats(1e-6, 1e6).map(lambda x: float(f"{x:.4g}")))
def test_a_number_is_found_as_python_and_people_write_it(number: float) -> None:
    for written in (repr(number), f"{number:,}", f"of {number}, and"):
        assert any(abs(found - number) <= 1e-9 * max(1, abs(number)) for found in numbers(written)), written


@given(st.text(max_size=80) | st.text("0123456789.,eE-+x^{}%kM10 ", max_size=60))
def test_any_text_has_finite_numbers(text: str) -> None:
    assert all(abs(number) < float("inf") for number in numbers(text))


def saying(*values: tuple[str, str, str]) -> Answering:
    said = json.dumps({"values": [dict(zip(("key", "value", "section"), v, strict=True)) for v in values]})
    return Answering(lambda request: said if request.label.startswith("plan.config") else "")


async def test_each_value_says_where_it_comes_from() -> None:
    engine = saying(
        ("rate", "1e-3", "2 Experiments"),
        ("rate", "7", "2 Experiments"),
        ("seed", "3", "assumption"),
        ("temperature", "41", "1 Method"),
        ("workers", "4", "assumption"),
    )
    made = await config_of(cooling.PAPER, cooling.text(), cooling.reading(engine), 1.0)
    assert [(v.key, v.value, v.section, v.origin) for v in made.values] == [
        ("seed", 0, "", "assumed"),
        ("steps", 32000, "s2", "traced"),
        ("rate", 0.001, "s2", "traced"),
        ("temperature", 41, "s1", "untraced"),
        ("workers", 4, "", "assumed"),
    ]
    (finding,) = made.findings
    assert (finding.code, finding.path) == ("P2C502", "config.yaml")
    assert "temperature" in finding.message


async def test_without_an_answer_there_is_a_seed() -> None:
    made = await config_of(cooling.PAPER, cooling.text(), cooling.reading(Answering(lambda _: "")), 1.0)
    assert [v.key for v in made.values] == ["seed", "steps"]
    assert made.findings


async def test_the_answer_can_name_only_sections_that_are_there() -> None:
    asked: list[Request] = []
    engine = Answering(lambda request: asked.append(request) or "")
    await config_of(cooling.PAPER, cooling.text(), cooling.reading(engine), 1.0)
    schema = json.dumps(asked[0].answer_schema)
    assert '["1 Method", "2 Experiments", "assumption"]' in schema


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("18,000 samples, batch size 32, r = 16", ("18000", "32", "16")),
        ("lr = 1 × e −3 and 2e-4, then 10 −5", ("0.001", "0.0002", "1e-05")),
        ("dropout 0.05 or 5% of 2M, and 32 again 32", ("0.05", "5", "2000000", "32")),
        ("no number at all", ()),
    ],
)
def test_numerals_stand_as_python_writes_them(text: str, found: tuple[str, ...]) -> None:
    assert numerals(text) == found


@given(st.text(max_size=80) | st.text("0123456789.,eE-+x^{}%kM10 ", max_size=60))
def test_numerals_of_any_text_are_numbers_that_it_states(text: str) -> None:
    for numeral in numerals(text):
        assert not isinstance(tidy(numeral), str)


async def test_what_the_paper_spells_out_is_there_whatever_the_model_says() -> None:
    engine = saying(("steps", "7", "2 Experiments"), ("workers", "4", "assumption"))
    made = await config_of(cooling.PAPER, cooling.text(), cooling.reading(engine), 1.0)
    assert [(v.key, v.value, v.section, v.origin) for v in made.values] == [
        ("seed", 0, "", "assumed"),
        ("steps", 32000, "s2", "traced"),
        ("workers", 4, "", "assumed"),
    ]
    assert "32,000 steps" in engine.asked[0].user
