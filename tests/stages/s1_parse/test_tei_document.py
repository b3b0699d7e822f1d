"""Hostile and broken TEI: refused with a reason, or read without harm."""

from __future__ import annotations

import time

import pytest
from tei_fixtures import parse, tei

from paper2code_local.artifacts.paper import Paragraph
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.tei import paper_of_tei
from paper2code_local.stages.s1_parse.tei_document import MAX_BYTES


def refused(data: bytes) -> InputError:
    with pytest.raises(InputError) as caught:
        paper_of_tei(data)
    assert caught.value.message
    assert caught.value.hint
    return caught.value


BOMB = '<!DOCTYPE TEI [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><TEI n="&b;"><text>&b;</text></TEI>'
EXTERNAL = '<!DOCTYPE TEI SYSTEM "file:///nowhere/tei.dtd"><TEI/>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("document", [BOMB, EXTERNAL])
def test_a_doctype_is_refused_in_every_encoding(document: str, encoding: str) -> None:
    assert refused(document.encode(encoding)).code == "input.doctype"


def test_a_doctype_in_a_declared_encoding_is_refused() -> None:
    assert refused(b'<?xml version="1.0" encoding="UTF-7"?>' + BOMB.encode("utf-7")).code == "input.doctype"


def test_a_doctype_behind_a_declaration_and_a_comment_is_refused() -> None:
    assert refused(b'\n<?xml version="1.0"?><!-- hello -->' + EXTERNAL.encode()).code == "input.doctype"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "input.empty"),
        (b" \n", "input.empty"),
        (b"<TEI><text><body/></text></TEI>", "input.empty"),
        (b"<TEI><teiHeader/></TEI>", "input.empty"),
        (b"<html><body/></html>", "input.not_tei"),
        (b"<teiCorpus><TEI/></teiCorpus>", "input.not_tei"),
        (b"%PDF-1.5", "input.malformed_xml"),
        (tei("<p>x</p>")[:-20], "input.malformed_xml"),
        (b"<TEI><text>&undefined;</text></TEI>", "input.malformed_xml"),
        (b"<TEI><text>\x07</text></TEI>", "input.malformed_xml"),
        (b"<TEI><text>caf\xe9</text></TEI>", "input.malformed_xml"),
        (b"<TEI><text>" + b"<div>" * 5_000 + b"</div>" * 5_000 + b"</text></TEI>", "input.malformed_xml"),
        (b" " * (MAX_BYTES + 1), "input.too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_tei_is_refused(data: bytes, code: str) -> None:
    assert refused(data).code == code


def test_declared_encodings_are_honoured() -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><TEI><text><p>café</p></text></TEI>'.encode("latin-1")
    assert paper_of_tei(latin).sections[0].blocks == (Paragraph(text="café"),)
    assert paper_of_tei("<TEI><text><p>café</p></text></TEI>".encode("utf-16")).chars == 4


def test_comments_and_processing_instructions_are_no_text() -> None:
    paper = parse("<p>one<!-- hidden --><?do this?> two</p>")
    assert paper.sections[0].blocks == (Paragraph(text="one two"),)
    assert (paper.chars, paper.dropped_chars) == (6, 0)


def test_depth_up_to_the_parsers_bound_costs_no_stack() -> None:
    deep = "<div><figure>" * 120 + "<p>core</p>" + "</figure></div>" * 120
    paper = parse(deep)
    assert len(paper.figures()) == 120
    assert paper.chars == 4


def test_attributes_do_not_swell_the_paper() -> None:
    paper = parse(
        f'<div><head n="{"9" * 1_000_000}">Long</head></div><note place="foot" n="{"x" * 1_000_000}">n</note>'
    )
    assert (paper.sections[0].number, paper.footnotes[0].mark) == ("", "")


@pytest.mark.thorough
def test_time_grows_with_size_only() -> None:
    paragraph = '<p><s>Words and <ref type="bibr" target="#b1">[1]</ref> words.</s></p><formula>x</formula>'
    one = f'<div><head n="1">H</head>{paragraph * 10}</div><figure xml:id="f"><head>Figure 1</head></figure>'
    began = time.monotonic()
    paper = parse(one * 4_000, "<div><listBibl>" + '<biblStruct xml:id="b1"/>' * 20_000 + "</listBibl></div>")
    assert len(paper.formulas()) == 40_000
    assert time.monotonic() - began < 20


def test_nests_of_one_element_cost_one_pass() -> None:
    nest = "<author><title><abstract>" * 80 + "<p>x</p>" * 20_000 + "</abstract></title></author>" * 80
    began = time.monotonic()
    assert parse("<p>x</p>", header=f"<teiHeader>{nest}</teiHeader>").authors == ()
    assert time.monotonic() - began < 5
