"""A `Document` to a `Paper`: marks resolved, ids given, what is kept counted.

In: what the reader found, the labels it met. Out: a `Paper`. Must not know tokens or commands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from paper2code_local.artifacts.paper import Block as PaperBlock
from paper2code_local.artifacts.paper import (
    Figure,
    Footnote,
    Formula,
    Paper,
    Paragraph,
    Reference,
    Section,
    Table,
    block_chars,
    visible,
)
from paper2code_local.stages.s1_parse.latex_document import (
    MARK,
    Block,
    Document,
    Entry,
    Equation,
    Float,
    Mark,
    Prose,
    without_marks,
)
from paper2code_local.stages.s1_parse.latex_numbers import Numbers


def paper_of(document: Document, numbers: Numbers, warnings: tuple[str, ...]) -> Paper:
    """Put the paper together; `dropped_chars` is what the document printed and the paper does not hold."""
    made = _Making(document, numbers)
    title = made.resolved(document.title)
    authors = tuple(document.authors)
    abstract = made.resolved(" ".join(_readable(block) for block in document.abstract))
    sections = tuple(made.sections())
    references = tuple(
        Reference(id=f"b{index}", text=f"[{index + 1}] {made.resolved(entry.text)}".strip())
        for index, entry in enumerate(document.entries)
    )
    notes = tuple(Footnote(mark=note.mark, text=made.resolved(note.text)) for note in document.notes)
    chars = sum(map(visible, (title, abstract, *authors)))
    chars += sum(visible(section.number) + section.chars for section in sections)
    chars += sum(visible(reference.text) for reference in references)
    chars += sum(visible(note.mark) + visible(note.text) for note in notes)
    found = {
        "title": title,
        "abstract": abstract,
        "sections": any(s.heading for s in sections),
        "references": references,
    }
    missing = (f"No {what} found in the LaTeX." for what, value in found.items() if not value)
    return Paper(
        title=title,
        authors=authors,
        abstract=abstract,
        sections=sections,
        references=references,
        footnotes=notes,
        chars=chars,
        dropped_chars=document.seen - kept_of(document),
        parser="latex",
        warnings=(*missing, *made.unknown(), *warnings),
    )


def kept_of(document: Document) -> int:
    """Count what the document holds of `seen`: neither marks nor numbers, which are made and not read."""
    texts = [document.title, *document.authors, *(_readable(block) for block in document.abstract)]
    texts += [text for section in document.sections for text in (section.heading, *map(_readable, section.blocks))]
    texts += [note.text for note in document.notes] + [entry.text for entry in document.entries]
    return sum(visible(without_marks(text)) for text in texts)


def _few(keys: list[str]) -> str:
    more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
    return ", ".join(key[:60] for key in keys[:5]) + more


def _readable(block: Block) -> str:
    if isinstance(block, Float):
        return " ".join([block.caption, *(cell for row in block.rows for cell in row), block.text])
    return block.text


class _Making:
    """What marks and ids depend on."""

    def __init__(self, document: Document, numbers: Numbers) -> None:
        self.document, self.numbers = document, numbers
        self.position: dict[str, int] = {}
        for index, entry in enumerate(document.entries):
            self.position.setdefault(entry.key, index)
        self.counts: Counter[str] = Counter()

    def unknown(self) -> Iterator[str]:
        """Yield a warning for citations without an entry, and one for labels that nothing carries."""
        keys = dict.fromkeys(key for mark in self.document.marks if mark.is_citation for key in mark.keys if key != "*")
        lost = [key for key in keys if key not in self.position]
        if lost and self.position:
            yield f"Cited, but not in the bibliography: {_few(lost)}."
        labels = dict.fromkeys(key for mark in self.document.marks if not mark.is_citation for key in mark.keys)
        lost = [label for label in labels if label not in self.numbers.labels]
        if lost:
            yield f"Referred to, but labelled nowhere: {_few(lost)}."

    def resolved(self, text: str) -> str:
        """Return `text` with what its marks stand for."""
        for _ in range(2):  # the note of a citation may hold a reference
            text = MARK.sub(lambda match: self._printed(self.document.marks[int(match[1])]), text)
        text = without_marks(text)
        return " ".join(text.split()) if "\n" not in text else text

    def _printed(self, mark: Mark) -> str:
        if not mark.is_citation:
            return self.numbers.reference(mark.command, mark.keys)
        if mark.command == "cite":
            return self._bracketed(mark, ", ".join(map(self._number, mark.keys)))
        return self._bracketed(mark, ", ".join(self._named(mark.command, key) for key in mark.keys), brackets=False)

    def _bracketed(self, mark: Mark, numbers: str, brackets: bool = True) -> str:
        before, after = f"{mark.before} " if mark.before else "", f", {mark.after}" if mark.after else ""
        return f"[{before}{numbers}{after}]" if brackets else f"{before}{numbers}{after}"

    def _number(self, key: str) -> str:
        return str(self.position[key] + 1) if key in self.position else key

    def _named(self, command: str, key: str) -> str:
        entry = self.document.entries[self.position[key]] if key in self.position else Entry(key, "", "", "")
        number = f"[{self._number(key)}]"
        if command == "citet":
            return f"{entry.authors} {number}".strip()
        return (entry.authors if command == "citeauthor" else entry.year) or number

    def sections(self) -> Iterator[Section]:
        """Yield the sections that hold anything."""
        found = [section for section in self.document.sections if section.heading or section.blocks]
        lift = 1 - min((section.level for section in found), default=1)
        for index, section in enumerate(found, start=1):
            blocks = tuple(self._block(block) for block in section.blocks)
            heading = self.resolved(section.heading)
            first = index == 1 and not section.heading
            yield Section(
                id=f"s{index}",
                number=section.number,
                heading=heading,
                level=1 if first else max(1, min(section.level + lift, 6)),
                part=section.part,
                blocks=blocks,
                chars=visible(heading) + sum(map(block_chars, blocks)),
            )

    def _block(self, block: Block) -> PaperBlock:
        match block:
            case Prose():
                cited = dict.fromkeys(f"b{self.position[key]}" for key in block.cites if key in self.position)
                return Paragraph(text=self.resolved(block.text), citations=tuple(cited))
            case Equation():
                return Formula(id=self._next("eq"), label=self.resolved(block.label), text=self.resolved(block.text))
            case Float(kind="table"):
                rows = tuple(tuple(map(self.resolved, row)) for row in block.rows)
                caption, note = self.resolved(block.caption), self.resolved(block.text)
                return Table(id=self._next("tab"), label=block.label, caption=caption, rows=rows, note=note)
            case Float():
                return Figure(
                    kind="algorithm" if block.kind == "algorithm" else "figure",
                    id=self._next(block.kind[:3]),
                    label=block.label,
                    caption=self.resolved(block.caption),
                    text=self.resolved(block.text),
                )

    def _next(self, prefix: str) -> str:
        self.counts[prefix] += 1
        return f"{prefix}{self.counts[prefix]}"
