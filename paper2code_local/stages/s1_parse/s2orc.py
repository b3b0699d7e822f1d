"""S2ORC JSON, as doc2json makes it and PaperCoder reads it, to `Paper`.

In: the bytes of a JSON document, which may be hostile. Out: a `Paper` in which every character of paragraphs, headings,
formulas, floats and bibliography entries is either kept or counted as dropped. Must not know where the bytes come from.

    bytes ─► s2orc_document ─► Document ─► what is found ─► floats, references, headings ─► sections ─► Paper

S2ORC takes formulas and floats out of the text and leaves a token ("EQUATION", "FIGREF0") in it. They are put back:
formulas where their token stands, floats into the section that refers to them first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from paper2code_local.artifacts.paper import Footnote, Paper, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.floats import LABEL, place_floats
from paper2code_local.stages.s1_parse.found import Entry, Equation, Float, Loose, OpenSection, Part, Prose, Walked
from paper2code_local.stages.s1_parse.html_text import HtmlTable, HtmlText, read_html
from paper2code_local.stages.s1_parse.references import kept_chars, references_of
from paper2code_local.stages.s1_parse.s2orc_document import Author, Document, Named, Passage, Span, s2orc_document
from paper2code_local.stages.s1_parse.s2orc_document import Entry as BibEntry
from paper2code_local.stages.s1_parse.sections import sections_of

_TOKEN = re.compile(r"(?:EQUATION|FORMULA\d*|DISPLAYFORM\d+|INLINEFORM\d+|EQREF\d*)")
_REF = re.compile(r"(?:BIB|FIG|TAB|EQ|SEC|FOOT)REFU?\d+")
_KEY = re.compile(r"BIBREF(\d{1,6})")
_PRINTED = re.compile(r"(?:[A-Z]\.?)?\d{1,3}[a-z]?")


def paper_of_s2orc(data: bytes) -> Paper:
    """Read S2ORC JSON.

    Of several parses the one from LaTeX is read. What is dropped is the punctuation after the label of a float or the
    number of a section, and whatever of a table's HTML is no text.
    Raises InputError: `too_large`, `s2orc_shape`, `empty`.
    """
    document = s2orc_document(data)
    parse, metadata = document.parse, document.metadata
    walker = _Walker(document)
    abstract = _abstract(parse.abstract) or _abstract(metadata.abstract)
    if not abstract and not walker.total:
        raise InputError("empty", "The S2ORC JSON has neither an abstract nor any text.", "Give the PDF instead.")
    walked = walker.walked
    placed = place_floats(walked)
    references, meaning = references_of(walked.entries)
    sections = sections_of(placed, meaning)
    footnotes = tuple(Footnote(mark=note.num, text=_line(note.text)) for note in walker.notes)
    chars = (
        sum(section.chars for section in sections)
        + sum(visible(section.number) for section, source in zip(sections, placed, strict=True) if not source.n)
        + sum(kept_chars(entry) for entry in walked.entries)
        + sum(visible(note.text) for note in footnotes)
        - walker.added
    )
    title = _line(metadata.title)
    return Paper(
        title=title,
        authors=tuple(name for author in metadata.authors if (name := _name(author))),
        abstract=abstract,
        sections=sections,
        references=references,
        footnotes=footnotes,
        chars=chars,
        dropped_chars=walker.total - chars,
        parser="s2orc",
        warnings=tuple(
            [f"No {what} found in the JSON." for what, found in _found(title, abstract, walked).items() if not found]
            + walker.warnings()
        ),
    )


def _found(title: str, abstract: str, walked: Walked) -> dict[str, object]:
    return {"title": title, "abstract": abstract, "sections": walked.sections, "references": walked.entries}


class _Walker:
    """One pass over a document. `total` is every character of its text, `added` the labels that only we print."""

    def __init__(self, document: Document) -> None:
        self.walked = Walked()
        self.total = self.added = 0
        self.notes: list[Named] = []
        self._document = document
        self._names = document.parse.ref_entries
        self._order = _bibliography(document.parse.bib_entries)
        self._numbers = self._numbers_in_text()
        self._path: list[str] | None = None
        self._formulas: set[str] = set()
        self._silent = 0
        for passage in document.parse.body_text:
            self._section(passage, "body")
            self._passage(passage)
        for passage in document.parse.back_matter:
            self._section(passage, _part_of(passage.section))
            self._passage(passage)
        self._rest()

    def warnings(self) -> list[str]:
        """Say what the JSON has lost or has twice."""
        found = []
        if self._silent:
            found.append(f"{self._silent} formulas have no text in the JSON; the PDF or the LaTeX source may have it.")
        if len(self._document.parses) > 1:
            first, *others = self._document.parses
            found.append(f"The JSON has several parses: {first} was read, {', '.join(others)} not.")
        return found

    def _numbers_in_text(self) -> dict[str, str]:
        """Map what spans refer to to the number that is printed there first."""
        found: dict[str, str] = {}
        for passage in (*self._document.parse.body_text, *self._document.parse.back_matter):
            for span in passage.ref_spans:
                if span.ref_id not in found and (match := _PRINTED.search(span.text)) and not _REF.search(span.text):
                    found[span.ref_id] = match[0]
        return found

    def _section(self, passage: Passage, part: Part) -> None:
        """Begin the sections that this passage is the first of: its own, and those around it that have no text."""
        path = [name for name in map(_line, passage.section.split("::")) if name] or [""]
        own = self.walked.sections[-1] if self.walked.sections else None
        number = _line(passage.sec_num).strip(".")
        if own is not None and own.part == part and path == self._path and own.n == number:
            return
        before = self._path or []
        same = next((k for k, name in enumerate(path[:-1]) if before[k : k + 1] != [name]), len(path) - 1)
        components = number.split(".")
        for depth in range(same, len(path)):
            n = ".".join(components[: depth + 1]) if len(components) == len(path) else ""
            n = number if depth == len(path) - 1 else n
            self.walked.sections.append(OpenSection(part, depth + 1, n, path[depth]))
            self.total += visible(path[depth])
        self._path = path

    def _passage(self, passage: Passage) -> None:
        """Cut a paragraph at its formulas, and write what spans stand for where the text has only a token."""
        cuts = sorted(passage.eq_spans, key=lambda span: span.start)
        cursor, inline = 0, list[tuple[int, int, str]]()
        for span in cuts:
            if span.start < cursor:
                continue
            if "INLINE" in span.ref_id or "INLINE" in passage.text[span.start : span.end]:
                inline.append((span.start, span.end, f"${_formula(span)}$"))
                continue
            self._prose(passage, cursor, span.start, inline)
            self._equation(_formula(span), _label(span.eq_num or self._number(span.ref_id)))
            cursor, inline = span.end, []
        self._prose(passage, cursor, len(passage.text), inline)
        for span in passage.ref_spans:
            named = self._names.get(span.ref_id)
            if named is not None and named.kind == "equation":
                self._named_equation(named)

    def _prose(self, passage: Passage, start: int, stop: int, inline: list[tuple[int, int, str]]) -> None:
        changes = inline[:]
        cites, mentions = [], []
        for span in passage.cite_spans:
            if start <= span.start < stop:
                cites.append(_reference_id(span.ref_id))
                changes += self._printed(passage, span, f"[{span.text or self._order.get(span.ref_id, '')}]")
        for span in passage.ref_spans:
            if start <= span.start < stop:
                mentions.append(span.ref_id)
                number = span.text or self._number(span.ref_id)
                changes += self._printed(passage, span, f"({number})" if "EQ" in span.ref_id else number)
        text = _line(_changed(passage.text, start, stop, changes))
        self.total += visible(text)
        if text:
            self.walked.sections[-1].items.append(Prose(text, cites, mentions))

    def _printed(self, passage: Passage, span: Span, printed: str) -> Iterator[tuple[int, int, str]]:
        """Say what to print for a span whose text is a mere token, if a number is known."""
        if _REF.fullmatch(passage.text[span.start : span.end]) and any(c.isalnum() for c in printed):
            yield span.start, span.end, printed

    def _number(self, ref_id: str) -> str:
        named = self._names.get(ref_id)
        return (named.num if named else "") or self._numbers.get(ref_id, "")

    def _equation(self, text: str, label: str) -> None:
        self._formulas.add(_key(text))
        self._silent += not text
        self.total += visible(text) + visible(label)
        self.walked.sections[-1].items.append(Equation(label, text))

    def _named_equation(self, named: Named) -> None:
        """Add a formula that stands only among the named ones, once."""
        text = _line(named.latex or named.raw_str or named.text)
        if _key(text) not in self._formulas:
            self._equation(text, _label(named.num))

    def _rest(self) -> None:
        """Take what no paragraph holds: floats, footnotes, formulas that nothing refers to, the bibliography."""
        body = [index for index, section in enumerate(self.walked.sections) if section.part == "body"]
        after = body[-1] + 1 if body else 0
        if not self.walked.sections and self._names:
            self.walked.sections.append(OpenSection("body", 1))
        for name, named in self._names.items():
            if named.kind == "footnote":
                self.notes.append(named)
                self.total += visible(named.text)
            elif named.kind == "equation":
                self._named_equation(named)
            elif named.kind != "section":
                self.walked.loose.append(Loose(after, [self._float(name, named)]))
        for key in self._order:
            entry = _entry(key, self._document.parse.bib_entries[key])
            self.total += kept_chars(entry)
            self.walked.entries.append(entry)

    def _float(self, name: str, named: Named) -> Float:
        is_table = named.kind == "table" or name.startswith("TAB")
        caption = _line(named.text)
        label = ""
        if (number := self._number(name)) and not LABEL.match(caption):
            label = f"{'Table' if is_table else 'Figure'} {number}"
            self.added += visible(label)
        parts, unread = read_html(named.table)
        rows = [row for part in parts if isinstance(part, HtmlTable) for row in part.rows]
        text = " ".join([*(part.text for part in parts if isinstance(part, HtmlText)), _line(named.latex)]).strip()
        self.total += visible(caption) + visible(text) + visible(unread) + sum(visible(c) for row in rows for c in row)
        return Float(is_table, name, "", label, caption, "", rows, text)


def _changed(text: str, start: int, stop: int, changes: list[tuple[int, int, str]]) -> str:
    """Return `text[start:stop]` with spans replaced; of spans that overlap, the first."""
    pieces, cursor = [], start
    for begin, end, new in sorted(changes):
        if begin >= cursor and end <= stop:
            pieces += [text[cursor:begin], new]
            cursor = end
    return "".join([*pieces, text[cursor:stop]])


def _formula(span: Span) -> str:
    text = _line(span.latex or span.raw_str or span.text)
    return "" if _TOKEN.fullmatch(text) else text


def _label(number: str) -> str:
    number = _line(number)
    return f"({number})" if number and number.isalnum() else number


def _key(text: str) -> str:
    return "".join(text.split())


def _part_of(section: str) -> Part:
    words = section.casefold()
    if words.startswith(("acknowledg", "funding")):
        return "acknowledgements"
    return "appendix" if words.startswith(("annex", "appendi", "supplement")) else "back"


def _abstract(abstract: tuple[Passage, ...] | str) -> str:
    if isinstance(abstract, str):
        return "\n".join(line for line in map(_line, abstract.splitlines()) if line)
    return "\n".join(line for passage in abstract if (line := _line(passage.text)))


def _name(author: Author) -> str:
    return _line(" ".join((author.first, *author.middle, author.last, author.suffix)))


def _bibliography(entries: Mapping[str, BibEntry]) -> dict[str, str]:
    """Return the keys in the order of the bibliography, each with its number there."""
    matches = {key: _KEY.fullmatch(key) for key in entries}
    ordered = sorted(entries, key=lambda key: int(m[1]) if (m := matches[key]) else len(entries))
    return {key: str(number) for number, key in enumerate(ordered, start=1)}


def _reference_id(key: str) -> str:
    match = _KEY.fullmatch(key)
    return f"b{match[1]}" if match else key


def _entry(key: str, entry: BibEntry) -> Entry:
    """Take the entry as it was printed, else its parts."""
    if raw := _line(entry.raw_text):
        return Entry(_reference_id(key), [("raw", raw)], "")
    pieces = [("author", name) for author in entry.authors if (name := _name(author))]
    pieces += [("date", _line(entry.year)), ("title", _line(entry.title)), ("venue", _line(entry.venue))]
    pieces += [("number", _line(text)) for text in (entry.volume, entry.issue, entry.pages)]
    return Entry(_reference_id(key), [(name, text) for name, text in pieces if text], "")


def _line(text: str) -> str:
    return " ".join(text.split())
