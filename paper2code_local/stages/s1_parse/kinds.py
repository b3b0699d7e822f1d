"""What a file looks like, told by its bytes alone, and which parser reads that.

In: what was given, a choice of parser. Out: the kind of the file, or one error that says what it is and what to give
instead. Must not know any parser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, get_args

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.latex_sources import is_latex
from paper2code_local.stages.s1_parse.s2orc_document import is_s2orc

Kind = Literal["pdf", "xml", "json", "latex", "text"]
Parser = Literal["auto", "grobid", "pdf", "tei", "latex", "s2orc", "markdown"]
PARSERS: tuple[str, ...] = get_args(Parser)

_LOOKS: dict[Kind, str] = {"pdf": "a PDF", "xml": "XML", "json": "JSON", "latex": "LaTeX", "text": "plain text"}
_READ_BY: dict[Kind, Sequence[str]] = {
    "pdf": ("pdf", "grobid"),
    "xml": ("tei",),
    "json": ("s2orc",),
    "latex": ("latex",),
    "text": ("markdown", "latex"),
}
"""The parsers for each kind. A text without \\documentclass may still be LaTeX: its parser says what is missing."""
HEAD = 1024
"""Bytes in which a PDF's header must stand, as in Acrobat."""
_OPENING = 200_000
"""Bytes at the beginning of a text in which it shows what it is."""
_INSTEAD = "Give the paper as PDF, LaTeX, TEI, S2ORC JSON or Markdown."
_FOREIGN = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"II*\0": "a TIFF image",
    b"MM\0*": "a TIFF image",
    b"RIFF": "an image or a sound",
    b"%!PS": "PostScript",
    b"{\\rtf": "an RTF document",
    b"\xd0\xcf\x11\xe0": "an old Office document",
    b"AT&TFORM": "a DjVu document",
    b"\x7fELF": "a program",
}
_MARKUP = re.compile(rb"<(?:\?xml|!DOCTYPE|TEI\b|teiCorpus\b|[^<>]{1,400}\sxmlns[:=])")
_HTML = re.compile(rb"<(?:!DOCTYPE\s+html|html\b[^<>]*>(?!\s*<body>\s*<table\b))", re.IGNORECASE)
"""A page; MinerU sets tables between <html><body>, and one may come first."""
_XML_ROOT = re.compile(rb"<[A-Za-z][\w:.-]*(?:\s[^<>]*)?/?>\s*(?:</[\w:.-]+>)?\s*\Z")
_JSON = re.compile(rb'\s*(?:\{\s*["}]|\[\s*(?:[{"\[]|\]\s*\Z))')


def kind_of(data: bytes, name: str) -> Kind:
    """Tell what a file looks like. Raises InputError (`unknown_format`, `html`) for what no parser reads."""
    if b"%PDF-" in data[:HEAD]:
        return "pdf"
    for magic, what in _FOREIGN.items():
        if data.startswith(magic):
            hint = "Print it to a PDF." if "document" in what or what == "PostScript" else _INSTEAD
            raise InputError("unknown_format", f"{name} is {what}, which holds no text to read", hint)
    text = _after_comments(data.removeprefix(b"\xef\xbb\xbf"))
    if _HTML.match(text):
        raise InputError("html", f"{name} is an HTML page", "Save the paper's PDF, or give its LaTeX source.")
    if _is_wide(data) or _MARKUP.match(text) or (len(text) < _OPENING and _XML_ROOT.match(text)):
        return "xml"
    _require_text(text, name)
    if _JSON.match(text):
        return "json"
    return "latex" if is_latex(text) else "text"


def fitting(parser: str, data: bytes, name: str) -> str:
    """Return the parser for `data`: the one that is named, if it fits, else the first for that kind of file.

    Raises InputError: those of `kind_of`, `other_format` when the named parser is for other files; when none is named,
    `json` for JSON of another sort and `s2orc_shape` for broken JSON.
    """
    kind = kind_of(data, name)
    if parser == "auto":
        if kind == "json" and not is_s2orc(data):
            keys = "it has none of the keys pdf_parse, latex_parse, body_text"
            hint = "Make S2ORC JSON with doc2json (s2orc-doc2json), or give the PDF instead."
            raise InputError("json", f"{name} is JSON, but not that of S2ORC: {keys}", hint)
        return _READ_BY[kind][0]
    if parser not in _READ_BY[kind]:
        others = " or ".join(f"--parser {other}" for other in _READ_BY[kind][:2])
        message = f"{name} looks like {_LOOKS[kind]}, which --parser {parser} does not read"
        raise InputError("other_format", message, f"Use {others}, or leave --parser out.")
    return parser


def _after_comments(data: bytes) -> bytes:
    """Skip white space and comments: docling begins with one where the first thing is an image."""
    start = 0
    while data.startswith(b"<!--", start := len(data) - len(data[start:].lstrip())):
        if (end := data.find(b"-->", start)) < 0:
            break
        start = end + 3
    return data[start:]


def _is_wide(data: bytes) -> bool:
    """XML in UTF-16 or 32: "<" after a byte-order mark, with zeros around it."""
    return b"\0" in data[:8] and data[:64].lstrip(b"\xff\xfe\x00 \t\r\n").startswith(b"<")


def _require_text(data: bytes, name: str) -> None:
    if b"\0" in data:
        raise InputError("unknown_format", f"{name} is binary, of no kind that is read", _INSTEAD)
    head = data[:_OPENING]
    strange = sum(1 for byte in head if byte < 32 and byte not in b"\t\n\v\f\r")
    if strange > len(head) // 100:
        raise InputError("unknown_format", f"{name} is binary, of no kind that is read", _INSTEAD)
