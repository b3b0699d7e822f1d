r"""Which files a LaTeX document is made of, and their text.

In: names and bytes. Out: the names that a text points at, resolved inside one folder; text. Nothing is opened here: a
name that leads out of the folder resolves to None. Must not know where the bytes are.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

Kind = Literal["text", "bibliography", "style", "class", "listing"]

SUFFIXES: dict[Kind, tuple[str, ...]] = {
    "text": (".tex", "", ".ltx"),
    "bibliography": ("", ".bib"),
    "style": (".sty",),
    "class": (".cls",),
    "listing": ("",),
}
"""What is put behind a name, in order of trial: LaTeX tries "x.tex" before "x"."""
_COMMENT = re.compile(r"(?<!\\)((?:\\\\)*)%[^\n]*")
_OPTION = r"(?:\[[^\]]{0,2000}\])?"
_POINTERS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "text",
        re.compile(r"\\(?:input|include|subfile|subfileinclude|@input|InputIfFileExists)\s{0,20}\{([^{}]{1,300})\}"),
    ),
    ("text", re.compile(r"\\input\s{1,20}([^\s{}\\%]{1,300})")),
    (
        "bibliography",
        re.compile(
            rf"\\(?:bibliography|addbibresource|addglobalbib)\s{{0,20}}{_OPTION}\s{{0,20}}\{{([^{{}}]{{1,2000}})\}}"
        ),
    ),
    ("style", re.compile(rf"\\(?:usepackage|RequirePackage)\s{{0,20}}{_OPTION}\s{{0,20}}\{{([^{{}}]{{1,2000}})\}}")),
    ("class", re.compile(rf"\\(?:documentclass|LoadClass)\s{{0,20}}{_OPTION}\s{{0,20}}\{{([^{{}}]{{1,300}})\}}")),
    (
        "listing",
        re.compile(rf"\\(?:lstinputlisting|verbatiminput)\s{{0,20}}{_OPTION}\s{{0,20}}\{{([^{{}}]{{1,300}})\}}"),
    ),
)
_IMPORT = re.compile(
    r"\\(?:sub)?(?:import|includefrom|inputfrom)\*?\s{0,20}\{([^{}]{0,300})\}\s{0,20}\{([^{}]{1,300})\}"
)
_IS_LATEX = re.compile(
    r"^[ \t]*(?:\\[^%\n]{0,200})?\\"  # a text may speak of commands in the middle of a line
    r"(?:document(?:class|style)\b|begin\s{0,20}\{(?:document|abstract)\}|(?:sub)?section\*?\s{0,20}[\[{]|title\s{0,20}[\[{]|maketitle\b)",
    re.MULTILINE,
)
_INPUTENC = re.compile(r"\\usepackage\s{0,20}\[([\w-]{1,20})\]\s{0,20}\{inputenc\}")
_CODECS = {"latin1": "latin-1", "latin9": "iso8859-15", "ansinew": "cp1252", "cp1252": "cp1252", "latin2": "iso8859-2"}
_CODECS |= {"applemac": "mac-roman", "cp1250": "cp1250", "cp1251": "cp1251", "koi8-r": "koi8-r"}
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\ue000-\uf8ff]")
"""Control and private characters: they print nothing, and the reader uses some of them as marks."""


class Pointer(NamedTuple):
    """A file that a text points at, as it names it."""

    kind: Kind
    folder: str
    """For \\import: the folder that the imported text's own names are relative to."""
    name: str


def is_latex(data: bytes) -> bool:
    """Tell whether `data` is text with a LaTeX document's commands in it, outside comments."""
    if b"\x00" in data[:4096] or data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(
        (b"%PDF-", b"<", b'{"', b"{\n", b"[")
    ):
        return False
    return bool(_IS_LATEX.search(data.decode("latin-1")))


def decode(data: bytes) -> str:
    r"""Return the text of a LaTeX file: UTF-8, or what \inputenc says, or Latin-1, which reads anything."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
            declared = _INPUTENC.search(text)
            if declared and declared[1] in _CODECS:
                text = data.decode(_CODECS[declared[1]], "replace")
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    return _UNPRINTABLE.sub("", text)


def without_comments(text: str) -> str:
    """Return `text` without comments, as far as a search needs it (verbatim text loses its own % too)."""
    return _COMMENT.sub(r"\1", text)


def pointers(text: str) -> Iterator[Pointer]:
    """Yield the files that `text` points at, outside comments; a name that a macro makes up is not found."""
    text = without_comments(text)
    for kind, pattern in _POINTERS:
        for match in pattern.finditer(text):
            many = kind in ("bibliography", "style")
            for name in match[1].split(",") if many else [match[1]]:
                if name.strip():
                    yield Pointer(kind, "", name.strip())
    for match in _IMPORT.finditer(text):
        yield Pointer("text", match[1].strip(), match[2].strip())


def candidates(pointer: Pointer, folders: tuple[str, ...]) -> list[str]:
    """Return the names that the file may have, best first; [] when it lies outside of the given folder.

    `folders`: where LaTeX would look, e.g. the folder of the main file, as names inside what was given ("" is its top).
    """
    names: list[str] = []
    for folder in folders:
        inside = within(folder, pointer.folder, pointer.name.strip('"'))
        if inside is not None:
            names += [inside + suffix for suffix in SUFFIXES[pointer.kind]]
    return list(dict.fromkeys(names))


def within(*parts: str) -> str | None:
    """Join parts of a name; None when the result is absolute or leaves the folder that the first part is in."""
    if any(part.startswith(("/", "\\", "~", "|")) or "\x00" in part or re.match(r"[A-Za-z]:", part) for part in parts):
        return None
    joined = posixpath.normpath(posixpath.join(*parts))
    return None if joined == ".." or joined.startswith("../") else joined
