r"""TeX's mouth: tokens in, tokens with the author's own macros replaced out.

In: token streams, the files that \input may name. Out: one stream in which definitions are carried out, user macros
expanded, conditions decided and files read in their place. Must not know what the remaining commands print.

Bounded: `MAX_PUSHED` tokens come out of macros in all, `MAX_TEXT` characters out of files; a macro that asks for more
is forgotten and a file is not read, with a warning. No recursion here follows the input.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from paper2code_local.stages.s1_parse.latex_conditions import CONDITIONS, EXPANDERS
from paper2code_local.stages.s1_parse.latex_definitions import DEFINERS, Macro, substitute
from paper2code_local.stages.s1_parse.latex_sources import Kind, Pointer, candidates, decode
from paper2code_local.stages.s1_parse.latex_tokens import BARRIERS, END, FILE_END, FIXED, PAR, SPACE, lex, untokenize

MAX_PUSHED = 2_000_000
MAX_PUSHED_BY_ONE = 200_000
MAX_EXPANSIONS_AT_ONCE = 20_000
"""Macros in a row that give nothing but macros: an endless loop."""
MAX_TEXT = 20_000_000
MAX_READS = 5000
"""Files read, the same one again included."""
MAX_NESTING = 50
"""Expansions that an expansion waits for."""
MAX_BRACKETS = 5
"""One inside the other."""
MAX_TWO_COLUMN = 20_000
MAX_OPTION = 2000
"""Tokens in which the end of an optional argument must stand."""

ENDLESS = "Macros expand without end: they were left out from some point on."
_DISTRIBUTED = frozenset({"glyphtounicode", "pdfcolmk", "epsf", "psfig", "insbox", "ulem.sty", "xy", "amssym.def"})
"""Files that come with TeX and hold nothing to read."""
_PASSED_OVER = (
    *(
        "\\protect",
        "\\noexpand",
        "\\expandafter",
        "\\relax",
        "\\long",
        "\\global",
        "\\protected",
        "\\outer",
        "\\unless",
    ),
    *("\\fi", "\\begingroup", "\\endgroup", "\\bgroup", "\\egroup", "\\leavevmode", "\\unexpanded"),
)


@dataclass(frozen=True)
class _OpenFile:
    """A file being read: where among the sources it began, where its names are looked up, what it is."""

    name: str
    depth: int
    folder: str
    is_style: bool


class Mouth:
    """The stream. `protected` are the commands that the reader itself understands: they cannot be redefined."""

    def __init__(self, files: Mapping[str, bytes], main: str, protected: Iterable[str]) -> None:
        self.files, self.main = files, main
        self.protected = frozenset(protected)
        self.macros: dict[str, Macro] = {}
        self.flags: dict[str, bool] = {}
        """Switches of \\newif, by name without "if"."""
        self.environments: set[str] = set()
        """Those that \\newenvironment defined: their macros are "\\begin x" and "\\end x"."""
        self.warnings: dict[str, None] = {}
        self.math = False
        """Whether the reader stands in a formula, for \\ifmmode."""
        self._sources: list[Iterator[str]] = []
        self._ahead: list[str] = []
        """Tokens before those of the top source, last first."""
        self._open: list[_OpenFile] = []
        self._pushed: Counter[str] = Counter()
        self._ragged = False
        """Whether a condition was found whose end is missing."""
        self._pushed_in_all = self._text = self._reads = self._nesting = 0

    # Streams

    def push(self, tokens: Sequence[str]) -> None:
        """Put `tokens` before everything else."""
        self._ahead.extend(reversed(tokens))

    def push_text(self, text: str, at_is_letter: bool = False) -> None:
        """Put a text before everything else, closed by FILE_END."""
        self._text += len(text)
        self.push([FILE_END])
        self._enter(lex(text, at_is_letter))

    def _enter(self, source: Iterator[str]) -> None:
        if self._ahead:
            self._sources.append(iter(self._ahead[::-1]))
            self._ahead = []
        self._sources.append(source)

    def raw(self) -> str | None:
        """Return the next token as it stands; None at the very end."""
        if self._ahead:
            return self._ahead.pop()
        while self._sources:
            token = next(self._sources[-1], None)
            if token is not None:
                return token
            self._leave()
        return None

    def _leave(self) -> None:
        self._sources.pop()
        while self._open and self._open[-1].depth > len(self._sources):
            self._open.pop()

    def end_file(self) -> None:
        """Carry out \\endinput: the rest of the innermost file is not read."""
        if self._open:
            self._ahead = []
            depth = self._open[-1].depth
            while len(self._sources) >= depth:
                self._leave()

    def expanded(self, grouped: bool = False) -> str | None:
        """Return the next token that is neither a definition, a user's macro nor a condition; None at the end.

        `grouped` puts braces around a macro's text: what stands after ^ must stay one thing.
        """
        if self._nesting > MAX_NESTING:
            return self.raw()
        self._nesting += 1
        token = self._expanded(grouped)
        self._nesting -= 1
        return token

    def _expanded(self, grouped: bool) -> str | None:
        for _ in range(MAX_EXPANSIONS_AT_ONCE):
            token = self.raw()
            if token is None or token[0] not in "\\\x01":
                return token
            fixed, token = token[0] == FIXED, token.lstrip(FIXED)
            if token in self.macros and not fixed:
                self._expand(token, grouped)
                grouped = False
            elif token in CONDITIONS or (token[:3] == "\\if" and token[3:] in self.flags):
                if not self._holds(token):
                    self._skip(stop_at_else=True)
            elif token in ("\\else", "\\or"):
                self._skip(stop_at_else=False)
            elif token in DEFINERS:
                DEFINERS[token](self, token)
            elif token in EXPANDERS:
                EXPANDERS[token](self)
            elif token in ("\\begin", "\\end") and self.environments:
                if (found := self._environment(token)) is not None:
                    return found
            elif token not in _PASSED_OVER and not self._switch(token):
                return token
        self.macros.clear()
        self.warnings[ENDLESS] = None
        return self.raw()

    def all_expanded(self, tokens: Sequence[str]) -> list[str]:
        """Return `tokens` expanded."""
        self.push([END])
        self.push(tokens)
        found = []
        while (token := self.expanded()) is not None and token != END:
            found.append(token)
        return found

    # Arguments

    def skip_space(self) -> str | None:
        """Return the first token that is not white space; None (and nothing read) at an end."""
        while (token := self.raw()) == SPACE:
            pass
        if token in BARRIERS:
            self.push([str(token)])
            return None
        return token

    def argument(self, within_paragraph: bool = False) -> list[str]:
        """Return the next argument without its braces: a group, or one token; [] at an end.

        `within_paragraph`: a brace that is not closed in the paragraph is taken as closed at its end.
        """
        token = self.skip_space()
        if token == "{":
            return self.balanced(within_paragraph)
        if token is None or token in (PAR, "}"):
            self.push([token] if token else [])
            return []
        if token[0] not in "\\#\x00" and len(token) > 1:  # a run of letters: TeX takes the first
            self.push([token[1:]])
            token = token[0]
        return [token]

    def balanced(self, within_paragraph: bool = False) -> list[str]:
        """Return everything up to the brace that closes the one just read."""
        found: list[str] = []
        depth = 1
        while (token := self.raw()) is not None:
            depth += (token == "{") - (token == "}")
            if not depth:
                return found
            if token in BARRIERS or (within_paragraph and token == PAR):
                self.push([token])
                return found
            found.append(token)
        return found

    def option(self, of_paragraphs: bool = False) -> list[str] | None:
        """Return what stands in brackets here, None (and nothing read) when there are none."""
        limit = MAX_TWO_COLUMN if of_paragraphs else MAX_OPTION
        read: list[str] = []
        depth = nested = 0
        while (token := self.raw()) is not None:
            read.append(token)
            if read[0] not in (SPACE, "["):
                break
            if token == "[" and not depth:
                nested += 1
            elif token == "]" and not depth:
                nested -= 1
                if not nested:
                    return read[read.index("[") + 1 : -1]
            elif token != SPACE and not nested:
                break
            depth += (token == "{") - (token == "}")
            ends = token in BARRIERS or (token == PAR and not of_paragraphs)
            if ends or depth < 0 or nested > MAX_BRACKETS or len(read) > limit:
                break
        self.push(read)
        return None

    def star(self) -> bool:
        """Read a star if one is here."""
        token = self.raw()
        if token is not None and token[0] == "*":
            self.push([token[1:]] if len(token) > 1 else [])
            return True
        self.push([token] if token is not None else [])
        return False

    def word(self) -> str:
        """Return the next argument, expanded, as a key or name."""
        return untokenize(self.all_expanded(self.argument(within_paragraph=True)))

    # Macros and conditions

    def define(self, name: str, macro: Macro, new: bool = False, only_new: bool = False) -> None:
        r"""Let `name` (with its backslash, or "\\begin x") mean `macro`.

        One of ours is kept, unless the document itself makes a `new` command of that name: then it means its own.
        """
        if name in DEFINERS or name in CONDITIONS or name in EXPANDERS:
            return
        own = new and not (self._open and self._open[-1].is_style)
        if (own or name not in self.protected) and not (only_new and name in self.macros):
            self.macros[name] = macro

    def _expand(self, name: str, grouped: bool) -> None:
        macro = self.macros[name]
        body = substitute(macro.body, macro.read(self))
        self._pushed[name] += len(body) + 1
        self._pushed_in_all += len(body) + 1
        if self._pushed[name] > MAX_PUSHED_BY_ONE or self._pushed_in_all > MAX_PUSHED:
            del self.macros[name]
            self.warnings[ENDLESS] = None
            return
        if name in macro.body and not any(token.startswith("\\if") for token in macro.body):
            body = [token for token in body if token != name]  # it could never end
            self.warnings[ENDLESS] = None
        self.push(["{", *body, "}"] if grouped and len(body) > 1 else body)

    def _environment(self, token: str) -> str | None:
        """Carry out \\begin or \\end of an environment of the author's; return the token when it is not one."""
        argument = self.argument()
        name = f"{token} {untokenize(argument)}"
        if name in self.macros:
            self._expand(name, grouped=False)
            return None
        self.push(["{", *argument, "}"])
        return token

    def _switch(self, token: str) -> bool:
        for value, ending in ((True, "true"), (False, "false")):
            if token.endswith(ending) and token[1 : -len(ending)] in self.flags:
                self.flags[token[1 : -len(ending)]] = value
                return True
        return False

    def _holds(self, token: str) -> bool:
        return CONDITIONS[token](self) if token in CONDITIONS else self.flags[token[3:]]

    def _skip(self, stop_at_else: bool) -> None:
        """Leave out a branch that is not taken: up to its \\fi, or its \\else if there is one."""
        if self._ragged:
            return
        skipped: list[str] = []
        depth = 0
        while (token := self.raw()) is not None:
            skipped.append(token)
            if token in BARRIERS:
                break
            if token in CONDITIONS or (token[:3] == "\\if" and token[3:] in self.flags):
                depth += 1
            elif token == "\\fi":
                depth -= 1
            if depth < 0 or (not depth and token == "\\else" and stop_at_else):
                return
        self.push(skipped)
        self._ragged = True
        self.warnings["A condition is not closed: from there on, both branches of each were kept."] = None

    # Files

    def open_main(self) -> None:
        """Begin with the main file."""
        self.push_text(decode(self.files[self.main]))
        self._open.append(_OpenFile(self.main, len(self._sources), posixpath.dirname(self.main), is_style=False))

    def printed_bibliography(self) -> str:
        """Return the .bbl file that belongs to the main file; "" when there is none."""
        name = posixpath.splitext(self.main)[0] + ".bbl"
        return decode(self.files[name]) if name in self.files else ""

    def find(self, pointer: Pointer) -> str | None:
        """Return the name of the file that `pointer` means; None when not given (a warning, unless it is a style)."""
        names = candidates(pointer, tuple(dict.fromkeys([*(file.folder for file in self._open[::-1]), ""])))
        found = next((name for name in names if name in self.files), None)
        if found is None and pointer.kind not in ("style", "class") and pointer.name not in _DISTRIBUTED:
            named = posixpath.join(pointer.folder, pointer.name)[:100]
            why = "was not given" if names else "points outside of the folder"
            self.warnings[f"{named} was left out: it {why}."] = None
        return found

    def read_file(self, kind: Kind, name: str, folder: str = "") -> bool:
        """Go on with a file, as \\input does; False when it was not given or too much is open already."""
        pointer = Pointer(kind, folder, name)
        found = self.find(pointer)
        if found is None:
            return False
        text = decode(self.files[found])
        self._reads += 1
        again = any(file.name == found for file in self._open)
        if again or self._reads > MAX_READS or self._text + len(text) > MAX_TEXT:
            why = "it reads itself" if again else "files are read too often"
            self.warnings[f"{found} was left out: {why}."] = None
            return False
        self.push_text(text, at_is_letter=kind in ("style", "class"))
        inside = posixpath.dirname(found) if folder or not self._open else self._open[-1].folder
        self._open.append(_OpenFile(found, len(self._sources), inside, kind in ("style", "class")))
        return True

    def text_of(self, kind: Kind, name: str) -> str:
        """Return the text of a file that is shown rather than read; "" when it was not given."""
        found = self.find(Pointer(kind, "", name))
        return decode(self.files[found]) if found is not None else ""
