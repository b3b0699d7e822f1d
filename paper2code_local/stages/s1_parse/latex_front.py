r"""Authors' names, told from the affiliations, addresses and marks that stand with them in \author.

In: what \author prints: lines, and `NEXT_AUTHOR` for \and. Out: names. Must not know tokens.
"""

from __future__ import annotations

import re

from paper2code_local.stages.s1_parse.latex_document import without_marks

_MARKS = re.compile(r"\$[^$]*\$|[\u2070-\u209f¹²³*∗†‡§¶⋆♠♣]|\^\S+|\[\d+\]|\(\s*\)")
_AFFILIATION = re.compile(
    r"universit|institut|department|dept|laborator|school|college|research|google|deepmind|microsoft|facebook|openai|"
    r"faculty|cent(?:er|re)\b|academy|hospital|\binc\b|\bltd\b|corporation|\bgroup\b|\bteam\b|@|https?:|\d{3}|"
    r"\blabs?\b|science|technolog",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:[,;&]|\band\b)\s*")
_SUFFIXES = frozenset({"jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "ph.d."})
NEXT_AUTHOR = "\ue002"
MAX_NAME = 60


def names_of(text: str) -> list[str]:
    """Return the names in what one author command prints, in order."""
    found: list[str] = []
    for author in text.split(NEXT_AUTHOR):
        for line in (line.strip() for line in author.split("\n")):
            if not line:
                continue
            if _is_affiliation(line):
                break
            found += _names_in(line)
    return found


def _is_affiliation(line: str) -> bool:
    """Affiliations begin with the mark that the names end with, or say what they are."""
    bare = without_marks(line)
    return bool(_AFFILIATION.search(bare) or re.match(r"\d|\$\s*\^|[\u2070-\u209f¹²³]", bare))


def _names_in(line: str) -> list[str]:
    names: list[str] = []
    for piece in _BETWEEN.split(_MARKS.sub(" ", without_marks(line))):
        name = " ".join(piece.split()).strip(" .")
        if name.casefold() in _SUFFIXES and names:
            names[-1] += f" {name}"
        elif 1 < len(name) <= MAX_NAME and any(c.isupper() for c in name) and not any(c.isdigit() for c in name):
            names.append(name)
    return names
