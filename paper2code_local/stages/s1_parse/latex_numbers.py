r"""The numbers that LaTeX prints, and what labels point at.

In: counters stepped and labels set in the order of the document. Out: printed numbers ("3.1", "A", "(2)"), and for each
label what \ref and \cref print. Must not know tokens of the text or where numbers are shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_PARENTS = {
    "subsection": "section",
    "subsubsection": "subsection",
    "paragraph": "subsubsection",
    "subparagraph": "paragraph",
    "subfigure": "figure",
    "subtable": "table",
}
_BOOK = {"section": "chapter", "equation": "chapter", "figure": "chapter", "table": "chapter"}
_THE = {
    "part": r"\Roman{part}",
    "subsection": r"\thesection.\arabic{subsection}",
    "subsubsection": r"\thesubsection.\arabic{subsubsection}",
    "paragraph": r"\thesubsubsection.\arabic{paragraph}",
    "subparagraph": r"\theparagraph.\arabic{subparagraph}",
    "subfigure": r"\thefigure\alph{subfigure}",
    "subtable": r"\thetable\alph{subtable}",
}
_IEEE = {
    "section": r"\Roman{section}",
    "subsection": r"\thesection-\Alph{subsection}",
    "subsubsection": r"\thesubsection\arabic{subsubsection}",
    "table": r"\Roman{table}",
}
_NAMES = {
    "part": "Part",
    "chapter": "Chapter",
    **dict.fromkeys(LEVELS[2:], "Section"),
    "equation": "Equation",
    **dict.fromkeys(("figure", "subfigure"), "Figure"),
    **dict.fromkeys(("table", "subtable"), "Table"),
    "algorithm": "Algorithm",
    "listing": "Listing",
    "footnote": "Footnote",
    "item": "Item",
    "line": "Line",
}
_COUNTER = re.compile(r"\\@?(arabic|alph|Alph|roman|Roman|fnsymbol)\s*(?:\{\s*([\w*]+)\s*\}|\\c@(\w+))")
_OTHER = re.compile(r"\\the([A-Za-z]+)")
_ROMAN = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))
MAX_COUNT = 100_000


@dataclass(frozen=True)
class Target:
    """What a label points at: "figure", "2", and its title."""

    kind: str
    number: str
    title: str = ""


class Numbers:
    r"""Counters and labels. `redefined` gives what the author made of \thesection and its kin, None if nothing."""

    def __init__(self, redefined: Callable[[str], str | None]) -> None:
        self.redefined = redefined
        self.values: dict[str, int] = {}
        self.parents = dict(_PARENTS)
        self.the = dict(_THE)
        self.names = dict(_NAMES)
        """Kind → the word that \\cref prints before its number."""
        self.depth = 3
        """The deepest level that is numbered, \\section being 1."""
        self.labels: dict[str, Target] = {}
        self.current = Target("", "")
        """What a label set now would point at."""

    def use_class(self, name: str) -> None:
        """Number as the document class `name` does."""
        if name.startswith(("IEEEtran", "IEEEconf", "ieeeconf", "revtex")):
            self.the |= _IEEE
        if name == "llncs":
            self.depth = 2
        if name in ("book", "report", "memoir", "scrbook", "scrreprt") or "thesis" in name.casefold():
            self.depth = 2
            for counter, parent in _BOOK.items():
                self.within(counter, parent)

    def within(self, counter: str, parent: str) -> None:
        r"""Number `counter` inside `parent`, as \numberwithin does."""
        self.parents[counter] = parent
        self.the[counter] = rf"\the{parent}.\arabic{{{counter}}}"

    def step(self, counter: str, title: str = "", ahead: bool = False) -> str:
        """Count one more, let labels point at it, and return it as printed.

        `ahead`: as it will be printed when what it is a part of has been counted, too.
        """
        self.values[counter] = min(self.values.get(counter, 0) + 1, MAX_COUNT)
        self._reset_below(counter)
        number = self.printed(counter)
        if ahead and (parent := self.parents.get(counter)):
            before = self.values.get(parent, 0)
            self.values[parent] = before + 1
            number = self.printed(counter)
            self.values[parent] = before
        self.current = Target(counter, number, title)
        return number

    def tagged(self, kind: str, number: str) -> None:
        """Let labels point at something that carries a number of its own making."""
        self.current = Target(kind, number)

    def kind(self, name: str) -> None:
        """Say what kind of thing the last number is of: the word that \\cref prints before it."""
        self.current = Target(name, self.current.number, self.current.title)

    def _reset_below(self, counter: str, depth: int = 0) -> None:
        for child, parent in self.parents.items():
            if parent == counter and depth < len(self.parents):
                self.values[child] = 0
                self._reset_below(child, depth + 1)

    def set(self, counter: str, value: int) -> None:
        """Give a counter a value."""
        self.values[counter] = max(-MAX_COUNT, min(value, MAX_COUNT))
        if counter == "secnumdepth":
            self.depth = value

    def appendix(self) -> None:
        """Number sections with letters from here on."""
        top = "chapter" if self.values.get("chapter") else "section"
        self.values[top] = 0
        self._reset_below(top)
        self.the[top] = rf"\Alph{{{top}}}"
        self.redefined = _without(self.redefined, top)

    def printed(self, counter: str, depth: int = 0) -> str:
        """Return the counter as it is printed now."""
        if depth > 8:
            return ""
        form = self.redefined(counter) or self.the.get(counter, rf"\arabic{{{counter}}}")
        form = _COUNTER.sub(lambda m: f"{{{_written(self.values.get(m[2] or m[3], 0), m[1])}}}", form)
        form = _OTHER.sub(lambda m: self.printed(m[1], depth + 1), form)
        text = re.sub(r"\\[A-Za-z@]+|[{}$\\~\s]", "", form)
        return text[:30]

    def label(self, key: str, target: Target | None = None) -> None:
        """Let `key` point at the last thing numbered, or at `target`."""
        self.labels.setdefault(key, target or self.current)

    def reference(self, command: str, keys: Sequence[str]) -> str:
        r"""Return what \ref, \eqref, \cref … print; "??" for a label that is not there, as LaTeX does."""
        return ", ".join(self._one(command, key) for key in keys)

    def _one(self, command: str, key: str) -> str:
        target = self.labels.get(key)
        if target is None:
            return "??"
        if command in ("ref", "ref*", "vref", "subref", "labelcref"):
            return target.number
        if command == "eqref":
            return f"({target.number})"
        if command in ("nameref", "Nameref"):
            return target.title
        number = f"({target.number})" if target.kind == "equation" else target.number
        return f"{self.names.get(target.kind, target.kind)} {number}".strip()


def _without(redefined: Callable[[str], str | None], counter: str) -> Callable[[str], str | None]:
    """Forget what the author made of one counter's form so far; a later definition counts again."""
    before = redefined(counter)

    def changed(name: str) -> str | None:
        form = redefined(name)
        return None if name == counter and form == before else form

    return changed


def _written(value: int, style: str) -> str:
    if style == "arabic" or value < 1:
        return str(value)
    if style in ("roman", "Roman"):
        text = ""
        rest = min(value, 399)
        for worth, letters in _ROMAN:
            text += letters * (rest // worth)
            rest %= worth
        return text.upper() if style == "Roman" else text
    if style == "fnsymbol":
        return "*†‡§¶"[(value - 1) % 5]
    letter = chr(ord("a") + (value - 1) % 26) * ((value - 1) // 26 + 1)
    return (letter.upper() if style == "Alph" else letter)[:10]
