"""Markdown text to the blocks that a reader sees, whatever tool wrote it.

In: text. Out: headings, texts, formulas, images, tables and code in their order, free of markup. Must not know what
a paper is.

What MinerU, marker, docling and olmOCR leave besides CommonMark is understood: HTML tables and anchors, page
separators, front matter, comments in place of images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from paper2code_local.artifacts.paper import visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.found import Equation
from paper2code_local.stages.s1_parse.html_text import HtmlComment, HtmlImage, HtmlTable, HtmlText, read_html
from paper2code_local.stages.s1_parse.markdown_math import numbered, with_math

_FRONT_MATTER = re.compile(
    r"(?:\A|(?<=\n))---\n(?=[\w-]+:)((?:[\w-]+:[^\n]*\n|[ \t]+[^\n]*\n|- [^\n]*\n){1,60})---(?=\n|\Z)"
)
"""Of the document, or of each page where olmOCR's answers were joined."""
_PAGE = re.compile(r"^\{\d{1,5}\}-{10,}[ \t]*$", re.M)
"""What marker writes between pages."""
_TITLE = re.compile(r"^title:[ \t]*(.+)$", re.M)
_TAG = re.compile(r"</?([a-z][a-z0-9]*)\b", re.IGNORECASE)
_TAGS = re.compile(
    r"a|abbr|b|big|br|center|cite|code|del|details|div|em|figcaption|figure|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|pre|q"
    r"|s|small|span|strong|strike|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|tt|u|ul|var"
)
_WORD = re.compile(r"[^\W_]{0,20}")
_DELIMITER = re.compile(r"[\s|:-]+")
_NESTING = 60
"""Levels of lists and quotations; deeper ones are no paper's."""


@dataclass(frozen=True)
class Heading:
    """A heading and how many levels deep it is said to be."""

    depth: int
    text: str


@dataclass(frozen=True)
class Text:
    """A paragraph or an item of a list, its lines as they are."""

    text: str
    is_item: bool = False
    mark: str = ""
    """What was set above the line before the text, as the mark of a footnote is."""


@dataclass(frozen=True)
class Image:
    """An image or the note that one stood here."""

    alt: str
    is_placeholder: bool = False


@dataclass(frozen=True)
class Grid:
    """A table, and lines that stood right below it."""

    rows: list[list[str]]
    note: str = ""


@dataclass(frozen=True)
class Code:
    """Text whose line breaks count."""

    text: str


RawBlock = Heading | Text | Image | Grid | Code | Equation


@dataclass(frozen=True)
class Lexed:
    """A document's blocks. `total` counts their characters and those of what was left out here already."""

    blocks: list[RawBlock]
    total: int
    title: str
    """From the front matter."""
    undecoded: int
    """Formulas of which the converter kept only that they were there."""


def lex(text: str) -> Lexed:
    """Read Markdown. Raises InputError (`nesting`)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    left_out: list[str] = [match[1] for match in _FRONT_MATTER.finditer(text)]
    left_out += [match[0].partition("}")[0][1:] for match in _PAGE.finditer(text)]
    title = _TITLE.search(left_out[0]) if text.startswith("---\n") and left_out else None
    text = _PAGE.sub("", _FRONT_MATTER.sub("", text))
    parser = with_math(MarkdownIt("commonmark", {"maxNesting": _NESTING + 20}).enable("table"))
    parser.disable(["reference", "code"])
    reader = _Reader(parser, text)
    blocks = list(reader.blocks())
    total = sum(map(raw_chars, blocks)) + sum(map(visible, left_out)) + sum(map(visible, reader.unread))
    return Lexed(blocks, total, title[1].strip(" \"'") if title else "", reader.undecoded)


def raw_chars(block: RawBlock) -> int:
    """Count the visible characters of a block."""
    match block:
        case Heading() | Code():
            return visible(block.text)
        case Text():
            return visible(block.mark) + visible(block.text)
        case Image():
            return visible(block.alt)
        case Grid():
            return sum(visible(cell) for row in block.rows for cell in row) + visible(block.note)
        case Equation():
            return visible(block.label) + visible(block.text)


class _Reader:
    def __init__(self, parser: MarkdownIt, text: str) -> None:
        self.unread: list[str] = []
        self.undecoded = 0
        self._parser, self._lines = parser, text.split("\n")
        self._tokens = parser.parse(text)

    def blocks(self) -> Iterator[RawBlock]:
        tokens, i, marker, in_item = self._tokens, 0, "", 0
        while i < len(tokens):
            token = tokens[i]
            if token.level > _NESTING:
                message = f"The Markdown nests lists or quotations more than {_NESTING} levels deep"
                raise InputError("nesting", message, "No paper does: give it as its converter wrote it.")
            match token.type:
                case "heading_open":
                    yield from self._heading(token, tokens[i + 1])
                    i += 2
                case "list_item_open":
                    marker, in_item = f"{token.info}{token.markup} " if token.info else "", in_item + 1
                case "list_item_close":
                    in_item -= 1
                case "inline":
                    yield from self._inline(token.children or [], marker, in_item > 0)
                    marker = ""
                case "fence" | "code_block":
                    is_math = token.info.strip().lower() in ("math", "latex", "tex")
                    yield Equation(*reversed(numbered(token.content))) if is_math else Code(token.content.rstrip())
                case "math_block":
                    tex, label = numbered(token.content)
                    yield Equation(label or token.info, tex)
                case "html_block":
                    yield from self._html(token.content)
                case "table_open":
                    yield self._grid(token)
                    while tokens[i].type != "table_close":
                        i += 1
            i += 1

    def _heading(self, opening: Token, inline: Token) -> Iterator[RawBlock]:
        """Yield a heading. One that a line of hyphens below made of a paragraph stays the paragraph that it was."""
        depth = int(opening.tag[1:])
        for block in self._inline(inline.children or [], "", False):
            is_line = isinstance(block, Text) and not (opening.markup == "-" and len(block.text) > 120)
            yield Heading(depth, " ".join(block.text.split())) if isinstance(block, Text) and is_line else block

    def _inline(self, children: Sequence[Token], marker: str, is_item: bool) -> Iterator[RawBlock]:
        """Cut a paragraph at its images and display formulas."""
        pieces, mark = [marker], ""
        rest = list(children)
        if not is_item and len(rest) > 2 and rest[0].content.lower() == "<sup>" and rest[2].content.lower() == "</sup>":
            mark, rest = rest[1].content.strip(), rest[3:]
        links: list[str] = []
        for token in rest:
            cut: RawBlock | None = None
            match token.type:
                case "math_display":
                    cut = Equation(*reversed(numbered(token.content)))
                case "image":
                    cut = Image(" ".join(token.content.split()))
                case "html_inline":
                    piece = self._tag(token.content)
                    if isinstance(piece, str):
                        pieces.append(piece)
                    else:
                        cut = piece
                case "softbreak" | "hardbreak":
                    pieces.append("\n")
                case "math_inline":
                    pieces.append(f"${token.content}$")
                case "link_open":
                    links.append(str(token.attrGet("href") or ""))
                    pieces += ["["] if _WORD.fullmatch(links[-1]) else []
                case "link_close":
                    target = links.pop()
                    pieces += [f"]({target})"] if _WORD.fullmatch(target) else []  # E[x](t) is no link
                case _:
                    pieces.append(token.content)
            if cut is not None:
                yield from _text(pieces, is_item, mark)
                yield cut
                pieces, mark = [], ""
        yield from _text(pieces, is_item, mark)

    def _tag(self, tag: str) -> str | Image:
        """Say what an inline tag leaves in the text: nothing, a line break, an image; itself if it is no tag."""
        if tag.startswith("<!--"):
            return self._comment(tag[4:-3]) or ""
        name = match[1].lower() if (match := _TAG.match(tag)) else ""
        if name == "br":
            return "\n"
        if name == "img":
            parts, _ = read_html(tag)
            return next((Image(part.alt) for part in parts if isinstance(part, HtmlImage)), "")
        return "" if _TAGS.fullmatch(name) else tag

    def _comment(self, comment: str) -> Image | None:
        self.undecoded += comment.strip() == "formula-not-decoded"
        return Image("", is_placeholder=True) if comment.strip() == "image" else None

    def _html(self, html: str) -> Iterator[RawBlock]:
        parts, unread = read_html(html)
        self.unread.append(unread)
        for part in parts:
            match part:
                case HtmlTable():
                    yield Grid(part.rows)
                case HtmlText():
                    yield Text(part.text)
                case HtmlImage():
                    yield Image(part.alt)
                case HtmlComment():
                    yield from [image for image in [self._comment(part.text)] if image]

    def _grid(self, opening: Token) -> Grid:
        """Split the rows ourselves: the parser would drop cells for which the first row has no column."""
        first, last = opening.map or (0, 0)
        rows, notes = [], []
        for number, line in enumerate(self._lines[first:last]):
            if number == 1 and _DELIMITER.fullmatch(line):
                continue
            if "|" in line:
                rows.append([self._cell(cell) for cell in _cells(line)])
            else:
                notes.append(self._cell(line))
        return Grid(rows, " ".join(notes))

    def _cell(self, source: str) -> str:
        children = self._parser.parseInline(source.strip())[0].children or []
        found = self._inline(children, "", False)
        return " ".join(" ".join(_words(block).split()) for block in found)


def _words(block: RawBlock) -> str:
    match block:
        case Text():
            return f"{block.mark}{block.text}"
        case Equation():
            return f"${block.text}$ {block.label}"
        case Image():
            return block.alt
    return ""


def _text(pieces: Sequence[str], is_item: bool, mark: str) -> Iterator[Text]:
    text = "".join(pieces).strip()
    if text or mark:
        yield Text(text, is_item, mark)


def _cells(line: str) -> list[str]:
    """Split a row of a pipe table; a pipe may be escaped or stand in a formula."""
    line = line.strip()
    line = line.removeprefix("|")
    line = line.removesuffix("|") if not line.endswith("\\|") else line
    pieces = re.split(r"(\\.|\$|\|)", line)
    has_formulas, in_formula, cells = pieces.count("$") % 2 == 0, False, [""]
    for piece in pieces:
        if piece == "$":
            in_formula = has_formulas and not in_formula
        if piece == "|" and not in_formula:
            cells.append("")
        else:
            cells[-1] += "|" if piece == "\\|" else piece
    return cells
