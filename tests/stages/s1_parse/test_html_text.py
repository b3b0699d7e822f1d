"""HTML to what can be read of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.artifacts.paper import visible
from paper2code_local.stages.s1_parse.html_text import HtmlComment, HtmlImage, HtmlTable, HtmlText, read_html


@pytest.mark.parametrize(
    ("html", "rows"),
    [
        ("<table><tr><td>a</td><td/></tr><tr><th>b &amp; c</th></tr></table>", [["a", ""], ["b & c"]]),
        ("<html><body><table><tr><td>1<br>2<td>x<sup>2</sup></table></body></html>", [["1 2", "x2"]]),
        ('<table><tr><td colspan="2">a</td><td>b</td></tr></table>', [["a", "", "b"]]),
        ("<table><tr><td rowspan=2>a</td><td>b</td></tr><tr><td>c</td></tr></table>", [["a", "b"], ["", "c"]]),
        ("<table><tr><td>a<table><tr><td>in</td></tr></table>b</td></tr></table>", [["a in b"]]),
        ('<table><tr><td colspan="9999999999">a</td></tr></table>', [["a"]]),
        ("<table>stray<tr><td>a", [["stray"], ["a"]]),
    ],
)
def test_tables_are_rows_whose_columns_stay_columns(html: str, rows: list[list[str]]) -> None:
    assert read_html(html) == ([HtmlTable(rows)], "")


def test_parts_come_in_order_and_nothing_of_a_script_is_a_part() -> None:
    html = "<p>Above</p><!-- image --><img src='x' alt='A  pot'><script>run()</script><table><caption>Table 1</caption>"
    html += "<tr><td>1</td></tr></table>below<style>p {}</style>"
    parts, unread = read_html(html)
    assert parts == [
        HtmlText("Above"),
        HtmlComment("image"),
        HtmlImage("A pot"),
        HtmlText("Table 1"),
        HtmlTable([["1"]]),
        HtmlText("below"),
    ]
    assert unread == "run()p {}"


TAGS = ["<table>", "</table>", "<tr>", "<td>", '<td colspan="3">', "<td rowspan=3>", "</td>", "<p>", "<br/>", "<b>"]


@settings(deadline=None)
@given(st.lists(st.sampled_from([*TAGS, "<img>", "<!-- x -->", "word ", "α"]), max_size=30))
def test_every_word_is_kept_once(pieces: list[str]) -> None:
    parts, unread = read_html("".join(pieces))
    texts = [p.text for p in parts if isinstance(p, HtmlText)]
    texts += [cell for p in parts if isinstance(p, HtmlTable) for row in p.rows for cell in row]
    assert sum(map(visible, texts)) == sum(visible(p) for p in pieces if not p.startswith("<"))
    assert not unread
