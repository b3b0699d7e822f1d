"""What a PDF prints: its glyphs with place and style, page by page, and the text that it hides.

In: the bytes of a PDF, which are hostile until read. Out: `Page`s of visible `Glyph`s in the order of the file, and
`Hidden` runs. Must not know what a line, a heading or a paper is.

Co-ordinates are points; x runs to the right and y *down* from the top of the page. A page whose text is set sideways is
turned first.
"""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pypdfium2
import pypdfium2.raw as pdfium

from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.pdf_hidden import Covers, Hidden, backgrounds_of, is_white, why_hidden

MAX_BYTES = 100_000_000
MAX_PAGES = 2000
_MAX_CHARS = 500_000
"""On one page: fine print over the whole of it has about 20,000."""
_SCANNED = 50
"""Characters: a page that shows an image and prints fewer is a scan with a stamp on it."""
_HYPHENS = (0xFFFE, 0x02, 0xAD)
"""What pdfium gives for a hyphen at the end of a line, in its versions; the soft hyphen."""
_BOLD = ("bold", "black", "heavy", "semibold", "demi", "medi", "cmbx", "cmb1", "sfbx", "ecbx", "cmssbx", "-bd", "bdcn")
_ITALIC = ("ital", "obli", "cmti", "sfti", "ecti", "slanted", "cmsl")
_MATH = re.compile(
    "cmmi|cmsy|cmex|cmbsy|msam|msbm|math|symbol|mtmi|mtsy|mt2mi|mt2sy|mtex|rsfs|eufm|eusm|[tp]xsy|[tp]xmi|txex|stmary|"
    "wasy|lmmi|lmsy|lmex"
)
_LIGATURES = {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
_ACCENTS = dict(
    zip(
        "`´¨^ˆ~˜ˇ˝¯˘˙˚°¸",
        "\u0300\u0301\u0308\u0302\u0302\u0303\u0303\u030c\u030b\u0304\u0306\u0307\u030a\u030a\u0327",
        strict=True,
    )
)
"""Accents that TeX sets over a letter as characters of their own, and what combines with a letter instead."""
_REACH = 90
"""Characters from an accent back to its letter: one line."""
_DOTLESS = {"ı": "i", "ȷ": "j"}
_EXTENSION = dict(
    zip(
        b"\x00\x01\x02\x03\x08\x09\x0c\x10\x11\x12\x13\x14\x15\x1a\x1bPQRXYZ",
        "()[]{}|()()[]{}∑∏∫∑∏∫",
        strict=True,
    )
)
"""The places of brackets and large operators in TeX's font cmex, which rarely says what they mean."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a run of glyphs is set; `size` is in points as printed."""

    font: str
    size: float
    bold: bool
    italic: bool
    math: bool


@dataclass(frozen=True, slots=True)
class Glyph:
    """One printed character (a ligature is several letters): left and right edge, baseline, style."""

    text: str
    x0: float
    x1: float
    y: float
    style: Style
    space: bool
    """Whether white space stands before it."""


@dataclass(frozen=True, slots=True)
class Page:
    """What one page prints; `total` counts all non-white-space characters of its text layer; `image`: it is a scan."""

    number: int
    width: float
    height: float
    glyphs: tuple[Glyph, ...]
    hidden: tuple[Hidden, ...]
    total: int
    image: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """One text object of the file."""

    style: Style
    angle: int
    mode: int
    white: bool
    address: int
    """Of the text object: tells which of them lie under something else."""


@dataclass(frozen=True, slots=True)
class _Raw:
    """One character as pdfium gives it, in the file's own co-ordinates."""

    text: str
    box: tuple[float, float, float, float]
    x: float
    y: float
    run: _Run
    space: bool


def read_pages(data: bytes) -> list[Page]:
    """Read every page of a PDF.

    Raises `InputError`: empty, too_large, not_pdf, encrypted, truncated, damaged, no_text.
    """
    with _opened(data) as document:
        try:
            pages = [_page(document, index) for index in range(len(document))]
        except (pypdfium2.PdfiumError, ctypes.ArgumentError, ValueError, OverflowError) as error:
            raise _unreadable(data, str(error)) from error
    if b"%%EOF" not in data[-2048:] and any(not page.total and not page.image for page in pages):
        raise _unreadable(data, "pages are missing")
    printed = sum(len(page.glyphs) for page in pages)
    if not printed or (printed < _SCANNED * len(pages) and all(page.image for page in pages)):
        raise InputError(
            "no_text",
            "The PDF has no text that can be read: its pages are images, or all of its text is hidden.",
            "Run OCR on it first, e.g. `ocrmypdf paper.pdf readable.pdf`, and use the result.",
        )
    return pages


@contextmanager
def _opened(data: bytes) -> Iterator[pypdfium2.PdfDocument]:
    """Open the document after the checks that need no parser."""
    if not data:
        raise InputError("empty", "The file is empty.", "Download or copy the paper again.")
    if len(data) > MAX_BYTES:
        raise _too_large(f"{len(data) / 1e6:.0f} MB, more than {MAX_BYTES // 1_000_000} MB")
    if b"%PDF-" not in data[:1024]:
        raise InputError(
            "not_pdf", "The file is not a PDF: it has no %PDF- header.", "Give the PDF of the paper itself."
        )
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        # pdfium does not always reset its error code, so the file has to say it too; a trailer is never compressed
        if b"/Encrypt" in data and error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise InputError(
                "encrypted",
                "The PDF is encrypted and needs a password.",
                "Remove the password first, e.g. `qpdf --password=… --decrypt paper.pdf open.pdf`.",
            ) from error
        raise _unreadable(data, str(error)) from error
    try:
        if len(document) > MAX_PAGES:
            raise _too_large(f"{len(document)} pages, more than {MAX_PAGES}")
        if len(document) == 0:
            raise _unreadable(data, "it has no pages")
        yield document
    finally:
        document.close()


def _too_large(what: str) -> InputError:
    return InputError("too_large", f"The PDF is too large: {what}.", "Cut it down to the paper itself, e.g. with qpdf.")


def _unreadable(data: bytes, why: str) -> InputError:
    """Tell a file that was cut off from one that is broken."""
    hint = "Download the paper again; if it opens in a viewer, print it to a new PDF and use that."
    if b"%%EOF" not in data[-2048:]:
        return InputError("truncated", "The PDF is truncated: its end is missing.", hint)
    return InputError("damaged", f"The PDF is damaged: {why}.", hint)


def _page(document: pypdfium2.PdfDocument, index: int) -> Page:
    page = document[index]
    text = page.get_textpage()
    try:
        return _sorted_out(index + 1, page, *_raw_glyphs(text))
    finally:
        text.close()
        page.close()


def _raw_glyphs(text: pypdfium2.PdfTextPage) -> tuple[list[_Raw], int]:
    """Return the characters in the order of the file, and their count without white space."""
    rect, x, y = pdfium.FS_RECTF(), ctypes.c_double(), ctypes.c_double()
    runs: dict[int, _Run] = {}
    glyphs: list[_Raw] = []
    total, space, high = 0, False, 0
    count = text.count_chars()
    if count > _MAX_CHARS:
        raise _too_large(f"{count:,} characters on one page")
    for i in range(count):
        code = pdfium.FPDFText_GetUnicode(text, i)
        if 0xD800 <= code < 0xDC00:
            high = code
            continue
        if 0xDC00 <= code < 0xE000 and high:
            code = 0x10000 + ((high - 0xD800) << 10) + (code - 0xDC00)
        high = 0
        handle = pdfium.FPDFText_GetTextObject(text, i)
        run = _run_of(text, i, handle, runs) if handle else None
        char = "-" if code in _HYPHENS else chr(code)
        if run is not None and code in _EXTENSION and run.style.font.lower().startswith("cmex"):
            char = _EXTENSION[code]
        if char.isspace():
            space = True
            continue
        char = _LIGATURES.get(char, char)
        total += len(char)
        if not char.isprintable():
            continue
        if run is None:
            continue
        pdfium.FPDFText_GetLooseCharBox(text, i, rect)
        pdfium.FPDFText_GetCharOrigin(text, i, x, y)
        box = (rect.left, rect.bottom, rect.right, rect.top)
        if all(map(math.isfinite, (*box, x.value, y.value))):
            glyphs.append(_Raw(char, box, x.value, y.value, run, space))
        space = False
    return glyphs, total


def _run_of(text: pypdfium2.PdfTextPage, i: int, handle: object, runs: dict[int, _Run]) -> _Run:
    """Return what is known of the text object of a character."""
    key = ctypes.addressof(handle.contents)  # type: ignore[attr-defined]
    return runs.get(key) or runs.setdefault(key, _run(text, i, handle))


def _run(text: pypdfium2.PdfTextPage, i: int, handle: object) -> _Run:
    """Read once what all characters of a text object share."""
    matrix = pdfium.FS_MATRIX()
    pdfium.FPDFText_GetMatrix(text, i, matrix)
    size = pdfium.FPDFText_GetFontSize(text, i) * math.hypot(matrix.c, matrix.d)
    degrees = math.degrees(math.atan2(matrix.b, matrix.a)) if matrix.a or matrix.b else 0.0
    right_angle = round(degrees / 90) * 90  # a scan is a little askew
    angle = (right_angle if abs(degrees - right_angle) < 10 else round(degrees)) % 360
    name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(text, i, name, 128, flags)
    font = name.value.decode("latin-1").split("+")[-1]
    low = font.lower()
    style = Style(
        font=font,
        size=round(abs(size) if math.isfinite(size) else 0.0, 1),
        bold=any(mark in low for mark in _BOLD) or bool(flags.value & 1 << 18),
        italic=any(mark in low for mark in _ITALIC) or bool(flags.value & 1 << 6),
        math=bool(_MATH.search(low)),
    )
    mode = pdfium.FPDFTextObj_GetTextRenderMode(handle)
    return _Run(style, angle, mode, is_white(handle), ctypes.addressof(handle.contents))  # type: ignore[attr-defined]


def _sorted_out(number: int, page: pypdfium2.PdfPage, raws: list[_Raw], total: int) -> Page:
    """Part what is seen from what is hidden, and turn the page so that its text runs to the right."""
    left, bottom, right, top = page.get_bbox()
    angles = Counter(raw.run.angle for raw in raws)
    angle = angles.most_common(1)[0][0] if angles else 0
    invisible = sum(raw.run.mode == pdfium.FPDF_TEXTRENDERMODE_INVISIBLE for raw in raws)
    image = (invisible > 0 or len(raws) < _SCANNED) and _has_image(page)
    scanned = image and invisible > 0.8 * len(raws)
    backgrounds = list(backgrounds_of(page)) if any(raw.run.white for raw in raws) else []
    covers = Covers(page)
    glyphs: list[Glyph] = []
    hidden: list[list[str]] = []
    aside: list[_Raw] = []
    before = ("", -2)
    for i, raw in enumerate(raws):
        x, y, size = (raw.box[0] + raw.box[2]) / 2, raw.y, raw.run.style.size
        kind = why_hidden(x, y, size, raw.run.mode, raw.run.white, (left, bottom, right, top), backgrounds, scanned)
        if not kind and covers.hide(raw.run.address, raw.box):
            kind = "covered"
        if kind:
            if before != (kind, i - 1):
                hidden.append([kind, ""])
            hidden[-1][1] += (" " if raw.space else "") + raw.text
            before = (kind, i)
        elif raw.run.angle == angle:
            glyphs.append(_turned(raw, angle, (left, bottom, right, top)))
        else:
            aside.append(raw)
            if i + 1 == len(raws) or raws[i + 1].run is not raw.run:
                glyphs.extend(_sideways(aside, angle, (left, bottom, right, top)))
                aside = []
    width, height = right - left, top - bottom
    if angle in (90, 270):
        width, height = height, width
    runs = tuple(Hidden(kind, number, text.strip()) for kind, text in hidden)
    return Page(number, width, height, tuple(_composed(glyphs)), runs, total, image)


def _composed(glyphs: list[Glyph]) -> list[Glyph]:
    """Make accents part of the letters that they stand over; pdfium gives them before the letter or after the line."""
    result: list[Glyph | None] = list(glyphs)
    for i, accent in enumerate(glyphs):
        if accent.text not in _ACCENTS or accent.style.math:
            continue
        for k in (i + 1, *range(i - 1, max(-1, i - _REACH), -1)):
            letter = result[k] if k < len(result) else None
            both = _accented(accent, letter) if letter is not None else None
            if both is not None:
                result[i], result[k] = None, both
                _close_up(glyphs, result, i)
                break
    return [glyph for glyph in result if glyph is not None]


def _close_up(glyphs: list[Glyph], result: list[Glyph | None], i: int) -> None:
    """Take away the space that pdfium saw around accent `i` where nothing on the page parts its neighbours."""
    before, after = (glyphs[i - 1] if i else None), (result[i + 1] if i + 1 < len(result) else None)
    if before is None or after is None:
        return
    apart = after.x0 - before.x1 > 0.15 * after.style.size or abs(after.y - before.y) > 0.5 * after.style.size
    result[i + 1] = replace(after, space=apart and (after.space or glyphs[i].space))


def _accented(accent: Glyph, letter: Glyph) -> Glyph | None:
    """Return the letter with its accent; None where the accent stands beside it, or the two do not combine."""
    middle = (accent.x0 + accent.x1) / 2
    over = letter.x0 - 0.5 < middle < letter.x1 + 0.5 and abs(accent.y - letter.y) < 0.5 * letter.style.size
    both = unicodedata.normalize("NFC", _DOTLESS.get(letter.text, letter.text) + _ACCENTS[accent.text])
    if not over or len(both) > 1 or not both.isalpha() or letter.style.math:
        return None
    return replace(letter, text=both)


def _turned(raw: _Raw, angle: int, page: tuple[float, float, float, float]) -> Glyph:
    """Place a character on the page as a reader holds it."""
    x0, y0, x1, y1 = raw.box
    left, bottom, right, top = page
    if angle == 90:
        start, end, base = y0 - bottom, y1 - bottom, raw.x - left
    elif angle == 270:
        start, end, base = top - y1, top - y0, right - raw.x
    elif angle == 180:
        start, end, base = right - x1, right - x0, raw.y - bottom
    else:
        start, end, base = x0 - left, x1 - left, top - raw.y
    return Glyph(raw.text, start, max(start, end), base, raw.run.style, raw.space)


def _sideways(run: list[_Raw], angle: int, page: tuple[float, float, float, float]) -> list[Glyph]:
    """Place a label that is set at an angle to the text as one block; leave it out in the margins (stamps)."""
    glyphs = [_turned(raw, angle, page) for raw in run]
    x0, x1 = min(g.x0 for g in glyphs), max(g.x1 for g in glyphs)
    width = page[3] - page[1] if angle in (90, 270) else page[2] - page[0]
    if x1 < 0.08 * width or x0 > 0.92 * width:
        return []
    y = (min(g.y for g in glyphs) + max(g.y for g in glyphs)) / 2
    x1 = min(x1, x0 + 1.5 * run[0].run.style.size)
    return [Glyph(g.text, x0, x1, y, g.style, g.space) for g in glyphs]


def _has_image(page: pypdfium2.PdfPage) -> bool:
    return any(True for _ in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_IMAGE], max_depth=4))
