"""Markdown, as MinerU, marker, docling, olmOCR or a person writes it, to `Paper`.

In: the bytes of a text, which may be hostile. Out: a `Paper` in which every character that a reader of the rendered
text would see is kept or counted as dropped. Must not know where the bytes come from.

    bytes ─► markdown_blocks ─► blocks ─► markdown_front, markdown_floats ─► headings, floats ─► sections ─► Paper

Addresses of links and images, tags, comments and the signs of Markdown itself are no text. An inline formula counts
with one dollar sign at each end, the number of a display formula with its parentheses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from paper2code_local.artifacts.paper import Footnote, Paper, Reference, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.floats import LABEL
from paper2code_local.stages.s1_parse.found import Equation, Float, Item, OpenSection, Part, Prose
from paper2code_local.stages.s1_parse.headings import Printed, read_headings
from paper2code_local.stages.s1_parse.markdown_blocks import Code, Heading, Lexed, RawBlock, Text, lex
from paper2code_local.stages.s1_parse.markdown_floats import join_floats
from paper2code_local.stages.s1_parse.markdown_front import Front, read_front, with_headings
from paper2code_local.stages.s1_parse.pdf_citations import Citations
from paper2code_local.stages.s1_parse.pdf_parts import part_of
from paper2code_local.stages.s1_parse.sections import sections_of

MAX_BYTES = 20_000_000
"""A hundred times the text of a long paper."""
_REFERENCES = re.compile(
    r"(?:references|bibliography|literature cited|references and notes|works cited)", re.IGNORECASE
)
_MARK = re.compile(r"\[[^\]\n]{1,20}\]|\d{1,3}\.\s")
_ENTRY = re.compile(r"\n(?=\s*(?:\[[^\]\n]{1,20}\]|\d{1,3}\.)\s)")
_FOOTNOTE = re.compile(r"\[\^([^\]\s]{1,20})\]:\s*|\$\s*\^\s*\{?\s*([\d*†‡§]{1,3})\s*\}?\s*\$\s*")
_FOOTNOTES = re.compile(r"\n(?=\[\^[^\]\s]{1,20}\]:)")
_PAGE_NUMBER = re.compile(r"(?:page\s+)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?", re.IGNORECASE)
_LABEL_ALONE = re.compile(r"\([\dA-Z.]{1,8}[a-z]?\)")


def paper_of_markdown(data: bytes) -> Paper:
    """Read Markdown in UTF-8 (or UTF-16 with a byte-order mark).

    What is dropped: page numbers and separators, front matter, the names of the abstract and of the references, marks
    beside authors' names, punctuation after labels and numbers.
    Raises InputError: `too_large`, `not_text`, `nesting`, `no_text`.
    """
    lexed = lex(_decoded(data))
    blocks = with_headings(_with_labels(lexed.blocks))
    if not any(isinstance(block, Heading | Text) for block in blocks):
        hint = "Look into it: a converter that failed leaves an empty file. Give the PDF instead."
        raise InputError("no_text", "The Markdown has neither a heading nor a paragraph.", hint)
    return _Reading(lexed, blocks).paper()


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        message = f"The text has {len(data):,} bytes; at most {MAX_BYTES:,} are read."
        raise InputError("too_large", message, "Give the text of a single paper, without embedded images.")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("not_text", f"The text is not UTF-8 at byte {error.start}.", "Save it as UTF-8.") from None
    if "\0" in text:
        raise InputError("not_text", "The file is binary, not Markdown.", "Give the PDF, or the LaTeX source.")
    return text


def _with_labels(blocks: Sequence[RawBlock]) -> list[RawBlock]:
    """Give a formula the number that stands alone after it."""
    found: list[RawBlock] = []
    for block in blocks:
        last = found[-1] if found else None
        is_label = isinstance(block, Text) and _LABEL_ALONE.fullmatch(block.text)
        if is_label and isinstance(block, Text) and isinstance(last, Equation) and not last.label:
            found[-1] = Equation(block.text, last.text)
        else:
            found.append(block)
    return found


class _Reading:
    """One document being read: front matter, bibliography, and the sections between."""

    def __init__(self, lexed: Lexed, blocks: list[RawBlock]) -> None:
        self.lexed = lexed
        self.front: Front = read_front(blocks)
        self.notes: list[Footnote] = []
        entries: list[str] = []
        body: list[RawBlock] = []
        in_references = False
        for block in blocks[self.front.start :]:
            if isinstance(block, Heading):
                in_references = bool(_REFERENCES.fullmatch(_bare(block.text)))
            if in_references and _is_entry(block):
                entries += _entries(block)
            elif not (in_references and isinstance(block, Heading)):
                body += self._without_notes(block)
        self.references = tuple(Reference(id=f"b{k}", text=text) for k, text in enumerate(_whole(entries)))
        self.citations = Citations(_numbered(self.references))
        self.sections = self._sections(body)

    def paper(self) -> Paper:
        """Put the paper together."""
        front = self.front
        title = front.title or self.lexed.title
        sections = sections_of(self.sections, {reference.id: reference.id for reference in self.references})
        chars = sum(map(visible, (front.title, front.abstract, *front.authors)))
        chars += sum(section.chars + visible(section.number) for section in sections)
        chars += sum(visible(reference.text) for reference in self.references)
        chars += sum(visible(note.mark) + visible(note.text) for note in self.notes)
        found = {"title": title, "abstract": front.abstract, "sections": self.sections, "references": self.references}
        warnings = [f"No {what} found in the text." for what, value in found.items() if not value]
        if self.lexed.undecoded:
            lost = f"{self.lexed.undecoded} formulas were lost when the Markdown was made (formula-not-decoded)."
            warnings.append(f"{lost} Let the converter read formulas, or give the PDF or LaTeX.")
        return Paper(
            title=title,
            authors=front.authors,
            abstract=front.abstract,
            sections=sections,
            references=self.references,
            footnotes=tuple(self.notes),
            chars=chars,
            dropped_chars=self.lexed.total - chars,
            parser="markdown",
            warnings=tuple(warnings),
        )

    def _without_notes(self, block: RawBlock) -> Iterator[RawBlock]:
        """Take out footnotes and page numbers."""
        if not isinstance(block, Text) or block.is_item:
            yield block
            return
        for text in _FOOTNOTES.split(block.text):
            match = _FOOTNOTE.match(text)
            mark = block.mark or (match and (match[1] or match[2])) or ""
            rest = text[match.end() :] if match else text
            if mark and rest and len(mark) <= 20:
                self.notes.append(Footnote(mark=mark, text=" ".join(rest.split())))
            elif not _PAGE_NUMBER.fullmatch(text):
                yield Text(f"{block.mark}{text}")

    def _sections(self, body: Sequence[RawBlock]) -> list[OpenSection]:
        sections: list[OpenSection] = []
        if self.front.rest:
            sections.append(OpenSection("back", 1))
            for block in join_floats(self.front.rest):
                sections[-1].items += self._items(block)
        headings = _placed([block for block in body if isinstance(block, Heading)])
        for block in join_floats(body):
            if isinstance(block, Heading):
                while headings[0].heading != block.text:  # the name of an algorithm, set as a heading
                    headings.pop(0)
                sections.append(headings.pop(0))
            elif items := self._items(block):
                if len(sections) == bool(self.front.rest):
                    sections.append(OpenSection("body", 1))
                sections[-1].items += items
        return sections

    def _items(self, block: RawBlock | Float) -> list[Item]:
        match block:
            case Equation() | Float():
                return [block]
            case Heading() | Text():
                text = " ".join(block.text.split())
                return [Prose(text, list(self.citations.of(text)), [])] if text else []
            case Code():
                return [Prose(block.text, [], [])] if block.text else []
        return []


def _bare(heading: str) -> str:
    return re.sub(r"^(?:\d{1,2}|[IVX]{1,5})[.)]?\s+", "", heading).strip(" .:")


def _is_entry(block: RawBlock) -> bool:
    """Tell entries of the bibliography from floats and page numbers that came to stand among them."""
    if isinstance(block, Text):
        return not LABEL.match(block.text) and not _PAGE_NUMBER.fullmatch(block.text)
    return isinstance(block, Code)


def _whole(entries: Sequence[str]) -> list[str]:
    """Join an entry that a page break cut in two: where all have marks, what has none goes on."""
    whole: list[str] = []
    for entry in entries:
        if whole and _MARK.match(entries[0]) and not _MARK.match(entry):
            whole[-1] += f" {entry}"
        else:
            whole.append(entry)
    return whole


def _entries(block: RawBlock) -> Iterator[str]:
    """Cut what stands under "References" into entries."""
    if isinstance(block, Text):
        yield from (line for text in _ENTRY.split(f"{block.mark}{block.text}") if (line := " ".join(text.split())))
    elif isinstance(block, Code):
        yield from (line for text in block.text.split("\n") if (line := " ".join(text.split())))


def _numbered(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    """Number entries that have no number, as a list without one is cited by number all the same."""
    if any(re.match(r"\[?\(?\d{1,3}[\].)]", reference.text) for reference in references):
        return references
    return tuple(Reference(id=r.id, text=f"[{k}] {r.text}") for k, r in enumerate(references, start=1))


def _placed(headings: Sequence[Heading]) -> list[OpenSection]:
    """Say which part of the paper each heading opens and how deep it is.

    Where the source's levels tell nothing, because all are the same or disagree with the numbers, a heading without
    a number that stands between numbered ones is below the one before it, and any other is a section's.
    """
    read = read_headings([Printed("", heading.text, "body", 1) for heading in headings])
    shifts = {h.depth - r.level for h, r in zip(headings, read, strict=True) if r.number}
    flat = len({heading.depth for heading in headings}) == 1 or len(shifts) > 1
    top = shifts.pop() + 1 if len(shifts) == 1 else min((heading.depth for heading in headings), default=1)
    last_numbered = max((i for i, r in enumerate(read) if r.number and r.part == "body"), default=-1)
    part: Part = "body"
    found, above = [], 0
    for i, (heading, understood) in enumerate(zip(headings, read, strict=True)):
        kept: Part = "appendix" if part == "appendix" else "body"
        own = understood.part if understood.part != "body" else part_of("", understood.heading, kept)
        inner = above + 1 if above and i < last_numbered else 1
        depth = inner if flat else max(1, heading.depth - top + 1)
        above = understood.level if understood.number else above
        part = own if own == "appendix" else part
        found.append(OpenSection(own, min(depth, 6), "", heading.text))
    return found
