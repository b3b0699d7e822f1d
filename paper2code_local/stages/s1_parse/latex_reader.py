r"""The reader: tokens in, what they print put where it belongs.

In: a `Mouth`. Out: a `Document`, its text still with marks where numbers of other places will stand. Each character
that prints goes to exactly one `Sink` and is counted there once, so that what is lost later can be told. Commands and
environments are handled by functions in tables that `latex` puts together. Must not know any one of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import normalize

from paper2code_local.artifacts.paper import visible
from paper2code_local.stages.s1_parse.latex_commands import ACCENTS, SIGNATURES, SPACES, symbols
from paper2code_local.stages.s1_parse.latex_document import (
    CLOSE_MARK,
    OPEN_MARK,
    Block,
    Document,
    Entry,
    Mark,
    OpenFloat,
    Prose,
    Section,
    without_marks,
)
from paper2code_local.stages.s1_parse.latex_macros import Mouth
from paper2code_local.stages.s1_parse.latex_numbers import Numbers, Target
from paper2code_local.stages.s1_parse.latex_tokens import BARRIERS, END, PAR, RAW, SPACE, untokenize

MAX_NESTING = 30
"""Texts inside texts (a footnote in a caption in …); deeper ones are taken as they stand."""
Handler = Callable[["Reader", str], None]
_LIGATURES = (("---", "—"), ("--", "–"), ("``", "“"), ("''", "”"), ("`", "‘"), ("'", "’"))
_UNIT = re.compile(r"(?:true)?(?P<unit>pt|em|ex|in|cm|mm|mu|pc|bp|dd|cc|sp|fil{1,3})")
_LENGTH = re.compile(rf"=?[-+]?(?:\d*[.,]?\d+\.?)(?:{_UNIT.pattern})?|=[-+]?|[-+]")


@dataclass
class Sink:
    """Where text goes: pieces that will be one string, and the keys that they cite."""

    pieces: list[str] = field(default_factory=list)
    cites: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return the pieces as one line."""
        return " ".join("".join(self.pieces).split())

    def lines(self) -> list[str]:
        r"""Return the lines that \\ ended, each tab in them two spaces."""
        lines = (line.strip(" ") for line in "".join(self.pieces).split("\n"))
        return ["  ".join(" ".join(part.split()) for part in line.split("\t")) for line in lines if line.strip()]


@dataclass
class Frame:
    """An open environment: what its end does, and what holds again after it."""

    name: str
    end: Callable[[], None] | None
    target: Target
    item: Callable[[int], str] | None = None
    """Of a list: what stands before its n-th item."""
    items: int = 0


class Reader:
    """The state of reading one document."""

    def __init__(
        self, mouth: Mouth, numbers: Numbers, commands: Mapping[str, Handler], environments: Mapping[str, Handler]
    ) -> None:
        self.mouth, self.numbers, self.commands, self.environments = mouth, numbers, commands, dict(environments)
        self.document = Document()
        self.sink = Sink()
        self.blocks: list[Block] = self.document.sections[0].blocks
        """Where paragraphs, formulas and floats go."""
        self.held: list[Block] = []
        """Floats that stand in the middle of a paragraph: they follow it."""
        self.frames: list[Frame] = []
        self.inline = 0
        """How many arguments deep we are: there, nothing starts a paragraph."""
        self.in_body = False
        self.finished = False
        self.in_entry: Entry | None = None
        self.bibliographies: list[str] = []
        """Names of .bib files."""
        self.by_lines = False
        """Whether line breaks are kept, as in an algorithm."""
        self.in_author = False
        self.in_float: OpenFloat | None = None
        self.algorithm = ""
        """The package whose commands stand here, inside an algorithm."""
        self.indent = 0
        self.cell: Callable[[], None] | None = None
        """What & does here."""
        self.line: Callable[[], None] | None = None
        r"""What \\ does here."""
        self.span: Callable[[int], None] | None = None
        """Widens the present cell."""

    # The loop

    def run(self) -> None:
        """Read to the end of what was handed in."""
        while not self.finished and (token := self.mouth.expanded()) is not None and token != END:
            self.read(token)

    def read(self, token: str) -> None:
        """Carry out one token."""
        first = token[0]
        if first == "\\" and len(token) > 1:
            self._command(token)
        elif token in (SPACE, "~"):
            self.put(" ", ligatures=False)
        elif token == PAR:
            self.paragraph()
        elif token == "&" and self.cell:
            self.cell()
        elif token == "$":
            self.commands["$"](self, token)
        elif first == RAW:
            self.put(token[1:], ligatures=False)
        elif token not in "{}" and token not in BARRIERS:
            self.put(token)

    def _command(self, token: str) -> None:
        handler = self.commands.get(token)
        if handler is not None:
            handler(self, token)
        else:
            self.plain(token)

    def plain(self, token: str) -> None:
        """Carry out a command that no handler is for: layout, space, accent, symbol, or unknown."""
        name = token[1:]
        if token in SIGNATURES:
            self.skip(SIGNATURES[token])
        elif name in SPACES:
            self.put(" ", ligatures=False)
        elif name in ACCENTS:
            self.accent(ACCENTS[name])
        elif (symbol := symbols().get(name)) is not None:
            self.put(symbol, ligatures=False)
        elif name.isalpha() and (option := self._option_at_once()) is not None:
            self.document.seen += visible(untokenize(option))  # an unknown command's option is not text: dropped

    def _option_at_once(self) -> list[str] | None:
        token = self.mouth.raw()
        self.mouth.push([token] if token is not None else [])
        return self.mouth.option() if token == "[" else None

    def accent(self, combining: str) -> None:
        """Put the next argument with an accent on its first letter."""
        base = self.unprinted(self.mouth.argument())
        bare = {"ı": "i", "ȷ": "j"}.get(base[:1], base[:1])
        accented = normalize("NFC", bare + combining) + base[1:]
        self.put(accented if bare.isalpha() else base, ligatures=False)

    # Text

    def put(self, text: str, ligatures: bool = True) -> None:
        """Print `text` here; before the body nothing prints."""
        if not self.in_body and not self.inline:
            return
        if ligatures and not text.isalnum():
            for typed, printed in _LIGATURES:
                text = text.replace(typed, printed)
        self.document.seen += visible(without_marks(text))
        self.sink.pieces.append(text)

    def mark(self, mark: Mark) -> str:
        """Return the text that stands for `mark` until it is known; what it prints is not counted here."""
        self.document.marks.append(mark)
        return f"{OPEN_MARK}{len(self.document.marks) - 1}{CLOSE_MARK}"

    def text(self, tokens: Sequence[str], with_lines: bool = False) -> tuple[str, list[str]]:
        r"""Return what `tokens` print, as one line (or the lines that \\ makes), and the keys that they cite."""
        sink = self.apart(tokens)
        return ("\n".join(sink.lines()) if with_lines else sink.text()), sink.cites

    def unprinted(self, tokens: Sequence[str]) -> str:
        """Return what `tokens` print without counting it: it is put, or is part of a mark, later."""
        text = self.text(tokens)[0]
        self.document.seen -= visible(without_marks(text))
        return text

    def apart(self, tokens: Sequence[str]) -> Sink:
        """Read `tokens` into a sink of their own."""
        sink = Sink()
        if self.inline >= MAX_NESTING:
            sink.pieces.append(untokenize(tokens))
            self.document.seen += visible(sink.text())
            return sink
        outer = self.sink, self.cell, self.line, self.frames, self.by_lines
        self.sink, self.cell, self.line, self.frames, self.by_lines = sink, None, None, [], False
        self.inline += 1
        self.mouth.push([END])
        self.mouth.push(tokens)
        self.run()
        self.close_frames(0)
        self.inline -= 1
        self.sink, self.cell, self.line, self.frames, self.by_lines = outer
        return sink

    def drop(self, tokens: Sequence[str]) -> None:
        """Leave out text that no part of a paper holds, and count it."""
        self.document.seen += visible(untokenize(tokens))

    def paragraph(self) -> None:
        """End the paragraph, if one is open."""
        if self.inline:
            self.put(" ", ligatures=False)
            return
        if self.by_lines:
            self.new_line()
            return
        text = self.sink.text()
        if text:
            self.blocks.append(Prose(text, list(dict.fromkeys(self.sink.cites))))
        self.sink = Sink()
        self.blocks.extend(self.held)
        self.held = []

    def new_line(self, depth: int = 0) -> None:
        """Begin a line, indented by `depth` steps."""
        self.sink.pieces.append("\n" + "\t" * depth)

    def inset(self, tokens: Sequence[str]) -> None:
        r"""Read `tokens` here, where \\\\ and & mean nothing."""
        sink = self.apart(tokens)
        self.sink.pieces.append(sink.text())
        self.sink.cites += sink.cites

    def block(self, block: Block) -> None:
        """Put a formula, table or code between paragraphs."""
        self.paragraph()
        self.blocks.append(block)

    def code(self, text: str) -> None:
        """Put lines of code as they stand: a paragraph of their own, or lines of the algorithm that holds them."""
        text = text.strip("\n").rstrip()
        if self.inline or self.by_lines:
            self.put(f"\n{text}\n", ligatures=False)
        elif text and self.in_body:
            self.document.seen += visible(text)
            self.block(Prose(text, []))

    def section(self, section: Section) -> None:
        """Begin a section; an environment that is still open ends here."""
        self.close_frames(0)
        self.paragraph()
        self.document.sections.append(section)
        self.blocks = section.blocks

    # Arguments and environments

    def skip(self, signature: str) -> None:
        """Read away arguments that are layout."""
        for letter in signature:
            if letter == "m":
                self.mouth.argument()
            elif letter == "o":
                self.mouth.option()
            elif letter == "s":
                self.mouth.star()
            elif letter == "d":
                self._skip_length()
            elif letter == "n":
                self._skip_integer()

    def _skip_length(self) -> None:
        r"""Read away a length as TeX writes it: 3pt plus 1fil, =-0.5\baselineskip."""
        while True:
            self._skip_one_length()
            token = self.mouth.skip_space()
            if token not in ("plus", "minus"):
                self.mouth.push([token] if token is not None else [])
                return

    def _skip_one_length(self) -> None:
        token = self.mouth.skip_space()
        if token is None or token[0] == "\\":
            return
        match = _LENGTH.match(token)
        rest = token[match.end() :] if match else token
        self.mouth.push([rest] if rest else [])
        if rest or (match and match["unit"]):
            return
        token = self.mouth.skip_space()  # the unit stands apart, or is a length of its own
        if token is not None and token[0] != "\\":
            unit = _UNIT.match(token)
            rest = token[unit.end() :] if unit else token
            self.mouth.push([rest] if rest else [])

    def _skip_integer(self) -> None:
        token = self.mouth.skip_space()
        if token is not None:
            rest = token if token[0] == "\\" else token.lstrip("=-0123456789")
            self.mouth.push([rest] if rest else [])

    def open_frame(self, name: str, end: Callable[[], None] | None = None) -> None:
        """Begin an environment; `end` is called when it is closed, also when its own end is missing."""
        self.frames.append(Frame(name, end, self.numbers.current))

    def close_frame(self, name: str) -> None:
        """End an environment and what is open inside it; an end without a beginning does nothing."""
        depth = next((i for i in range(len(self.frames) - 1, -1, -1) if self.frames[i].name == name), None)
        if depth is not None:
            self.close_frames(depth)

    def close_frames(self, depth: int) -> None:
        """End the environments that are open beyond `depth`."""
        while len(self.frames) > depth:
            frame = self.frames.pop()
            if frame.end is not None:
                frame.end()
            self.numbers.current = frame.target
