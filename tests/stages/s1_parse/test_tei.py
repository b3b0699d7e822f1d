"""TEI to Paper: headings, blocks, floats, references and footnotes, wherever GROBID hangs them."""

from __future__ import annotations

from tei_fixtures import HEADER, parse, tei

from paper2code_local.artifacts.paper import Formula, Paper, Paragraph, Section, Table, visible
from paper2code_local.stages.s1_parse.tei import paper_of_tei


def headings(paper: Paper) -> list[tuple[str, str, int, str]]:
    return [(s.number, s.heading, s.level, s.part) for s in paper.sections]


def section_of(paper: Paper, block_id: str) -> Section:
    return next(s for s in paper.sections if any(getattr(b, "id", "") == block_id for b in s.blocks))


# ── header ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_header_gives_title_authors_and_abstract() -> None:
    paper = parse("<div><p>Text.</p></div>")
    assert paper.title == "Cooling Schedules"
    assert paper.authors == ("Ada B Quill", "Moss")
    assert paper.abstract == "We cool. Slowly.\nIt works."
    assert paper.chars == visible("Text.")


def test_an_empty_title_falls_back_to_the_articles_but_never_to_the_journals() -> None:
    empty = HEADER.replace("Cooling   Schedules", "")
    article = empty.replace("<analytic>", "<analytic><title>On Cooling</title>")
    assert parse("<p>x</p>", header=article).title == "On Cooling"
    without = parse("<p>x</p>", header=empty)
    assert without.title == ""
    assert any("title" in warning for warning in without.warnings)


def test_what_is_missing_is_warned_of() -> None:
    warnings = " ".join(parse("<p>x</p>", header="").warnings)
    assert all(word in warnings for word in ("title", "abstract", "references"))
    assert "sections" not in warnings
    assert any("sections" in w for w in parse("", "").warnings)


def test_the_route_is_recorded() -> None:
    assert parse("<p>x</p>").parser == "tei"
    assert paper_of_tei(tei("<p>x</p>"), parser="grobid").parser == "grobid"


# ── sections ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_levels_come_from_numbers_whether_an_attribute_or_the_text_has_them() -> None:
    paper = parse(
        '<div><head n="3.1.">Data</head></div><div><head>4 Results</head></div><div><head>Remarks</head></div>'
    )
    assert headings(paper) == [("3.1", "Data", 2, "body"), ("4", "Results", 1, "body"), ("", "Remarks", 1, "body")]


def test_nested_divisions_give_unnumbered_headings_a_level() -> None:
    paper = parse(
        "<div><head>Model</head><p>a</p><div><head>Encoder</head><p>b</p></div></div><div><head>End</head></div>"
    )
    assert [(s.heading, s.level, len(s.blocks)) for s in paper.sections] == [
        ("Model", 1, 1),
        ("Encoder", 2, 1),
        ("End", 1, 0),
    ]


def test_a_capital_is_a_number_only_beside_its_neighbours() -> None:
    alone = parse("<div><head>1 Setup</head></div><div><head>A Method for Heat</head></div>")
    assert [s.number for s in alone.sections] == ["1", ""]
    lettered = parse("<div><head>1 Setup</head></div><div><head>A Proofs</head></div><div><head>B Prompts</head></div>")
    assert headings(lettered)[1:] == [("A", "Proofs", 1, "appendix"), ("B", "Prompts", 1, "appendix")]


def test_letters_are_subsections_where_sections_are_roman() -> None:
    heads = ["I. START", "II. MODEL", "A. Loss", "III. END"]
    paper = parse("".join(f"<div><head>{h}</head></div>" for h in heads))
    assert [(s.number, s.level) for s in paper.sections] == [("I", 1), ("II", 1), ("A", 2), ("III", 1)]


def test_text_before_the_first_heading_and_in_the_back_has_sections() -> None:
    back = """<div type="acknowledgement"><div><head>Thanks</head><p>To all.</p></div></div>
        <div type="annex"><div><p>More proofs.</p></div></div><div type="availability"><p>Code is here.</p></div>"""
    paper = parse("<div><p>Opening.</p></div><div><head>Body</head></div>", back)
    assert [(s.heading, s.part) for s in paper.sections] == [
        ("", "body"),
        ("Body", "body"),
        ("Thanks", "acknowledgements"),
        ("", "appendix"),
        ("", "back"),
    ]


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_sentences_are_parted_and_citations_kept_as_printed() -> None:
    entries = '<div type="references"><listBibl><biblStruct xml:id="b0"/><biblStruct xml:id="b1"/></listBibl></div>'
    body = """<div><p><s>As in <ref type="bibr" target="#b1">[2]</ref>.</s><s>And
        <ref type="bibr" target="#b0 #b1">[1,2]</ref>
        or <ref type="bibr" target="#b9">[9]</ref>, in H<hi>2</hi>O.</s></p></div>"""
    (section,) = parse(body, entries).sections
    assert section.blocks == (Paragraph(text="As in [2]. And [1,2] or [9], in H2O.", citations=("b1", "b0")),)


def test_a_formula_inside_a_paragraph_splits_it_and_keeps_its_label() -> None:
    (section,) = parse("<div><p>Let <formula>y = W x<label>(3)</label></formula> hold.</p></div>").sections
    let, formula, hold = section.blocks
    assert formula == Formula(id="eq1", label="(3)", text="y = W x")
    assert [b.text for b in (let, hold) if isinstance(b, Paragraph)] == ["Let", "hold."]


def test_a_float_does_not_split_the_sentence_it_hangs_in() -> None:
    (section,) = parse(
        "<div><p>One <figure><figDesc>A cat.</figDesc></figure><note place='foot' n='2'>Two.</note> three.</p></div>"
    ).sections
    assert [b.kind for b in section.blocks] == ["figure", "paragraph"]
    assert Paragraph(text="One three.") in section.blocks


def test_tables_keep_their_rows_ragged_and_their_notes() -> None:
    body = """<div><head>Results</head></div><figure type="table" xml:id="tab_0"><head>Table 2 :</head><label>2</label>
        <figDesc><div><p>Table 2: Error by schedule.</p></div></figDesc>
        <table><row><cell>schedule</cell><cell/></row><row><cell>linear</cell><cell>3.1</cell><cell>!</cell></row></table>
        <note>Lower is better.</note></figure>"""
    paper = parse(body)
    assert paper.tables() == (
        Table(
            id="tab1",
            label="Table 2",
            caption="Error by schedule.",
            rows=(("schedule", ""), ("linear", "3.1", "!")),
            note="Lower is better.",
        ),
    )
    assert paper.dropped_chars == visible(":") + visible("2") + visible("Table 2:")


def test_algorithms_are_told_from_figures() -> None:
    paper = parse(
        "<figure><head>Algorithm 1 Anneal</head><figDesc>for t do</figDesc></figure>"
        "<figure><figDesc>Fig. 4. A pot.</figDesc></figure>"
    )
    assert [(f.kind, f.id, f.label, f.caption) for f in paper.figures()] == [
        ("algorithm", "alg1", "Algorithm 1", "Anneal for t do"),
        ("figure", "fig1", "Fig. 4", "A pot."),
    ]


def test_loose_floats_go_where_they_are_first_spoken_of() -> None:
    body = """<div><head>One</head><p>See <ref type="figure" target="#fig_7">it</ref>.</p></div>
        <div><head>Two</head><p>Table 3 shows it; Figure 9 too.</p></div>
        <div><head>Three</head><p>As in Table 3.</p></div>
        <figure xml:id="fig_7"><head>Figure 1 .</head></figure>
        <figure type="table"><head/><label>3</label></figure>
        <figure xml:id="fig_8"><head>Figure 12 :</head></figure>
        <div><head>Four</head></div>"""
    paper = parse(body)
    homes = {b.label: section_of(paper, b.id).heading for b in (*paper.figures(), *paper.tables())}
    assert homes == {"Figure 1": "One", "3": "Two", "Figure 12": "Three"}


def test_a_float_without_any_section_makes_one() -> None:
    (section,) = parse("<figure><figDesc>Alone.</figDesc></figure>").sections
    assert section.heading == ""
    assert [b.kind for b in section.blocks] == ["figure"]


def test_atoms_inside_atoms_are_all_found() -> None:
    body = """<div><figure><figDesc>Outer <formula>a=b</formula></figDesc><figure type="table"><table><row>
        <cell>x <formula>c=d</formula></cell></row></table></figure></figure></div>"""
    (section,) = parse(body).sections
    assert [b.kind for b in section.blocks] == ["figure", "formula", "table", "formula"]


# ── bibliography and footnotes ──────────────────────────────────────────────────────────────────────────────────────


def test_a_reference_reads_authors_year_title_venue_and_keeps_the_rest() -> None:
    entry = """<biblStruct xml:id="b4"><analytic><title level="a">Slow kettles?</title>
        <author><persName><forename>A</forename><surname>Quill</surname></persName></author>
        <author><persName><surname>Moss</surname></persName></author></analytic>
        <monogr><title level="j">Kettles</title><imprint><biblScope unit="volume">7</biblScope>
        <date when="2019-03"/></imprint></monogr></biblStruct>"""
    paper = parse("<p>x</p>", f"<div><listBibl>{entry}</listBibl></div>")
    (reference,) = paper.references
    assert (reference.id, reference.text) == ("b4", "A Quill, Moss. 2019. Slow kettles? Kettles. 7")
    assert paper.dropped_chars == 0


def test_references_without_a_usable_id_of_their_own_get_a_free_one() -> None:
    ids = ["b1", "b1", "nonsense", "b0"]
    entries = "".join(f'<biblStruct xml:id="{i}"><note>{n}</note></biblStruct>' for n, i in enumerate(ids))
    references = parse("<p>x</p>", f"<listBibl>{entries}<biblStruct/></listBibl>").references
    assert [(r.id, r.text) for r in references] == [("b1", "0"), ("b2", "1"), ("b3", "2"), ("b0", "3"), ("b4", "")]


def test_footnotes_carry_their_marks_and_other_notes_stay_text() -> None:
    paper = parse(
        '<div><p>A.</p></div><note place="foot" n="3" xml:id="foot_0"><p>See there.</p></note><note>Draft.</note>'
    )
    assert [(n.mark, n.text) for n in paper.footnotes] == [("3", "See there.")]
    assert [b.text for b in paper.sections[0].blocks if isinstance(b, Paragraph)] == ["A.", "Draft."]
