"""One pass over the `text` element of a TEI document that puts every character of it somewhere.

In: the element. Out: a `Walked`: sections with their prose, equations and floats in document order, bibliography
entries, footnotes; strings have their white space collapsed and are otherwise as in the source. Must not know what
a heading's number is, where a float belongs or how an entry reads: `headings`, `floats` and `references`.

Formulas, figures, bibliography entries and footnotes ("atoms") stand anywhere, one inside the other too. Each is taken
out of the text around it, so that every one of them is an item of its own. The pass follows start and end events
instead of recursing: a deep document costs no stack.
"""

from __future__ import annotations

from collections.abc import Iterable

from lxml import etree

from paper2code_local.stages.s1_parse.found import (
    Entry,
    Equation,
    Float,
    Item,
    Loose,
    Note,
    OpenSection,
    Part,
    Prose,
    Walked,
)

_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_INLINE = frozenset({"ref", "hi", "emph", "rs", "seg", "term", "abbr"})
"""Elements inside a word or between two that already have a space; at any other boundary we put one."""
_BLOCKS = frozenset(
    {"text", "front", "body", "back", "group", "div", "p", "ab", "head", "list", "item", "note", "quote", "lg", "l"}
    | {"table", "row", "bibl", "listBibl", "biblStruct", "listOrg", "org"}
)
"""Elements that end the paragraph before them and begin another."""
_CONTAINERS = frozenset({"text", "front", "body", "back", "group"})
_SLOTS: dict[str, frozenset[str]] = {
    "formula": frozenset({"label"}),
    "figure": frozenset({"head", "label", "figDesc", "note", "cell"}),
    "biblStruct": frozenset({"author", "editor", "title", "date", "publisher", "biblScope", "idno", "meeting", "note"}),
    "note": frozenset(),
    "head": frozenset(),
}
"""The atoms, and which elements inside them are kept apart from the rest of their text."""


def local_name(element: etree._Element) -> str:
    """Return the element's name without its namespace, which some dialects leave out."""
    return str(element.tag).rpartition("}")[2]


def collapse(pieces: Iterable[str]) -> str:
    """Join pieces of text and make each run of white space one space."""
    return " ".join("".join(pieces).split())


def walk(root: etree._Element) -> Walked:
    """Sort the content of `root`; linear in its size. Comments and processing instructions must be gone already."""
    walker = _Walker()
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            walker.start(element)
            walker.text(element.text)
        else:
            walker.end(element)
            if element is not root:
                walker.text(element.tail)
    walker.flush()
    return walker.walked


class _Atom:
    """An atom that is still open: its pieces so far, and the atoms that were found inside it."""

    def __init__(self, element: etree._Element, kind: str, depth: int) -> None:
        self.element, self.kind, self.depth = element, kind, depth
        self.rest: list[str] = []
        self.pieces: list[tuple[str, list[str]]] = []
        self.sinks: list[list[str]] = [self.rest]
        self.years: list[str] = []
        self.inside: list[Item] = []

    def enter(self, element: etree._Element, name: str) -> None:
        """Direct the text of `element`: to a piece of its own, or with the text around it."""
        sink = self.sinks[-1]
        if sink is self.rest:
            if name == "row":
                self.pieces.append((name, []))
            elif name in _SLOTS[self.kind]:
                sink = []
                self.pieces.append((name, sink))
        if name == "date":
            self.years.append(str(element.get("when", ""))[:4])
        self.sinks.append(sink)

    def leave(self) -> None:
        self.sinks.pop()

    def piece(self, *names: str) -> str:
        return " ".join(t for name, piece in self.pieces if name in names and (t := collapse(piece)))

    def rows(self) -> list[list[str]]:
        """Return the cells by row; a cell outside any row begins one."""
        rows: list[list[str]] = []
        for name, piece in self.pieces:
            if name == "row" or (name == "cell" and not rows):
                rows.append([])
            if name == "cell":
                rows[-1].append(collapse(piece))
        return rows

    def equation(self) -> Equation:
        return Equation(label=self.piece("label"), text=collapse(self.rest))

    def float(self) -> Float:
        is_table = self.element.get("type") == "table"
        cells = "" if is_table else self.piece("cell")
        return Float(
            is_table=is_table,
            xml_id=str(self.element.get(_XML_ID, "")),
            head=self.piece("head"),
            label=self.piece("label"),
            caption=self.piece("figDesc"),
            note=self.piece("note"),
            rows=self.rows() if is_table else [],
            text=collapse([*self.rest, " ", cells]),
        )

    def entry(self) -> Entry:
        pieces = [(name, collapse(piece)) for name, piece in [*self.pieces, ("rest", self.rest)]]
        year = next((y for y in self.years if len(y) == 4 and y.isdecimal()), "")
        return Entry(xml_id=str(self.element.get(_XML_ID, "")), pieces=[p for p in pieces if p[1]], year=year)

    def note(self) -> Note:
        return Note(mark=_short(self.element.get("n")), text=collapse(self.rest))


class _Walker:
    """The state of the pass: the paragraph being read, the open atoms, and where in the document we are."""

    def __init__(self) -> None:
        self.walked = Walked()
        self.depth = 0
        self.atoms: list[_Atom] = []
        self.bibliographies = 0
        self.parts: list[tuple[int, Part]] = [(0, "body")]
        self.headed: list[int] = []
        """Depths of the open elements that have had a heading."""
        self.prose = Prose("", [], [])
        self.prose_text: list[str] = []

    def text(self, text: str | None) -> None:
        if text:
            (self.atoms[-1].sinks[-1] if self.atoms else self.prose_text).append(text)

    def start(self, element: etree._Element) -> None:
        self.depth += 1
        name = local_name(element)
        kind = self._atom_kind(element, name)
        self._boundary(name, kind)
        if name == "listBibl":
            self.bibliographies += 1
        if kind:
            self.atoms.append(_Atom(element, kind, self.depth))
        elif self.atoms:
            self.atoms[-1].enter(element, name)
        elif part := _part_of(element, name):
            self.parts.append((self.depth, part))
        elif name == "ref":
            self._point(element)

    def end(self, element: etree._Element) -> None:
        name = local_name(element)
        if self.atoms and self.atoms[-1].depth == self.depth:
            atom = self.atoms.pop()
            self._close(atom)
            self._boundary(name, atom.kind)
        else:
            if self.atoms:
                self.atoms[-1].leave()
            self._boundary(name, "")
        if name == "listBibl":
            self.bibliographies -= 1
        if self.parts[-1][0] == self.depth:
            self.parts.pop()
        if self.headed and self.headed[-1] == self.depth:
            self.headed.pop()
        self.depth -= 1

    def flush(self) -> None:
        """End the paragraph being read."""
        self.prose.text = collapse(self.prose_text)
        if self.prose.text:
            self._section().items.append(self.prose)
        self.prose, self.prose_text = Prose("", [], []), []

    def _atom_kind(self, element: etree._Element, name: str) -> str:
        """Return the key of `_SLOTS` that `element` opens, "" for none."""
        match name:
            case "formula" | "figure":
                return name
            case "biblStruct" if self.bibliographies:
                return name
            case "note" if element.get("place") == "foot":
                return name
            case "head" if not self.atoms and (up := element.getparent()) is not None:
                return name if local_name(up) in _CONTAINERS or local_name(up) == "div" else ""
        return ""

    def _boundary(self, name: str, kind: str) -> None:
        """Part what stands before a tag from what comes after it. A float or a footnote does not break a sentence."""
        if not self.atoms and (kind in ("formula", "head", "biblStruct") or (not kind and name in _BLOCKS)):
            self.flush()
        elif name not in _INLINE:
            self.text(" ")

    def _point(self, ref: etree._Element) -> None:
        targets = [t[1:] for t in str(ref.get("target", "")).split() if t.startswith("#")]
        (self.prose.cites if ref.get("type") == "bibr" else self.prose.mentions).extend(targets)

    def _section(self) -> OpenSection:
        """Return the section that text belongs to here: a new one when none is open in this part of the document."""
        sections, part = self.walked.sections, self.parts[-1][1]
        if not sections or sections[-1].part != part:
            sections.append(OpenSection(part, max(1, len(self.headed))))
        return sections[-1]

    def _begin_section(self, n: str, heading: str) -> None:
        above = self.depth - 1
        if not self.headed or self.headed[-1] != above:
            self.headed.append(above)
        self.walked.sections.append(OpenSection(self.parts[-1][1], len(self.headed), n, heading))

    def _close(self, atom: _Atom) -> None:
        items: list[Item] = []
        match atom.kind:
            case "formula":
                items.append(atom.equation())
            case "figure":
                items.append(atom.float())
            case "biblStruct":
                self.walked.entries.append(atom.entry())
            case "note":
                self.walked.notes.append(atom.note())
            case "head":
                if heading := collapse(atom.rest):
                    self._begin_section(_short(atom.element.get("n")), heading)
        items += atom.inside
        if self.atoms:
            self.atoms[-1].inside += items
        elif atom.kind == "figure" and _is_loose(atom.element):
            self.walked.loose.append(Loose(len(self.walked.sections), items))
        elif items:
            self._section().items.extend(items)


def _is_loose(figure: etree._Element) -> bool:
    up = figure.getparent()
    return up is not None and local_name(up) in _CONTAINERS


def _part_of(element: etree._Element, name: str) -> Part | None:
    kind = str(element.get("type", "")).lower()
    if name == "back":
        return "back"
    if name == "div" and kind.startswith("acknowledg"):
        return "acknowledgements"
    if name == "div" and kind in ("annex", "appendix"):
        return "appendix"
    return None


def _short(attribute: str | None) -> str:
    """Return a number or mark without white space; "" for an attribute too long to be one."""
    text = "".join((attribute or "").split())
    return text if len(text) <= 20 else ""
