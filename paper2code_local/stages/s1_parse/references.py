"""Entries of the bibliography as one line each, with ids that are ours to trust.

In: what was found of each entry. Out: references, and which of the document's ids mean which of them.
Must not know any format.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count

from paper2code_local.artifacts.paper import Reference, visible
from paper2code_local.stages.s1_parse.found import Entry

_GROBID_ID = re.compile(r"b\d{1,6}")


def references_of(entries: Sequence[Entry]) -> tuple[tuple[Reference, ...], dict[str, str]]:
    """Number the entries and write each as "Authors. Year. Title. Venue. …", with every text that it holds.

    The first entry with a well-formed id of GROBID's keeps it; the others get the next free "b<n>".
    Also returns the document's ids, each with the reference it stands for.
    """
    ids: dict[int, str] = {}
    meaning: dict[str, str] = {}
    for index, entry in enumerate(entries):
        if _GROBID_ID.fullmatch(entry.xml_id) and entry.xml_id not in meaning:
            ids[index] = meaning[entry.xml_id] = entry.xml_id
    taken = frozenset(meaning)
    free = (name for n in count() if (name := f"b{n}") not in taken)
    for index, entry in enumerate(entries):
        if index not in ids:
            ids[index] = next(free)
            meaning.setdefault(entry.xml_id, ids[index])
    meaning.pop("", None)
    return tuple(Reference(id=ids[i], text=_line(entry)) for i, entry in enumerate(entries)), meaning


def kept_chars(entry: Entry) -> int:
    """Count what of the source stands in an entry's line: all of it, and none of the punctuation that we add."""
    return sum(visible(text) for _, text in entry.pieces)


def _line(entry: Entry) -> str:
    authors = ", ".join(text for name, text in entry.pieces if name == "author")
    dates = [text for name, text in entry.pieces if name == "date"] or [entry.year]
    titles = [text for name, text in entry.pieces if name == "title"]
    rest = [text for name, text in entry.pieces if name not in ("author", "date", "title")]
    pieces = [piece for piece in (authors, *dates, *titles, *rest) if piece]
    ended = [piece if piece[-1] in ".?!" else f"{piece}." for piece in pieces[:-1]]
    return " ".join([*ended, *pieces[-1:]])
