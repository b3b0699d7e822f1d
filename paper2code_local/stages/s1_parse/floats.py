"""Labels of floats, and the section that each one belongs to.

In: what was found in a document. Out: tables and figures with label and caption told apart; loose floats in their
sections. Must not know any format.
"""

from __future__ import annotations

import re
from typing import Literal

from paper2code_local.artifacts.paper import Figure, Table
from paper2code_local.stages.s1_parse.found import Float, OpenSection, Prose, Walked

_WORD = r"(?P<word>Fig(?:ure|s|ures)?|Tab(?:le|les)?|Alg(?:orithm)?|Scheme|Listing|Box)"
_NUMBER = r"(?P<number>(?:[A-Z]\.?)?\d{1,3}(?:\.\d{1,3})?[a-z]?|[IVX]{1,5})(?!\w)"
_MENTION = re.compile(rf"\b{_WORD}\.?\s*{_NUMBER}", re.IGNORECASE)
LABEL = re.compile(rf"(?P<label>{_WORD}\.?\s*{_NUMBER})\s*[.:|]*\s*", re.IGNORECASE)

Key = tuple[str, str]
""" ("tab", "2"): how the first three letters and the number of "Table 2" are looked up."""


def float_of(raw: Float) -> Table | Figure:
    """Tell label and caption apart; the id is still "".

    GROBID prints "Figure 1" up to three times (`head`, `label`, opening of `figDesc`): it is kept once.
    """
    head, label, caption = raw.head, raw.label, raw.caption
    match = _label_match(raw)
    digits = "".join(c for c in head if c.isdecimal())  # "45" where two floats became one, "Figure 4 :Figure 5 :"
    if label and head and label == digits:
        label = ""
    if match:
        label = match["label"] if label in ("", match["number"]) else f"{match['label']} {label}"
        if head:
            head = head[match.end() :]
            again = LABEL.match(caption)
            caption = caption[again.end() :] if again and _key(again) == _key(match) else caption
        else:
            caption = caption[match.end() :]
    caption = f"{head} {caption}".strip()
    if raw.is_table:
        note = f"{raw.note} {raw.text}".strip()
        return Table(id="", label=label, caption=caption, rows=tuple(map(tuple, raw.rows)), note=note)
    kind: Literal["figure", "algorithm"] = "algorithm" if label.casefold().startswith("alg") else "figure"
    return Figure(kind=kind, id="", label=label, caption=caption, text=f"{raw.text} {raw.note}".strip())


def place_floats(walked: Walked) -> list[OpenSection]:
    """Move the loose floats into the section that refers to them first, else the one before them, at its end."""
    sections = walked.sections
    if walked.loose and not sections:
        sections.append(OpenSection("body", 1))
    by_id, by_key = _first_mentions(sections)
    for loose in walked.loose:
        raw = loose.items[0]
        assert isinstance(raw, Float), "a loose group begins with its float"
        home = by_id.get(raw.xml_id, by_key.get(_key_of(raw), max(0, loose.after - 1)))
        sections[home].items.extend(loose.items)
    return sections


def _first_mentions(sections: list[OpenSection]) -> tuple[dict[str, int], dict[Key, int]]:
    """Map what the text points at or names to the index of the section that does so first."""
    by_id: dict[str, int] = {}
    by_key: dict[Key, int] = {}
    for index, section in enumerate(sections):
        for prose in (item for item in section.items if isinstance(item, Prose)):
            for target in prose.mentions:
                by_id.setdefault(target, index)
            for match in _MENTION.finditer(prose.text):
                by_key.setdefault(_key(match), index)
    return by_id, by_key


def _label_match(raw: Float) -> re.Match[str] | None:
    return LABEL.match(raw.head or raw.caption)


def _key(match: re.Match[str]) -> Key:
    return match["word"][:3].casefold(), match["number"].casefold()


def _key_of(raw: Float) -> Key:
    if match := _label_match(raw):
        return _key(match)
    return "tab" if raw.is_table else "fig", raw.label.strip(" .:").casefold()
