"""PDF → Paper without a server: what GROBID would do, with fewer means.

In: the bytes of a PDF, hostile until parsed. Out: a `Paper`, and warnings of text that the PDF hides. Must not know
about files, servers or the engine. The steps, each a module beside this one:

    glyphs ─► layout ─► headings · front · floats ─► text ─► Paper

Nothing is lost uncounted: what is printed on the pages and is not in the `Paper` is in `dropped_chars`.
"""

from __future__ import annotations

import re
from dataclasses import replace

from paper2code_local.artifacts.paper import (
    Block,
    Figure,
    Footnote,
    Formula,
    Paper,
    Paragraph,
    Reference,
    Section,
    Table,
    visible,
)
from paper2code_local.stages.s1_parse import pdf_floats, pdf_front, pdf_text
from paper2code_local.stages.s1_parse.pdf_citations import Citations
from paper2code_local.stages.s1_parse.pdf_glyphs import Page, read_pages
from paper2code_local.stages.s1_parse.pdf_headings import Heading, find_headings
from paper2code_local.stages.s1_parse.pdf_hidden import describe
from paper2code_local.stages.s1_parse.pdf_layout import Line, body_size, read_lines
from paper2code_local.stages.s1_parse.pdf_parts import Part, part_of
from paper2code_local.stages.s1_parse.pdf_text import Joiner

_REFERENCES = re.compile(r"references|bibliography|literature cited|references and notes", re.IGNORECASE)
_GARBLED = 0.03
"""Share of characters without a meaning above which the user is told."""

_Special = pdf_floats.Float | pdf_floats.Display | pdf_floats.Note


def paper_of_pdf(data: bytes) -> Paper:
    """Read a paper from a PDF with a text layer.

    Raises `InputError`: empty, too_large, not_pdf, encrypted, truncated, damaged, no_text.
    """
    pages = read_pages(data)
    lines = read_lines(pages)
    return _Reading(pages, lines).paper()


def hidden_text(data: bytes) -> tuple[str, ...]:
    """Describe text that no reader of the PDF sees (white, tiny, invisible, off the page, covered), a sentence a kind.

    Raises `InputError` like `paper_of_pdf`.
    """
    return describe([run for page in read_pages(data) for run in page.hidden])


class _Reading:
    """One PDF being read: its lines, and what each of them is."""

    def __init__(self, pages: list[Page], lines: list[Line]) -> None:
        self.pages, self.lines = pages, lines
        self.joiner = Joiner(lines)
        body = body_size(lines)
        title = pdf_front.find_title(lines, body)
        start = title[-1] + 1 if title else 0
        named = pdf_front.find_abstract(lines, start)
        self.headings = _sections_only(find_headings(lines, body, start if named is None else named + 1))
        self.front = pdf_front.read_front(lines, title, named, self.headings)
        self.bibliography = self._bibliography()
        self.special = self._find_special(body)
        entries = pdf_text.entries([lines[i] for i in sorted(self.bibliography) if i not in self.special])
        self.references = tuple(Reference(id=f"b{k}", text=self.joiner.join(e)) for k, e in enumerate(entries))
        self.citations = Citations(self.references)
        self.counts = {"eq": 0, "tab": 0, "fig": 0, "alg": 0}

    def paper(self) -> Paper:
        """Put the paper together."""
        front = self.front
        title = self.joiner.join(self.lines[i] for i in front.title)
        abstract = self.joiner.join(self.lines[i] for i in front.abstract if i not in self.special)
        abstract = pdf_front.without_abstract_name(abstract)
        above = [self.lines[i] for i in front.authors if i not in self.special]
        named = pdf_text.names(above)
        authors = tuple(name for found in named for name in found)
        other = [line for line, found in zip(above, named, strict=True) if not found]
        other += [self.lines[i] for i in front.rest if i not in self.special]
        sections = self._sections(other)
        notes = tuple(self._footnote(s) for s in _unique(self.special) if isinstance(s, pdf_floats.Note))
        kept = sum(map(visible, (title, abstract, *authors)))
        kept += sum(visible(s.number) + s.chars for s in sections) + sum(visible(r.text) for r in self.references)
        kept += sum(visible(n.mark) + visible(n.text) for n in notes)
        return Paper(
            title=title,
            authors=authors,
            abstract=abstract,
            sections=sections,
            references=self.references,
            footnotes=notes,
            chars=kept,
            dropped_chars=sum(page.total for page in self.pages) - kept,
            parser="pdf",
            warnings=self._warnings(title, abstract),
        )

    def _warnings(self, title: str, abstract: str) -> tuple[str, ...]:
        found = []
        if not title:
            found.append("No title found.")
        if not abstract:
            found.append("No abstract found.")
        if not self.headings:
            found.append("No section headings found: the text is one section.")
        total = sum(page.total for page in self.pages)
        seen = sum(len(g.text) for page in self.pages for g in page.glyphs)
        hidden = [run for page in self.pages for run in page.hidden]
        lost = total - seen - sum(visible(run.text) for run in hidden)
        if lost > _GARBLED * total:
            found.append(f"{lost} of {total} characters are set sideways or have no meaning in the PDF's encoding.")
        return (*found, *describe(hidden))

    def _bibliography(self) -> frozenset[int]:
        """Return the lines between the last heading "References" and the heading after it."""
        stops = [h.start for h in self.headings[1:]] + [len(self.lines)]
        spans = [(h.stop, stop) for h, stop in zip(self.headings, stops, strict=False) if _is_references(h)]
        return frozenset(i for start, stop in spans for i in range(start, stop))

    def _find_special(self, body: float) -> dict[int, _Special]:
        """Say which lines are floats, footnotes and formulas."""
        lines, front = self.lines, self.front
        fixed = {i for h in self.headings for i in range(h.start, h.stop)} | self.bibliography | set(front.title)
        prose = pdf_floats.find_prose(lines, body) - fixed
        found: dict[int, _Special] = {}
        above = set(front.authors) | set(front.abstract)
        for float_ in pdf_floats.find_floats(lines, body, prose, fixed | above):
            found.update(dict.fromkeys((*float_.caption, *float_.body), float_))
        for note in pdf_floats.find_notes(lines, body, fixed | above | found.keys()):
            found.update(dict.fromkeys(note.lines, note))
        for display in pdf_floats.find_displays(lines, body, prose, fixed | above | set(front.rest) | found.keys()):
            found.update(dict.fromkeys(display.lines, display))
        return found

    def _sections(self, before: list[Line]) -> tuple[Section, ...]:
        """Walk the lines once and close a section at every heading."""
        sections: list[Section] = []
        if before:
            blocks = self._paragraphs(before, [])
            sections.append(self._section(Heading(0, 0, "", "", 1), blocks, "s1", "back"))
        starts = {h.start: h for h in self.headings}
        part: Part = "body"
        heading = Heading(self.front.stop, self.front.stop, "", "", 1)
        chunks = _Chunks()
        i = self.front.stop
        while True:
            if i in starts or i == len(self.lines):
                blocks = self._blocks(chunks)
                if (blocks or heading.text) and not _is_references(heading):
                    sections.append(self._section(heading, blocks, f"s{len(sections) + 1}", part))
                if i == len(self.lines):
                    return tuple(sections)
                heading, chunks = starts[i], _Chunks()
                part = part_of(heading.number, heading.text, part)
                i = heading.stop
                continue
            special = self.special.get(i)
            if special is None:
                if i not in self.bibliography and not self._is_front(i):
                    chunks.text(i, self.lines[i])
            elif not isinstance(special, pdf_floats.Note):
                chunks.special(special)
            i += 1

    def _is_front(self, i: int) -> bool:
        return i in self.front.authors or i in self.front.abstract or i in self.front.rest

    def _section(self, heading: Heading, blocks: list[Block], id_: str, part: Part) -> Section:
        return Section(
            id=id_,
            number=heading.number,
            heading=heading.text,
            level=heading.level,
            part=part,
            blocks=tuple(blocks),
            chars=visible(heading.text) + sum(map(_size, blocks)),
        )

    def _blocks(self, chunks: _Chunks) -> list[Block]:
        blocks: list[Block] = []
        for lines, floats, display in chunks.parts:
            blocks.extend(self._paragraphs(lines, floats))
            if display is not None:
                blocks.append(self._formula(display))
        return blocks

    def _paragraphs(self, lines: list[Line], floats: list[tuple[int, pdf_floats.Float]]) -> list[Block]:
        """Make paragraphs, and put each float after the paragraph that it interrupts."""
        blocks: list[Block] = []
        waiting, done = list(floats), 0
        for group in pdf_text.paragraphs(lines):
            text = self.joiner.join(group)
            blocks.append(Paragraph(text=text, citations=self.citations.of(text)))
            done += len(group)
            while waiting and waiting[0][0] <= done:
                blocks.append(self._float(waiting.pop(0)[1]))
        blocks.extend(self._float(f) for _, f in waiting)
        return blocks

    def _id(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"

    def _formula(self, display: pdf_floats.Display) -> Formula:
        return Formula(id=self._id("eq"), label=display.label, text=display.text)

    def _float(self, found: pdf_floats.Float) -> Table | Figure:
        caption = self.joiner.join(self.lines[i] for i in found.caption)
        caption = caption[len(found.label) :].lstrip(" .:|—–-")
        if found.kind == "table":
            rows = tuple(pdf_text.table_cells(self.lines[i]) for i in found.body)
            return Table(id=self._id("tab"), label=found.label, caption=caption, rows=rows)
        text = "\n".join(self.lines[i].text for i in found.body)
        id_ = self._id("alg" if found.kind == "algorithm" else "fig")
        return Figure(kind=found.kind, id=id_, label=found.label, caption=caption, text=text)

    def _footnote(self, note: pdf_floats.Note) -> Footnote:
        text = self.joiner.join(self.lines[i] for i in note.lines)
        return Footnote(mark=note.mark, text=text[len(note.mark) :].strip() if text.startswith(note.mark) else text)


class _Chunks:
    """The lines of one section on their way to blocks: text with the floats that interrupt it, formulas between."""

    def __init__(self) -> None:
        self.parts: list[tuple[list[Line], list[tuple[int, pdf_floats.Float]], pdf_floats.Display | None]] = []
        self._lines: list[Line] = []
        self._floats: list[tuple[int, pdf_floats.Float]] = []
        self._seen: set[int] = set()
        self._last = -1
        self.parts.append((self._lines, self._floats, None))

    def text(self, index: int, line: Line) -> None:
        """Add a line of text; after an interruption its gap says nothing."""
        self._lines.append(line if index == self._last + 1 or not self._lines else replace(line, gap=0.0))
        self._last = index

    def special(self, found: pdf_floats.Float | pdf_floats.Display) -> None:
        """Add a float or a formula, once, however many lines it has."""
        if id(found) in self._seen:
            return
        self._seen.add(id(found))
        if isinstance(found, pdf_floats.Float):
            self._floats.append((len(self._lines), found))
            return
        self.parts[-1] = (self._lines, self._floats, found)
        self._lines, self._floats = [], []
        self.parts.append((self._lines, self._floats, None))


def _sections_only(headings: list[Heading]) -> list[Heading]:
    """Leave out what looks like a heading before the first section of a paper that numbers its sections."""
    first = next((k for k, h in enumerate(headings) if h.number or h.text.lower() == "introduction"), 0)
    return [h for k, h in enumerate(headings) if k >= first or h.start > headings[first].start]


def _is_references(heading: Heading) -> bool:
    return bool(_REFERENCES.fullmatch(heading.text.strip(" .:")))


def _unique(special: dict[int, _Special]) -> list[_Special]:
    return list({id(s): s for _, s in sorted(special.items())}.values())


def _size(block: Block) -> int:
    """Count the characters of a block."""
    match block:
        case Paragraph():
            return visible(block.text)
        case Formula():
            return visible(block.label) + visible(block.text)
        case Table():
            cells = sum(visible(cell) for row in block.rows for cell in row)
            return visible(block.label) + visible(block.caption) + cells + visible(block.note)
        case Figure():
            return visible(block.label) + visible(block.caption) + visible(block.text)
