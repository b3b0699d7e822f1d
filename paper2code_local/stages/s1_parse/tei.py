"""TEI, as GROBID 0.5 to 0.9 writes it, to `Paper`.

In: the bytes of a TEI document, which may be hostile. Out: a `Paper` in which every character inside the document's
`text` element is either kept or counted as dropped. Must not know where the bytes come from.

    bytes ─► tei_document ─► tree ─┬─► tei_header ─► title, authors, abstract ─────────────────────────┬─► Paper
                                   └─► tei_walk ─► floats, references, headings ─► sections ───────────┘
"""

from __future__ import annotations

from lxml import etree

from paper2code_local.artifacts.paper import Footnote, Paper, ParserName, visible
from paper2code_local.errors import InputError
from paper2code_local.stages.s1_parse.floats import place_floats
from paper2code_local.stages.s1_parse.found import Walked
from paper2code_local.stages.s1_parse.references import kept_chars, references_of
from paper2code_local.stages.s1_parse.sections import sections_of
from paper2code_local.stages.s1_parse.tei_document import tei_root
from paper2code_local.stages.s1_parse.tei_header import abstract_of, authors_of, title_of
from paper2code_local.stages.s1_parse.tei_walk import walk


def paper_of_tei(data: bytes, parser: ParserName = "tei") -> Paper:
    """Read a TEI document; `parser` says which route it came by.

    Time and memory grow in proportion to `data`. What is dropped is repetition: a float's number that stands in two or
    three places, the punctuation after a label or a section's number.
    Raises InputError: `too_large`, `empty`, `doctype`, `malformed_xml`, `not_tei`.
    """
    root = tei_root(data)
    header, text = _child(root, "teiHeader"), _child(root, "text")
    abstract = abstract_of(header)
    total = 0 if text is None else sum(visible(str(piece)) for piece in text.itertext())
    if not total and not abstract:
        hint = "Look whether the PDF is a scan without text (then run OCR on it first), and make the TEI again."
        raise InputError("empty", "The TEI document has neither an abstract nor any text.", hint)
    walked = Walked() if text is None else walk(text)
    placed = place_floats(walked)
    references, meaning = references_of(walked.entries)
    sections = sections_of(placed, meaning)
    footnotes = tuple(Footnote(mark=note.mark, text=note.text) for note in walked.notes)
    chars = (
        sum(section.chars for section in sections)
        + sum(visible(section.number) for section, source in zip(sections, placed, strict=True) if not source.n)
        + sum(kept_chars(entry) for entry in walked.entries)
        + sum(visible(note.text) for note in footnotes)
    )
    title = title_of(header)
    found = {"title": title, "abstract": abstract, "sections": sections, "references": references}
    return Paper(
        title=title,
        authors=authors_of(header),
        abstract=abstract,
        sections=sections,
        references=references,
        footnotes=footnotes,
        chars=chars,
        dropped_chars=total - chars,
        parser=parser,
        warnings=tuple(f"No {what} found in the TEI." for what, value in found.items() if not value),
    )


def _child(root: etree._Element, name: str) -> etree._Element | None:
    return next(root.iterchildren(f"{{*}}{name}"), None)
