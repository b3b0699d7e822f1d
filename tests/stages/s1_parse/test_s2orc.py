"""S2ORC JSON to Paper: sections, formulas and floats back in their places, and one error for any other shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.paper import Formula, Paper, Paragraph, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.s2orc import paper_of_s2orc

Json = dict[str, Any]


def span(text: str, part: str, **more: Any) -> Json:
    start = text.index(part)
    return {"start": start, "end": start + len(part), "text": part, **more}


def passage(text: str, section: str | None = "Model", number: str | None = "1", **spans: Any) -> Json:
    return {
        "text": text,
        "cite_spans": [],
        "ref_spans": [],
        "eq_spans": [],
        "section": section,
        "sec_num": number,
    } | spans


def paper(*body: Json, **more: Any) -> Paper:
    parse = {"abstract": [], "body_text": list(body), "back_matter": [], "bib_entries": {}, "ref_entries": {}} | more
    return paper_of_s2orc(json.dumps({"title": "Kettles", "authors": [], "pdf_parse": parse}).encode())


def test_front_matter_and_sections() -> None:
    root = {
        "title": "On  Kettles",
        "authors": [{"first": "Ada", "middle": ["B."], "last": "Quill", "suffix": ""}, {"first": "", "last": ""}],
        "abstract": "Not read when the parse has one.",
        "pdf_parse": {
            "abstract": [{"text": "We boil."}, {"text": "It works."}],
            "body_text": [
                passage("One."),
                passage("Two."),
                passage("Three.", "Loss", "1.1"),
                passage("Four.", "", None),
            ],
            "back_matter": [passage("To all.", "acknowledgement", None), passage("More.", "annex", None)],
        },
    }
    found = paper_of_s2orc(json.dumps(root).encode())
    assert (found.title, found.authors, found.abstract) == ("On Kettles", ("Ada B. Quill",), "We boil.\nIt works.")
    assert [(s.number, s.heading, s.level, s.part, len(s.blocks)) for s in found.sections] == [
        ("1", "Model", 1, "body", 2),
        ("1.1", "Loss", 2, "body", 1),
        ("", "", 1, "body", 1),
        ("", "acknowledgement", 1, "acknowledgements", 1),
        ("", "annex", 1, "appendix", 1),
    ]
    assert found.parser == "s2orc"
    assert found.dropped_chars == 0


def test_a_formula_returns_to_where_its_token_stands() -> None:
    text = "We use EQUATION where x is heat."
    (section,) = paper(
        passage(text, eq_spans=[span(text, "EQUATION", ref_id="EQREF", raw_str="y = w x", eq_num="(3)")])
    ).sections
    assert section.blocks == (
        Paragraph(text="We use"),
        Formula(id="eq1", label="(3)", text="y = w x"),
        Paragraph(text="where x is heat."),
    )


def test_a_formula_without_text_is_kept_and_said() -> None:
    text = "EQUATION"
    found = paper(passage(text, eq_spans=[span(text, text, ref_id="EQREF", eq_num="(1)")]))
    assert [(f.label, f.text) for f in found.formulas()] == [("(1)", "")]
    assert any("1 formulas have no text" in warning for warning in found.warnings)


def test_a_parse_from_latex_goes_first_and_its_tokens_become_what_is_printed() -> None:
    text = "As BIBREF1 says, INLINEFORM0 of EQREF7 and FIGREF2 hold: DISPLAYFORM0"
    latex = {
        "body_text": [
            passage(
                text,
                "Method::Heat",
                "2.1",
                cite_spans=[span(text, "BIBREF1", ref_id="BIBREF1") | {"text": None}],
                ref_spans=[
                    span(text, "EQREF7", ref_id="EQREF7") | {"text": "7"},
                    span(text, "FIGREF2", ref_id="FIGREF2") | {"text": None},
                ],
                eq_spans=[
                    span(text, "INLINEFORM0", latex="x_i", ref_id="INLINEFORM0"),
                    span(text, "DISPLAYFORM0", latex=r"\sum_i x_i", ref_id="DISPLAYFORM0"),
                ],
            )
        ],
        "bib_entries": {"BIBREF1": {"raw_text": "Second."}, "BIBREF0": {"title": "First", "year": 2001}},
        "ref_entries": {
            "FIGREF2": {"text": "A pot.", "type_str": "figure", "num": "4"},
            "EQREF7": {"text": "", "latex": "a = b", "type_str": "equation", "num": "7"},
            "SECREF1": {"text": "Method", "type_str": "section", "num": "2"},
            "FOOTREF0": {"text": "See there.", "type_str": "footnote", "num": "1"},
        },
    }
    found = paper_of_s2orc(json.dumps({"pdf_parse": {"body_text": [passage("Old.")]}, "latex_parse": latex}).encode())
    assert [(s.number, s.heading, s.level) for s in found.sections] == [("2", "Method", 1), ("2.1", "Heat", 2)]
    first = found.sections[1].blocks[0]
    assert first == Paragraph(text="As [2] says, $x_i$ of (7) and 4 hold:", citations=("b1",))
    assert [(f.label, f.text) for f in found.formulas()] == [("", r"\sum_i x_i"), ("(7)", "a = b")]
    assert [(f.label, f.caption) for f in found.figures()] == [("Figure 4", "A pot.")]
    assert [(r.id, r.text) for r in found.references] == [("b0", "2001. First"), ("b1", "Second.")]
    assert [(n.mark, n.text) for n in found.footnotes] == [("1", "See there.")]
    assert any("latex_parse was read, pdf_parse not" in warning for warning in found.warnings)
    assert found.dropped_chars == 0


def test_floats_go_to_the_section_that_refers_to_them_and_take_their_numbers_from_there() -> None:
    far = "Table 2 tells."
    found = paper(
        passage("Nothing here."),
        passage(far, "Results", "2", ref_spans=[span(far, "2", ref_id="TABREF0")]),
        ref_entries={
            "TABREF0": {
                "text": "Heat by pot.",
                "type_str": "table",
                "content": "<table><tr><td>a</td><td/></tr></table>",
            },
            "FIGREF0": {"text": "Figure 1: A pot.", "type_str": "figure", "fig_num": "1"},
        },
    )
    (table,) = found.tables()
    assert (table.label, table.caption, table.rows) == ("Table 2", "Heat by pot.", (("a", ""),))
    assert table in found.sections[1].blocks
    assert [(f.label, f.caption) for f in found.figures()] == [("Figure 1", "A pot.")]
    assert found.dropped_chars == visible(":")


@pytest.mark.parametrize("where", ["top", "grobid_parse"])
def test_older_releases(where: str) -> None:
    parse = {"paper_id": "1", "body_text": [{"section": "II. HEAT", "text": "We heat."}], "abstract": "We boil."}
    metadata = {"title": "Kettles", "authors": [{"first": "A.", "middle": [], "last": "Quill"}]}
    found = paper_of_s2orc(json.dumps({"metadata": metadata, **(parse if where == "top" else {where: parse})}).encode())
    assert (found.title, found.authors, found.abstract) == ("Kettles", ("A. Quill",), "We boil.")
    assert [s.heading for s in found.sections] == ["II. HEAT"]


WORDS = st.lists(st.sampled_from(["heat", "pot α", "EQUATION", "  \n"]), max_size=6).map(" ".join)


@st.composite
def passages(draw: st.DrawFn) -> Json:
    """A paragraph with any spans inside its text, overlapping ones too."""
    text = draw(WORDS)
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    formulas = draw(st.lists(ends, max_size=3))
    spans = [
        {"start": a, "end": b, "raw_str": "f = x", "eq_num": draw(st.sampled_from(["", "(1)"]))} for a, b in formulas
    ]
    return passage(
        text, draw(st.sampled_from(["", "Heat", "A::B"])), draw(st.sampled_from([None, "1", "2.1"])), eq_spans=spans
    )


@settings(deadline=None, max_examples=50)
@given(st.lists(passages(), max_size=5), st.lists(passages(), max_size=2))
def test_nothing_outside_of_tokens_is_lost(body: list[Json], back: list[Json]) -> None:
    found = paper(*body, back_matter=back, abstract=[{"text": "We boil."}])
    assert found.dropped_chars == 0
    outside, formulas = [], 0
    for each in (*body, *back):
        cursor = 0
        for cut in sorted(each["eq_spans"], key=lambda s: s["start"]):
            if cut["start"] >= cursor:
                outside.append(each["text"][cursor : cut["start"]])
                cursor, formulas = cut["end"], formulas + 1
        outside.append(each["text"][cursor:])
    kept = [b.text for s in found.sections for b in s.blocks if isinstance(b, Paragraph)]
    assert "".join("".join(kept).split()) == "".join("".join(outside).split())
    assert len(found.formulas()) == formulas


GOOD = passage("One.")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"[1, 2]", "a JSON list"),
        (b'{"pdf_parse": {"body_text": []', "no JSON"),
        (b'{"title": "\xff"}', "not UTF-8"),
        (b'{"title": "x"}', "body_text"),
        (b'{"pdf_parse": []}', "pdf_parse"),
        (b'{"pdf_parse": {"body_text": {}}}', "pdf_parse.body_text"),
        (b'{"pdf_parse": {"body_text": [1]}}', "pdf_parse.body_text.0"),
        (b'{"body_text": [], "body_text": []}', "'body_text' stands twice"),
        (b'{"body_text": [], "year": NaN}', "NaN"),
        (b'{"body_text": ' + b"[" * 100_000, "nested too deeply"),
        (json.dumps({"body_text": [GOOD | {"text": ["One."]}]}).encode(), "body_text.0.text"),
        (json.dumps({"body_text": [GOOD | {"eq_spans": [{"start": 1, "end": 9}]}]}).encode(), "outside of its text"),
        (json.dumps({"body_text": [GOOD | {"ref_spans": [{"start": -1, "end": 2}]}]}).encode(), "ref_spans.0.start"),
        (json.dumps({"body_text": [GOOD], "bib_entries": []}).encode(), "bib_entries"),
        (json.dumps({"body_text": [GOOD | {"text": "\ud800"}]}).encode(), "surrogate"),
    ],
)
def test_another_shape_is_one_error_that_names_the_place(data: bytes, says: str) -> None:
    with pytest.raises(InputError) as caught:
        paper_of_s2orc(data)
    assert caught.value.code == "input.s2orc_shape"
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_nothing_to_read_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        paper_of_s2orc(b'{"title": "Kettles", "body_text": []}')
    assert caught.value.code == "input.empty"
