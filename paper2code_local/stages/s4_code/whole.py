"""Large models: the whole file is one answer that begins with our opening lines."""

from __future__ import annotations

from paper2code_local.artifacts.plan import ENTRY
from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.asking import Asker, Passage, Refusal, Unanswered, render
from paper2code_local.source import body_problem, compile_error, outline
from paper2code_local.stages.s4_code.briefing import Briefing
from paper2code_local.stages.s4_code.opening import ENTRY_BLOCK, Interface, formatted, quoted
from paper2code_local.stages.s4_code.units import FENCE, NOT_YET, hidden

FILE_TOKENS = 3072
"""About 300 lines; a file that is cut there is continued twice at most."""


async def write_whole(decided: Interface, briefing: Briefing, asker: Asker, label: str) -> SourceFile | Unwritten:
    """Ask for the file in one answer. Unwritten when no answer compiles and defines what is planned."""
    opening = "\n".join(
        [quoted(decided.file.purpose), "", "from __future__ import annotations", "", decided.importable()]
    )
    opening = opening.rstrip() + "\n"
    instruction = render(__package__, "whole.md", path=decided.file.path)
    draft = hidden(decided.assembled({}, NOT_YET).text)
    passage = Passage(
        label,
        briefing.tails(instruction, draft),
        FENCE + opening,
        ("\n```",),
        FILE_TOKENS,
        lambda written: refuse(completed(opening, written, decided), decided),
        briefing.avoid,
    )
    written = await asker.write(passage)
    if isinstance(written, Unanswered):
        return Unwritten(path=decided.file.path, reason=written.reason)
    return SourceFile(path=decided.file.path, text=formatted(completed(opening, written, decided), decided.local()))


def completed(opening: str, written: str, decided: Interface) -> str:
    """Return the file; the entry point gets its command line when the model left it out."""
    text = opening + written.rstrip() + "\n"
    if decided.file.path == ENTRY and "__main__" not in text:
        text += f"\n\nimport argparse\n\nimport yaml\n\n{ENTRY_BLOCK}\n"
    return text


def refuse(text: str, decided: Interface) -> Refusal | None:
    """Return why `text` cannot be the file, or None: it compiles, has what is planned, and no empty body."""
    if problem := compile_error(text, decided.file.path):
        return Refusal(f"it does not compile: line {problem.line}: {problem.message}")
    written = {d.qualname: d for d in outline(text).definitions}
    lines = text.split("\n")
    for unit in decided.units():
        if unit.qualname not in written:
            return Refusal(f"it does not define {unit.qualname}")
        place = written[unit.qualname]
        if hollow := body_problem("\n".join(lines[place.start - 1 : place.end])):
            return Refusal(f"the body of {unit.qualname} is {hollow}; write the real computation")
    return None
