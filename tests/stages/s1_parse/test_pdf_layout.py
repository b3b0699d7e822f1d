"""Columns, tables over both columns, footnotes, labels set sideways, drafts with line numbers."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.paper import Paper, Paragraph, visible
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf
from tests.pdf_writer import Sheet, pdf

WORDS = (
    "A column of text is read to its end before the next one begins. The eye does this without being told, and a "
    "program has to find the white strip between both of them and keep to its side. "
)


def body(paper: Paper) -> str:
    return " ".join(b.text for s in paper.sections for b in s.blocks if isinstance(b, Paragraph))


def test_a_table_over_both_columns_keeps_its_rows() -> None:
    page = Sheet(y=60)
    page.line("Table 1: A table that is set over both columns of the page, as wide ones are.", x=70, size=9)
    page.y += 8
    rows = [("Method", "Error", "Time", "Size"), ("First", "0.10", "12 s", "3 MB"), ("Second", "0.20", "7 s", "1 MB")]
    for row in rows:
        page.y += 12
        for x, cell in zip((80, 210, 360, 480), row, strict=True):
            page.put(cell, x, page.y)
    top = page.y + 30
    for x, number in ((54, 1), (318, 2)):
        page.y = top
        page.heading(f"{number} Part", x=x)
        page.text(WORDS * 3, x=x, width=240)
    paper = paper_of_pdf(pdf(page))
    (table,) = paper.tables()
    assert list(table.rows) == rows
    assert body(paper) == f"{(WORDS * 3).strip()} {(WORDS * 3).strip()}"


def test_numbers_that_stand_close_together_are_cells_of_their_own() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS * 3)
    page.line("Table 1: Errors.", x=200, gap=30)
    page.line("Learner [3] 0.25 12.5% -1.0 of 3 runs", x=200, gap=16)
    (table,) = paper_of_pdf(pdf(page)).tables()
    assert table.rows == (("Learner [3]", "0.25", "12.5%", "-1.0 of 3 runs"),)


def test_a_footnote_is_not_a_part_of_the_text() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS * 3)
    page.y = 700
    page.put("1", 80, 697, size=6)
    page.put("A remark that nobody misses.", 84, 700, size=8)
    paper = paper_of_pdf(pdf(page))
    assert [(n.mark, n.text) for n in paper.footnotes] == [("1", "A remark that nobody misses.")]
    assert body(paper) == (WORDS * 3).strip()


def test_a_stamp_in_the_margin_is_left_out_and_counted() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS * 3)
    page.put("Preprint 42", 30, 500, size=14, matrix="0 1 -1 0")
    paper = paper_of_pdf(pdf(page))
    assert body(paper) == (WORDS * 3).strip()
    assert paper.dropped_chars == visible("Preprint 42")


def test_a_label_set_sideways_stays_in_its_figure() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS * 3)
    page.put("error", 150, page.y + 80, size=8, matrix="0 1 -1 0")
    page.y += 90
    page.line("Figure 1: The error of both.", x=150)
    paper = paper_of_pdf(pdf(page))
    (figure,) = paper.figures()
    assert figure.text == "error"
    assert paper.dropped_chars == visible(":")


def test_a_page_set_sideways_is_turned() -> None:
    page = Sheet()
    for k in range(12):
        page.put(
            "Every line of this page is set from its lower to its upper edge.", 100 + 12 * k, 700, matrix="0 1 -1 0"
        )
    paper = paper_of_pdf(pdf(page))
    assert "Every line of this page is set from its lower to its upper edge." in paper.model_dump_json()
    assert paper.dropped_chars == 0


def test_line_numbers_of_a_draft_are_left_out_and_counted() -> None:
    page = Sheet(y=60)
    page.heading("1 Part")
    start = page.y
    page.text(WORDS * 8)
    count = round((page.y - start) / 12)
    for k in range(count):
        page.put(f"{k + 1:03}", 40, start + 12 * (k + 1), size=6)
    paper = paper_of_pdf(pdf(page))
    assert count >= 15
    assert body(paper) == (WORDS * 8).strip()
    assert paper.dropped_chars == 3 * count


@pytest.mark.parametrize("heads", [("12 A. Author and B. Writer", "On Columns and Lines 13"), ("12", "13")])
def test_running_heads_of_left_and_right_pages_are_left_out(heads: tuple[str, str]) -> None:
    sheets = []
    for number in range(4):
        sheet = Sheet(y=90)
        sheet.put(heads[number % 2].replace("12", str(12 + number)).replace("13", str(12 + number)), 72, 80, size=9)
        sheet.heading(f"{number + 1} Part")
        sheet.text(WORDS * 4)
        sheets.append(sheet)
    paper = paper_of_pdf(pdf(*sheets))
    assert body(paper) == " ".join([(WORDS * 4).strip()] * 4)


def test_references_by_author_and_year_are_parted_at_lines_that_hang_out() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS + "This was known before (Fourth, 1999; Fifth et al., 2021).")
    page.heading("References")
    for entry in (
        ("D. Fourth. 1999. An early paper on columns and on the", "strips between them. Printed by hand."),
        ("E. Fifth, F. Sixth and G. Seventh. 2021. One more paper,", "which comes after the other one."),
    ):
        page.line(entry[0])
        page.line(entry[1], x=90)
    paper = paper_of_pdf(pdf(page))
    assert [r.text[:9] for r in paper.references] == ["D. Fourth", "E. Fifth,"]
    (section,) = [s for s in paper.sections if s.heading == "Part"]
    (paragraph,) = section.blocks
    assert isinstance(paragraph, Paragraph)
    assert paragraph.citations == ("b0", "b1")


def test_sections_after_a_lettered_heading_are_appendices() -> None:
    page = Sheet()
    for heading in ("1 Part", "References", "A Proofs", "A.1 Lemmas"):
        page.heading(heading)
        page.text(WORDS)
    parts = [(s.heading, s.part, s.level) for s in paper_of_pdf(pdf(page)).sections if s.heading]
    assert parts == [("Part", "body", 1), ("Proofs", "appendix", 1), ("Lemmas", "appendix", 2)]


def test_where_all_is_bold_a_numbered_line_is_no_heading_for_being_bold() -> None:
    page = Sheet()
    lines = ["Every line of this page is set in bold letters, and none of them is a heading."] * 9
    for line in (*lines, "1 Learner reads the data", *lines, "2 Learners read them twice", *lines):
        page.line(line, font="Courier-Bold")
    assert [s.heading for s in paper_of_pdf(pdf(page)).sections if s.heading] == []


def test_a_line_number_beside_a_heading_is_left_out_like_the_others() -> None:
    page = Sheet(y=60)
    page.heading("1 Part", size=14)
    tops = [page.y - 6]
    page.text(WORDS * 8)
    tops += [tops[0] + 18 + 12 * k for k in range(round((page.y - tops[0] - 18) / 12) + 1)]
    for k, y in enumerate(tops):
        page.put(f"{k + 31}", 57, y, size=5)
    paper = paper_of_pdf(pdf(page))
    assert [(s.number, s.heading) for s in paper.sections] == [("1", "Part")]
    assert body(paper) == (WORDS * 8).strip()
    assert paper.dropped_chars == 2 * len(tops)


def test_a_running_head_that_names_the_section_is_neither_text_nor_a_heading() -> None:
    sheets = []
    for number, name in enumerate(("Part", "Other", "Third", "Last"), 1):
        sheet = Sheet(y=90)
        sheet.put(f"{number} {name.upper()}", 72, 60, size=9)
        sheet.heading(f"{number} {name}")
        sheet.text(WORDS * 4)
        sheets.append(sheet)
    paper = paper_of_pdf(pdf(*sheets))
    assert [s.heading for s in paper.sections] == ["Part", "Other", "Third", "Last"]
    assert body(paper) == " ".join([(WORDS * 4).strip()] * 4)
    assert paper.dropped_chars == visible("1PART2OTHER3THIRD4LAST")


def test_a_cell_named_like_a_section_is_no_heading() -> None:
    page = Sheet()
    page.heading("1 Part")
    page.text(WORDS)
    page.line("Model", x=200, gap=30)
    page.line("Base", x=200, gap=20)
    page.y += 20
    page.text(WORDS)
    assert [s.heading for s in paper_of_pdf(pdf(page)).sections] == ["Part"]


def test_a_numbered_heading_may_run_into_its_text() -> None:
    page = Sheet()
    page.heading("1 Part")
    for number, name in (("1.1.", "Loss."), ("1.2.", "Data of all runs.")):
        page.y += 24
        page.put(number, 72, page.y)
        page.put(name, 108, page.y, font="Courier-Bold")
        page.put("What is said of it begins here.", 114 + 6 * len(name), page.y)
        page.text(WORDS)
    page.heading("2 Other")
    page.text(WORDS)
    paper = paper_of_pdf(pdf(page))
    found = [(s.number, s.heading, s.level) for s in paper.sections]
    assert found == [("1", "Part", 1), ("1.1", "Loss", 2), ("1.2", "Data of all runs", 2), ("2", "Other", 1)]
    assert body(paper).startswith("What is said of it begins here.")


def test_captions_at_the_top_of_pages_are_no_running_heads() -> None:
    sheets = []
    for number in (1, 2, 3):
        sheet = Sheet(y=60)
        sheet.line(f"Table {number}", x=72, gap=12)
        sheet.line("The settings of all runs.", x=72, gap=12)
        for k, cell in enumerate(("Setting", "Value", "Rate", "0.1")):
            sheet.put(cell, 72 + 100 * (k % 2), sheet.y + 20 + 12 * (k // 2))
        sheet.y += 50
        sheet.heading(f"{number} Part")
        sheet.text(WORDS * 3)
        sheets.append(sheet)
    paper = paper_of_pdf(pdf(*sheets))
    assert [table.label for table in paper.tables()] == ["Table 1", "Table 2", "Table 3"]
    assert paper.dropped_chars == 0
