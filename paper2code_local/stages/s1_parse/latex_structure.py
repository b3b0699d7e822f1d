r"""What gives a document its shape: sections, lists, theorems, files, counters.

In: the reader at such a command or environment. Out: sections begun, paragraphs opened, numbers counted. Must not know
formulas, floats or the bibliography.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from paper2code_local.stages.s1_parse.latex_commands import DRAWINGS
from paper2code_local.stages.s1_parse.latex_commands import ENVIRONMENTS as LAYOUT
from paper2code_local.stages.s1_parse.latex_document import Section
from paper2code_local.stages.s1_parse.latex_numbers import LEVELS
from paper2code_local.stages.s1_parse.latex_reader import Handler, Reader
from paper2code_local.stages.s1_parse.latex_tokens import RAW, SPACE, untokenize

_ACKNOWLEDGEMENTS = re.compile(r"acknowledge?ments?\b", re.IGNORECASE)
_APPENDIX = re.compile(r"(?:supplement|appendi(?:x|ces)\b)", re.IGNORECASE)
_PLACEMENT = re.compile(r"[!htbpH]{1,6}")
_INTEGER = re.compile(r"-?\d{1,6}")
_THEOREMS = ("theorem", "lemma", "definition", "proposition", "corollary", "remark", "example", "assumption", "claim")


def _begin(reader: Reader, token: str) -> None:
    name = reader.mouth.word()
    bare = name.rstrip("*")
    if bare in DRAWINGS:
        reader.drop(_contents(reader, name))
    elif (handler := reader.environments.get(name) or reader.environments.get(bare)) is not None:
        handler(reader, name)
    else:
        reader.paragraph()
        reader.skip(LAYOUT.get(bare, ""))
        if bare not in LAYOUT:
            _unknown_options(reader)
        reader.open_frame(name, reader.paragraph)


def _unknown_options(reader: Reader) -> None:
    """What stands in brackets after the beginning of an unknown environment is a title, unless it looks like keys."""
    option = reader.mouth.option()
    text = untokenize(option or ())
    if "=" in text or _PLACEMENT.fullmatch(text):
        reader.drop(option or ())
    elif option:
        reader.mouth.push(["(", *option, ")", SPACE])


def _contents(reader: Reader, name: str) -> list[str]:
    r"""Read everything up to \end{name}, as it stands."""
    found: list[str] = []
    while (token := reader.mouth.raw()) is not None:
        if token == "\\end":
            argument = reader.mouth.argument()
            if untokenize(argument) in (name, "document"):
                if untokenize(argument) == "document":
                    reader.mouth.push(["\\end", "{", "document", "}"])
                break
            found += ["\\end", "{", *argument, "}"]
        else:
            found.append(token)
    return found


def _end(reader: Reader, token: str) -> None:
    name = reader.mouth.word()
    if name == "document":
        reader.finished = True
    else:
        reader.close_frame(name)


def _document(reader: Reader, name: str) -> None:
    reader.in_body = True


def _section(reader: Reader, token: str) -> None:
    name = token[1:]
    numbered = not reader.mouth.star()
    short = reader.mouth.option()
    argument = reader.mouth.argument(within_paragraph=True) or list(short or ())
    if not reader.in_body:
        return
    if reader.inline:  # a heading in an argument is a part of its text
        reader.mouth.push([*argument, SPACE])
        return
    reader.close_frames(0)
    reader.paragraph()
    heading, _ = reader.text(argument)
    level = LEVELS.index(name) - LEVELS.index("section") + 1
    numbered = numbered and (level <= reader.numbers.depth)
    number = reader.numbers.step(name, heading) if numbered else ""
    if not numbered:
        reader.numbers.tagged(name, "")
    part = reader.document.part
    if _ACKNOWLEDGEMENTS.match(heading):
        part = "acknowledgements"
    elif _APPENDIX.match(heading) and not number:
        part = "appendix"
    if part == "appendix" and numbered:
        reader.numbers.kind("Appendix" if level <= 1 else "Section")
    reader.section(Section(number, heading, max(0, level), part))


def _appendix(reader: Reader, token: str) -> None:
    if reader.document.part != "appendix":
        reader.paragraph()
        reader.numbers.appendix()
        reader.document.part = "appendix"


def _appendices(reader: Reader, name: str) -> None:
    _appendix(reader, name)
    reader.open_frame(name, reader.paragraph)


def _acknowledgements(reader: Reader, name: str) -> None:
    _acknowledgements_of(reader, name)
    reader.open_frame(name, reader.paragraph)


def _acknowledgements_of(reader: Reader, token: str) -> None:
    r"""\acknowledgments{…}, or a heading for what follows."""
    heading = "Acknowledgements"
    if reader.inline or not reader.in_body:
        return
    reader.document.seen += len(heading)
    reader.section(Section("", heading, 1, "acknowledgements"))


def _paragraph(reader: Reader, token: str) -> None:
    reader.paragraph()


def _line(reader: Reader, token: str) -> None:
    reader.mouth.star()
    following = reader.mouth.raw()
    reader.mouth.push([following] if following is not None else [])
    if following == "[":
        reader.mouth.option()
    if reader.line:
        reader.line()
    elif reader.inline or reader.by_lines:
        reader.new_line()
    else:
        reader.put(" ", ligatures=False)


def _list(form: Callable[[int], str]) -> Handler:
    def begin(reader: Reader, name: str) -> None:
        reader.paragraph()
        reader.skip(LAYOUT.get(name.rstrip("*"), "o"))
        reader.open_frame(name, reader.paragraph)
        reader.frames[-1].item = form

    return begin


def _item(reader: Reader, token: str) -> None:
    reader.paragraph()
    option = reader.mouth.option()
    frame = next((frame for frame in reversed(reader.frames) if frame.item), None)
    if option is not None:
        reader.inset(option)
        reader.put(" ", ligatures=False)
    elif frame is not None and frame.item is not None:
        frame.items += 1
        text = frame.item(frame.items)
        reader.numbers.tagged("item", text.rstrip(" ."))
        reader.put(text, ligatures=False)


def _new_theorem(reader: Reader, token: str) -> None:
    starred = reader.mouth.star()
    name = reader.mouth.word()
    shared = reader.mouth.option()
    title = reader.unprinted(reader.mouth.argument())
    within = reader.mouth.option()
    counter = untokenize(shared) if shared else name
    if within:
        reader.numbers.within(counter, untokenize(within))
    if not name or name in LAYOUT or (name in reader.environments and name not in _THEOREMS):
        return
    reader.environments[name] = _theorem(title, "" if starred else counter)


def _theorem(title: str, counter: str) -> Handler:
    def begin(reader: Reader, name: str) -> None:
        reader.paragraph()
        note = reader.mouth.option()
        number = reader.numbers.step(counter) if counter and not name.endswith("*") else ""
        reader.numbers.kind(title)
        reader.put(f"{title} {number}".strip(), ligatures=False)
        if note:
            reader.put(" (", ligatures=False)
            reader.inset(note)
            reader.put(")", ligatures=False)
        reader.put(". ", ligatures=False)
        reader.open_frame(name, reader.paragraph)

    return begin


def _proof(reader: Reader, name: str) -> None:
    reader.paragraph()
    title = reader.mouth.option()
    reader.inset(title or ["Proof"])
    reader.put(". ", ligatures=False)
    reader.open_frame(name, reader.paragraph)


def _subequations(reader: Reader, name: str) -> None:
    number = reader.numbers.step("equation")
    outer = reader.numbers.the.get("equation"), reader.numbers.values["equation"]
    reader.numbers.the["equation"] = number + r"\alph{equation}"
    reader.numbers.values["equation"] = 0

    def end() -> None:
        form, value = outer
        reader.numbers.values["equation"] = value
        reader.numbers.the.pop("equation", None)
        if form is not None:
            reader.numbers.the["equation"] = form

    reader.open_frame(name, end)


def _verbatim(reader: Reader, name: str) -> None:
    content = _contents(reader, name)
    reader.code("".join(token.removeprefix(RAW) for token in content))


def _input(reader: Reader, token: str) -> None:
    following = reader.mouth.skip_space()
    if following is not None:
        reader.mouth.push([following])
    name = reader.mouth.word() if following == "{" else _bare_name(reader)
    if name:
        reader.mouth.read_file("text", name)


def _bare_name(reader: Reader) -> str:
    r"""\input name, without braces."""
    found = ""
    while (token := reader.mouth.raw()) is not None:
        if token.isspace() or token[0] in "\\{}\x02\x03" or len(found) > 300:
            reader.mouth.push([token])
            break
        found += token
    return found


def _import(reader: Reader, token: str) -> None:
    reader.mouth.star()
    folder, name = reader.mouth.word(), reader.mouth.word()
    reader.mouth.read_file("text", name, folder or ".")


def _package(reader: Reader, token: str) -> None:
    reader.mouth.option()
    names = reader.mouth.word().split(",")
    reader.mouth.option()
    if reader.in_body:
        return
    is_class = token in ("\\documentclass", "\\LoadClass")
    for name in reversed(names):
        if is_class:
            reader.numbers.use_class(name.strip())
        reader.mouth.read_file("class" if is_class else "style", name.strip())


def _end_input(reader: Reader, token: str) -> None:
    reader.mouth.end_file()


def _integer(text: str) -> int:
    match = _INTEGER.fullmatch(text.strip())
    return int(match[0]) if match else 0


def _set_counter(reader: Reader, token: str) -> None:
    name, value = reader.mouth.word(), _integer(reader.mouth.word())
    reader.numbers.set(name, value + (reader.numbers.values.get(name, 0) if token == "\\addtocounter" else 0))


def _step_counter(reader: Reader, token: str) -> None:
    reader.numbers.step(reader.mouth.word())


def _number_within(reader: Reader, token: str) -> None:
    counter, parent = reader.mouth.word(), reader.mouth.word()
    if counter != parent:
        reader.numbers.within(counter, parent)


def _new_counter(reader: Reader, token: str) -> None:
    name = reader.mouth.word()
    within = reader.mouth.option()
    if within:
        reader.numbers.within(name, untokenize(within))


def _the(reader: Reader, token: str) -> None:
    reader.put(reader.numbers.printed(token[4:]), ligatures=False)


def _letters(names: Sequence[str], handler: Handler) -> dict[str, Handler]:
    return {f"\\{name}": handler for name in names}


COMMANDS: dict[str, Handler] = {
    "\\begin": _begin,
    "\\end": _end,
    **_letters(LEVELS, _section),
    "\\appendix": _appendix,
    "\\appendices": _appendix,
    **_letters(("acknowledgments", "acknowledgements", "acks", "acknowledgment", "ack"), _acknowledgements_of),
    "\\par": _paragraph,
    "\\\\": _line,
    "\\newline": _line,
    "\\item": _item,
    **_letters(("newtheorem", "spnewtheorem", "declaretheorem"), _new_theorem),
    **_letters(("input", "include", "subfile", "subfileinclude", "@input"), _input),
    **_letters(("import", "subimport", "includefrom", "inputfrom", "subincludefrom", "subinputfrom"), _import),
    **_letters(("usepackage", "RequirePackage", "documentclass", "LoadClass"), _package),
    "\\endinput": _end_input,
    **_letters(("setcounter", "addtocounter"), _set_counter),
    **_letters(("stepcounter", "refstepcounter"), _step_counter),
    "\\numberwithin": _number_within,
    "\\counterwithin": _number_within,
    "\\newcounter": _new_counter,
    **_letters(tuple(f"the{level}" for level in (*LEVELS, "equation", "figure", "table")), _the),
}
ENVIRONMENTS: dict[str, Handler] = {
    "document": _document,
    "appendices": _appendices,
    **dict.fromkeys(("ack", "acks", "acknowledgments", "acknowledgements", "acknowledgment"), _acknowledgements),
    **dict.fromkeys(("itemize", "compactitem", "list", "trivlist"), _list(lambda _: "• ")),
    **dict.fromkeys(("enumerate", "compactenum", "inparaenum", "enumerate*"), _list(lambda n: f"{n}. ")),
    **dict.fromkeys(("description", "compactdesc"), _list(lambda _: "")),
    **{name: _theorem(name.capitalize(), name) for name in _THEOREMS},
    "proof": _proof,
    "subequations": _subequations,
    **dict.fromkeys(("verbatim", "Verbatim", "BVerbatim", "LVerbatim", "filecontents"), _verbatim),
}
