"""What a file is, is told by its bytes; a parser that does not fit is named with one that does."""

from __future__ import annotations

import json

import pytest

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.kinds import fitting, kind_of

S2ORC = json.dumps({"paper_id": "1", "pdf_parse": {"body_text": []}}).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"%PDF-1.7", "pdf"),
        (b"junk before\n%PDF-1.4", "pdf"),
        (b'<?xml version="1.0"?><TEI/>', "xml"),
        (b"\xef\xbb\xbf \n<TEI xmlns='x'>", "xml"),
        (b"<!-- made by --><teiCorpus>", "xml"),
        (b"<!DOCTYPE TEI [<!ENTITY x 'y'>]><TEI/>", "xml"),
        (b'<article xmlns:xlink="http://www.w3.org/1999/xlink">', "xml"),
        (b"<article/>", "xml"),
        ("<TEI/>".encode("utf-16"), "xml"),
        (b'{"title": "x"}', "json"),
        (b'\n[{"title": 1}]', "json"),
        (b"{}", "json"),
        (b"% a comment\n\\documentclass{article}", "latex"),
        (b"\\title{Kettles}\n\\section{Heat}", "latex"),
        (b"caf\xe9\n\\begin{document}", "latex"),
        (b"# On Kettles\n\nWe boil.", "text"),
        (b"Plain words.", "text"),
        (b"[1] is cited.", "text"),
        (b"{0}" + b"-" * 48 + b"\n\n# On Kettles", "text"),
        (b"<!-- image -->\n\n## On Kettles", "text"),
        (b'<span id="page-0-0"></span>On Kettles', "text"),
        (b"<html><body><table><tr><td>1</td></tr></table></body></html>\n\n# On Kettles", "text"),
        (b"Write `\\documentclass` first.", "text"),
    ],
)
def test_the_content_tells(data: bytes, kind: str) -> None:
    assert kind_of(data, "paper.any") == kind


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"\x89PNG\r\n\x1a\n", "unknown_format", "a PNG image"),
        (b"\xff\xd8\xff\xe0", "unknown_format", "a JPEG image"),
        (b"%!PS-Adobe-3.0", "unknown_format", "PostScript"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unknown_format", "an old Office document"),
        (b"{\\rtf1 Kettles}", "unknown_format", "an RTF document"),
        (b"word\0word", "unknown_format", "binary"),
        (bytes(range(1, 32)) * 40, "unknown_format", "binary"),
        (b"<!DOCTYPE html><html><head>", "html", "an HTML page"),
        (b"<!-- saved -->\n<HTML lang='en'><body><p>Log in</p>", "html", "an HTML page"),
        (b'{"title": "x"}', "json", "not that of S2ORC"),
        (b'{"title": "x"', "s2orc_shape", "it is no JSON"),
    ],
)
def test_what_no_parser_reads_is_named(data: bytes, code: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        fitting("auto", data, "paper.any")
    assert caught.value.code == f"input.{code}"
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("parser", "data", "fits"),
    [
        ("auto", b"%PDF-1.7", "pdf"),
        ("grobid", b"%PDF-1.7", "grobid"),
        ("auto", b"<TEI/>", "tei"),
        ("auto", S2ORC, "s2orc"),
        ("s2orc", b'{"title": "x"}', "s2orc"),
        ("auto", b"\\documentclass{a}", "latex"),
        ("latex", b"Words without a class.", "latex"),
        ("auto", b"# Kettles", "markdown"),
    ],
)
def test_the_parser_that_fits(parser: str, data: bytes, fits: str) -> None:
    assert fitting(parser, data, "paper.any") == fits


@pytest.mark.parametrize(
    ("parser", "data", "looks", "use"),
    [
        ("tei", b"%PDF-1.7", "a PDF", "--parser pdf or --parser grobid"),
        ("pdf", b"<TEI/>", "XML", "--parser tei"),
        ("markdown", b"\\documentclass{a}", "LaTeX", "--parser latex"),
        ("markdown", S2ORC, "JSON", "--parser s2orc"),
        ("s2orc", b"# Kettles", "plain text", "--parser markdown"),
    ],
)
def test_a_parser_that_does_not_fit_is_one_error(parser: str, data: bytes, looks: str, use: str) -> None:
    with pytest.raises(InputError) as caught:
        fitting(parser, data, "paper.any")
    assert caught.value.code == "input.other_format"
    assert f"looks like {looks}" in caught.value.message
    assert use in caught.value.hint
