"""The paper as the model reads it: everything, or cut in the stated order to what fits."""

from __future__ import annotations

from paper2code_local.artifacts.paper import Footnote, Paper
from paper2code_local.errors import InputError
from paper2code_local.prefix import CUT_ORDER, paper_text, plan_texts
from tests.engines import Words
from tests.stages.s7_write.small_repository import PLAN
from tests.tei_fixtures import parse

PAPER = parse(
    """<div><head n="1">Method</head><p>We cool <ref type="bibr" target="#b0">[1]</ref>.</p>
<formula>t = exp(-k)<label>(1)</label></formula></div>
<div><head n="2">Related Work</head><p>Others heat.</p></div>
<div><head n="3">Results</head><p>It works.</p>
<figure type="table"><head>Table 1</head><figDesc>Scores.</figDesc>
<table><row><cell>a</cell><cell>1</cell></row></table></figure></div>""",
    """<div type="acknowledgement"><div><head>Acknowledgements</head><p>We thank Moss.</p></div></div>
<div type="annex"><div><head>A Proofs</head><p>By ice.</p></div></div>
<listBibl><biblStruct xml:id="b0"><analytic><title level="a">Kettles</title></analytic></biblStruct></listBibl>""",
).model_copy(update={"footnotes": (Footnote(mark="1", text="A remark."),)})
WORDS = {
    "references": "Kettles",
    "acknowledgements": "We thank Moss",
    "footnotes": "A remark",
    "related work": "Others heat",
    "appendices": "By ice",
}
count = Words().count


def test_without_a_budget_all_of_the_paper_is_there() -> None:
    whole = paper_text(PAPER, count, None)
    assert whole.cut == ()
    for words in (*WORDS.values(), "We cool [1].", "[eq1] t = exp(-k) (1)", "a | 1", "Scores.", "# Cooling Schedules"):
        assert words in whole.text
    assert whole.tokens == count(whole.text)
    assert whole.formulas == ("eq1",)


def test_parts_go_in_the_stated_order_and_only_as_far_as_needed() -> None:
    """For every budget: what is cut is a beginning of the order, it is gone, the rest is there, and it fits."""
    whole = paper_text(PAPER, count, None)
    seen = set()
    for budget in range(whole.tokens, 0, -1):
        try:
            made = paper_text(PAPER, count, budget)
        except InputError as error:
            assert error.code == "input.too_long"  # noqa: PT017
            break
        assert made.cut == CUT_ORDER[: len(made.cut)]
        assert made.tokens <= budget
        for kind, words in WORDS.items():
            assert (words in made.text) == (kind not in made.cut)
        assert "We cool [1]." in made.text
        assert set(made.sections.values()) <= set(whole.sections.values())
        seen.add(made.cut)
    assert len(seen) == len(CUT_ORDER) + 1


def test_a_section_that_was_cut_can_no_longer_be_named() -> None:
    whole, body = (paper_text(PAPER, count, budget) for budget in (None, 61))
    assert "related work" in body.cut
    assert {s.id for s in PAPER.sections} == set(whole.sections.values())
    gone = set(whole.sections.values()) - set(body.sections.values())
    assert gone
    assert all(f"[{identifier}]" not in body.text for identifier in gone)


def test_headings_name_their_sections_even_when_two_are_the_same() -> None:
    twice = parse("<div><head>Loss</head><p>a</p></div><div><head>Loss</head><p>b</p></div><div><p>c</p></div>")
    sections = paper_text(twice, count, None).sections
    assert sorted(sections.values()) == sorted(s.id for s in twice.sections)


def test_a_paper_with_nothing_in_it_is_still_a_text() -> None:
    empty = Paper(
        title="", authors=(), abstract="", sections=(), references=(), footnotes=(), chars=0, dropped_chars=0,
        parser="tei", warnings=(),
    )  # fmt: skip
    assert paper_text(empty, count, None).text == "# Untitled paper"


def test_the_parts_of_a_plan_show_every_name_and_value() -> None:
    text = "\n".join(plan_texts(PLAN))
    for told in (
        "Smooth labels",
        "def load(path: str)",
        "class HalfSmoother(Smoother)",
        'config["learning_rate"] = 1e-05',
    ):
        assert told in text
    assert "may import data/loader.py" in text
    assert "labels are one-hot" in text
