r"""The bibliography: thebibliography, a .bbl file, or the entries of .bib files that are cited.

In: the reader at the bibliography; for .bib, at the end of the document, when it is known what is cited. Out: entries
in the order in which they are numbered. Must not know how a citation prints.

A .bbl is what the author's BibTeX printed, so it is preferred to a .bib.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping

from bibtexparser.entrypoint import parse_string

from paper2code_local.stages.s1_parse.latex_document import Entry
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader, Sink
from paper2code_local.stages.s1_parse.latex_tokens import lex

_LABEL = re.compile(r"(?P<authors>.*?)\s*\((?P<year>\d{4}[a-z]?|[^()]{0,20})\)", re.DOTALL)
_FIELD = re.compile(r"\\field\{(title|journaltitle|booktitle|year|volume|publisher|eprint|institution)\}\{")
_CONCATENATION = re.compile(r"\s*(?:[A-Za-z][\w-]*|\"[^\"]*|\{[^{}]*\})\s*#")
_FAMILY = re.compile(r"\bfamily=\{+([^{}]*)\}+")
_GIVEN = re.compile(r"\bgiven=\{+([^{}]*)\}+")
_VENUES = ("journal", "journaltitle", "booktitle", "howpublished", "publisher", "school", "institution", "note")
OTHERS = "others"
"""How BibTeX spells et al."""
MAX_ENTRIES = 20_000


def _environment(reader: Reader, name: str) -> None:
    reader.paragraph()
    reader.mouth.argument()
    outer = reader.sink
    reader.sink, reader.in_entry = Sink(), None
    reader.inline += 1

    def end() -> None:
        _close_entry(reader)
        reader.inline -= 1
        reader.sink = outer

    reader.open_frame(name, end)


def _item(reader: Reader, token: str) -> None:
    _close_entry(reader)
    option = reader.mouth.option()
    label = reader.unprinted(option) if option else ""
    match = _LABEL.match(label)
    reader.in_entry = Entry(reader.mouth.word(), match["authors"] if match else "", match["year"] if match else "", "")


def _close_entry(reader: Reader) -> None:
    entry, reader.in_entry = reader.in_entry, None
    if entry is not None:
        entry.text = reader.sink.text()
        reader.document.entries.append(entry)
        reader.sink = Sink()


def _bibliography(reader: Reader, token: str) -> None:
    reader.mouth.option()
    names = reader.mouth.word() if token != "\\printbibliography" else ""
    if token == "\\addbibresource":
        reader.bibliographies.append(names)
        return
    reader.bibliographies += [name.strip() for name in names.split(",") if name.strip()]
    printed = reader.mouth.printed_bibliography()
    if "\\bibitem" in printed:
        reader.bibliographies.clear()
        reader.mouth.push_text(printed)


def _block(reader: Reader, token: str) -> None:
    reader.put(" ", ligatures=False)


def add_cited(reader: Reader) -> None:
    """Add the entries of the .bib files (or of biblatex's .bbl) that the document cites, in the order of citation."""
    if reader.document.entries or not reader.bibliographies:
        return
    cited = dict.fromkeys(key for mark in reader.document.marks if mark.is_citation for key in mark.keys)
    known: dict[str, dict[str, str]] = {}
    for name in reader.bibliographies:
        known = _bib(reader.mouth.text_of("bibliography", name)) | known
    known = known or dict(_biblatex(reader.mouth.printed_bibliography()))
    wanted = list(known) if "*" in cited else [key for key in cited if key in known]
    reader.finished = False
    for key in wanted[:MAX_ENTRIES]:
        reader.document.entries.append(_entry(reader, key, known[key]))


def _bib(text: str) -> dict[str, dict[str, str]]:
    """Return the entries of a .bib file: key → field → text. What cannot be understood is left out by the parser."""
    logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)  # it would write about each to stderr
    library = parse_string(text)
    words = {string.key.lower(): str(string.value) for string in library.strings}
    return {
        entry.key: {field.key.lower(): _concatenated(str(field.value), words) for field in entry.fields}
        for entry in library.entries
    }


def _concatenated(value: str, words: Mapping[str, str]) -> str:
    """Carry out conf # { 2002}, which the parser leaves as it is."""
    if not _CONCATENATION.match(value):
        return value
    parts = (part.strip() for part in value.split("#"))
    return "".join(words.get(part.lower(), part.strip('{}"')) for part in parts)


def _biblatex(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    r"""Yield the entries of biblatex's .bbl: \entry{key}{type}{} … \endentry."""
    for block in text.split("\\entry{")[1:]:
        block = block.partition("\\endentry")[0]
        fields = {match[1]: block[match.end() : _closing(block, match.end())] for match in _FIELD.finditer(block)}
        people = block.partition("\\name{author}")[2].partition("\\strng{")[0]
        names = zip(_FAMILY.findall(people), [*_GIVEN.findall(people), *[""] * 1000], strict=False)
        fields["author"] = " and ".join(f"{family}, {given}".strip(", ") for family, given in names)
        yield block.partition("}")[0], fields


def _closing(text: str, start: int) -> int:
    depth = 1
    for position in range(start, min(len(text), start + 4000)):
        depth += (text[position] == "{") - (text[position] == "}")
        if not depth:
            return position
    return start


def _entry(reader: Reader, key: str, fields: dict[str, str]) -> Entry:
    people = _people(fields.get("author") or fields.get("editor", ""))
    names = ", ".join(f"{given} {family}".strip() for family, given in people).replace(f", {OTHERS}", " et al.")
    year = fields.get("year") or fields.get("date", "")[:4]
    venue = ", ".join(value for name in _VENUES if (value := fields.get(name, "").strip()))
    if fields.get("eprint", "").strip():
        venue = f"{venue}, {'arXiv:' if fields['eprint'][:1].isdigit() else ''}{fields['eprint']}".strip(", ")
    parts = (names, fields.get("title", ""), ", ".join(part for part in (venue, year) if part))
    source = ". ".join(part.strip().rstrip(".") for part in parts if part.strip())
    reader.inline += 1
    text = reader.text(list(lex(source)))[0]
    reader.inline -= 1
    families = [reader.unprinted(list(lex(family))) for family, _ in people[:3]]
    return Entry(key, _short(families), year, f"{text}." if text else "")


def _people(text: str) -> list[tuple[str, str]]:
    """Return (family, given) of "A, B and C D and {Some Team}"."""
    people = []
    for name in re.split(r"\s+and\s+", text.strip()):
        family, comma, given = name.partition(",")
        if not comma and " " in name and not name.startswith("{"):
            given, _, family = name.rpartition(" ")
        if family.strip():
            people.append((family.strip(), given.strip()))
    return people


def _short(families: list[str]) -> str:
    if len(families) > 2 or OTHERS in families:
        return f"{families[0]} et al."
    return " and ".join(families)


COMMANDS: dict[str, Handler] = {
    "\\bibitem": _item,
    **dict.fromkeys(("\\bibliography", "\\printbibliography", "\\addbibresource", "\\addglobalbib"), _bibliography),
    "\\newblock": _block,
}
ENVIRONMENTS: dict[str, Handler] = {"thebibliography": _environment}
