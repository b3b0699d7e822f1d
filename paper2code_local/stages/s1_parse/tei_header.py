"""Title, authors and abstract from the header of a TEI document.

In: the `teiHeader` element. Out: strings with their white space collapsed, "" or () where there is nothing.
Must not know the rest of the document.
"""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from paper2code_local.stages.s1_parse.found import Equation, Prose
from paper2code_local.stages.s1_parse.tei_walk import local_name, walk


def title_of(header: etree._Element | None) -> str:
    """Return the paper's title: of the file, else of the article, else any that names no journal or series.

    Among those of one place, the one marked `main` comes first.
    """
    places = ["titleStmt", "analytic"]
    candidates: list[tuple[int, bool, str]] = []
    for title in _all(header, "title"):
        text = _text(title)
        place = _parent_name(title)
        if text and title.get("level") not in ("j", "s"):
            rank = places.index(place) if place in places else len(places)
            candidates.append((rank, title.get("type") != "main", text))
    return min(candidates, key=lambda c: c[:2])[2] if candidates else ""


def authors_of(header: etree._Element | None) -> tuple[str, ...]:
    """Return the authors' names, forenames first, in order; authors without a name are left out."""
    authors = list(_all(header, "author"))
    of_article = [a for a in authors if _parent_name(a) == "analytic"]
    persons = (next(_all(author, "persName"), None) for author in of_article or authors)
    return tuple(name for person in persons if person is not None and (name := _text(person, between=" ")))


def abstract_of(header: etree._Element | None) -> str:
    """Return the abstract, one line for each paragraph, heading or formula."""
    lines: list[str] = []
    for abstract in _all(header, "abstract"):
        for section in walk(abstract).sections:
            lines += [section.heading] if section.heading else []
            for item in section.items:
                match item:
                    case Prose():
                        lines.append(item.text)
                    case Equation():
                        lines.append(f"{item.text} {item.label}".strip())
    return "\n".join(lines)


def _all(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Find the elements called `name`, not looking inside those found: a hostile nest costs one pass, not one each."""
    if element is None:
        return
    found = etree.iterwalk(element, events=("start",), tag=f"{{*}}{name}")
    for _, match in found:
        found.skip_subtree()
        yield match


def _parent_name(element: etree._Element) -> str:
    up = element.getparent()
    return "" if up is None else local_name(up)


def _text(element: etree._Element, between: str = "") -> str:
    return " ".join(between.join(str(t) for t in element.itertext()).split())
