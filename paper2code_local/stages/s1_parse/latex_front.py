r"""Front matter: title, authors, abstract, keywords.

In: the reader at such a command or environment, of the usual classes and styles. Out: those parts of the `Document`.
Authors' names are told from the affiliations, addresses and marks that stand with them. Must not know sections.
"""

from __future__ import annotations

import re

from paper2code_local.stages.s1_parse.latex_document import without_marks
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader

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
        lines = [line.strip() for line in author.split("\n") if line.strip()]
        for index, line in enumerate(lines):
            names = _names_in(line)
            if _is_affiliation(line):
                break
            found += names
            if not index and len(names) == 1 and not line.endswith(","):
                break  # one author, whose affiliation follows
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


def _title(reader: Reader, token: str) -> None:
    reader.mouth.option()
    text, _ = reader.text(reader.mouth.argument())
    if not reader.document.title:
        reader.document.title = text


def _author(reader: Reader, token: str) -> None:
    reader.mouth.option()
    outer, reader.in_author = reader.in_author, True
    text, _ = reader.text(reader.mouth.argument(), with_lines=True)
    reader.in_author = outer
    reader.document.authors += [name for name in names_of(text) if name not in reader.document.authors]


def _new_author(reader: Reader, token: str) -> None:
    reader.sink.pieces.append(NEXT_AUTHOR if reader.in_author else " ")
    reader.mouth.option()


def _icml_author(reader: Reader, token: str) -> None:
    _author(reader, token)
    reader.mouth.argument()


def _left_out(reader: Reader, token: str) -> None:
    """Affiliations, e-mail addresses, dates: read and counted, but no part of a paper holds them."""
    reader.mouth.option()
    reader.text(reader.mouth.argument())


def _two_column(reader: Reader, token: str) -> None:
    r"""\twocolumn[title and authors]."""
    reader.mouth.push(reader.mouth.option(of_paragraphs=True) or [])


def _keywords(reader: Reader, name: str) -> None:
    reader.paragraph()
    reader.put("Keywords: ", ligatures=False)
    if not name.startswith("\\"):
        reader.open_frame(name, reader.paragraph)


def _abstract(reader: Reader, name: str) -> None:
    reader.paragraph()
    outer, body = reader.blocks, reader.in_body
    reader.blocks, reader.in_body = reader.document.abstract, True

    def end() -> None:
        reader.paragraph()
        reader.blocks, reader.in_body = outer, body

    reader.open_frame(name, end)


def _abstract_of(reader: Reader, token: str) -> None:
    content = reader.mouth.argument()
    if len(content) > 1:
        reader.mouth.push(["\\begin", "{", "abstract", "}", *content, "\\end", "{", "abstract", "}"])


def _two_left_out(reader: Reader, token: str) -> None:
    _left_out(reader, token)
    _left_out(reader, token)


_LEFT_OUT = (
    "affiliation",
    "affil",
    "affiliations",
    "institute",
    "address",
    "email",
    "IEEEauthorblockA",
    "date",
    "subtitle",
)
COMMANDS: dict[str, Handler] = {
    **{f"\\{name}": _title for name in ("title", "icmltitle")},
    **{f"\\{name}": _author for name in ("author", "name", "IEEEauthorblockN")},
    **{f"\\{name}": _new_author for name in ("and", "And", "AND")},
    "\\icmlauthor": _icml_author,
    **{f"\\{name}": _left_out for name in (*_LEFT_OUT, "IEEEmembership")},
    **{f"\\{name}": _two_left_out for name in ("icmlaffiliation", "icmlcorrespondingauthor")},
    "\\abstract": _abstract_of,
    "\\twocolumn": _two_column,
    **{f"\\{name}": _keywords for name in ("keywords", "icmlkeywords")},
}
ENVIRONMENTS: dict[str, Handler] = {
    "abstract": _abstract,
    **dict.fromkeys(("keywords", "keyword", "IEEEkeywords"), _keywords),
}
