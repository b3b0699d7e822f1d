"""Text that a PDF carries and nobody sees.

In: how a character is set, and what lies behind it. Out: why it cannot be seen, and sentences that tell the user. Must
not know lines or papers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass

import pypdfium2
import pypdfium2.raw as pdfium

from paper2code_local.artifacts.paper import visible

Box = tuple[float, float, float, float]
"""Left, bottom, right, top, in points."""

TINY = 2.0
"""Points: text below this cannot be read on paper; the smallest labels of real figures are about 3."""
WHITE = 245
"""Of 255: a colour whose red, green and blue all reach this cannot be told from paper."""


KINDS = ("white", "tiny", "invisible", "off-page", "covered")
_MOST_OBJECTS = 20_000
"""On a page with more, most of them lines of a plot, nothing is taken for covered."""


@dataclass(frozen=True, slots=True)
class Hidden:
    """A run of text that nobody sees; `kind` is one of `KINDS`."""

    kind: str
    page: int
    text: str


def describe(hidden: list[Hidden]) -> tuple[str, ...]:
    """Say in one sentence per kind how much text is hidden, where, and how it begins."""
    sentences = []
    for kind in KINDS:
        runs = [run for run in hidden if run.kind == kind]
        if runs:
            count = sum(visible(run.text) for run in runs)
            pages = ", ".join(str(n) for n in sorted({run.page for run in runs}))
            start = " ".join(run.text for run in runs)[:80].strip()
            sentences.append(f"Hidden text left out: {count} {kind} characters on page {pages}: “{start}”")
    return tuple(sentences)


def why_hidden(
    x: float, y: float, size: float, mode: int, white: bool, page: Box, backgrounds: list[Box], scanned: bool
) -> str:
    """Say why a character cannot be seen; "" when it can. An OCR layer (`scanned`) is invisible and still the text."""
    if not (page[0] <= x <= page[2] and page[1] <= y <= page[3]):
        return "off-page"
    if mode in (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP):
        return "" if scanned else "invisible"
    if size < TINY:
        return "tiny"
    if white and mode == pdfium.FPDF_TEXTRENDERMODE_FILL:
        middle = y + size * 0.3
        if not any(b[0] <= x <= b[2] and b[1] <= middle <= b[3] for b in backgrounds):
            return "white"
    return ""


def is_white(handle: object) -> bool:
    """Tell whether an object is filled with white, or with nothing at all."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    if not pdfium.FPDFPageObj_GetFillColor(handle, red, green, blue, alpha):
        return False
    return alpha.value < 10 or min(red.value, green.value, blue.value) >= WHITE


def backgrounds_of(page: pypdfium2.PdfPage) -> Iterator[Box]:
    """Yield the boxes of images, shadings and coloured areas, before which white text can be read."""
    for item in page.get_objects(max_depth=4):
        if item.type in (pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_SHADING) or _is_coloured(item):
            yield _box(item)


def _is_coloured(item: pypdfium2.PdfObject) -> bool:
    if item.type != pdfium.FPDF_PAGEOBJ_PATH:
        return False
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(item, fill, stroke)
    return fill.value != 0 and not is_white(item)


class Covers:
    """The opaque rectangles that a page paints over its text; those inside forms may blend or be cut off."""

    def __init__(self, page: pypdfium2.PdfPage) -> None:
        self._order: dict[int, int] = {}
        self._boxes: list[tuple[int, Box]] = []
        for i, item in enumerate(page.get_objects(max_depth=4)):
            if i > _MOST_OBJECTS:
                self._boxes = []
                break
            if item.type == pdfium.FPDF_PAGEOBJ_TEXT:
                self._order[ctypes.addressof(item.raw.contents)] = i
            elif item.type == pdfium.FPDF_PAGEOBJ_PATH and item.level == 0 and self._order and _is_opaque(item):
                self._boxes.append((i, _clipped(item)))

    def hide(self, text_object: int, box: Box) -> bool:
        """Tell whether a character's middle lies under an area that was painted after it."""
        painted = self._order.get(text_object)
        if painted is None:
            return False
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return any(i > painted and b[0] <= x <= b[2] and b[1] <= y <= b[3] for i, b in self._boxes)


def _is_opaque(item: pypdfium2.PdfObject) -> bool:
    """Tell whether a path is a filled rectangle that lets nothing through."""
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    pdfium.FPDFPath_GetDrawMode(item, fill, stroke)
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return (
        fill.value != 0
        and 4 <= pdfium.FPDFPath_CountSegments(item) <= 5
        and not pdfium.FPDFPageObj_HasTransparency(item)
        and bool(pdfium.FPDFPageObj_GetFillColor(item, red, green, blue, alpha))
        and alpha.value == 255
    )


def _clipped(item: pypdfium2.PdfObject) -> Box:
    """Return the box of an object within the boxes of what it is clipped to."""
    left, bottom, right, top = item.get_bounds()
    x, y = ctypes.c_float(), ctypes.c_float()
    clip = pdfium.FPDFPageObj_GetClipPath(item)
    for i in range(pdfium.FPDFClipPath_CountPaths(clip) if clip else 0):
        points = []
        for k in range(pdfium.FPDFClipPath_CountPathSegments(clip, i)):
            pdfium.FPDFPathSegment_GetPoint(pdfium.FPDFClipPath_GetPathSegment(clip, i, k), x, y)
            points.append((x.value, y.value))
        if points:
            left, right = max(left, min(p[0] for p in points)), min(right, max(p[0] for p in points))
            bottom, top = max(bottom, min(p[1] for p in points)), min(top, max(p[1] for p in points))
    return left, bottom, right, top


def _box(item: pypdfium2.PdfObject) -> Box:
    """Return the box of an object on the page, through the forms that hold it."""
    left, bottom, right, top = item.get_bounds()
    corners = [(left, bottom), (left, top), (right, bottom), (right, top)]
    outer = item.container
    while outer is not None:
        matrix = outer.get_matrix()
        corners = [matrix.on_point(x, y) for x, y in corners]
        outer = outer.container
    return (
        min(x for x, _ in corners),
        min(y for _, y in corners),
        max(x for x, _ in corners),
        max(y for _, y in corners),
    )
