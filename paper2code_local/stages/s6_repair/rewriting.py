"""Ask for a unit or a file of any repository again: no plan and no paper are known, only the code.

In: a fault, the repository, an asker that knows its outline. Out: the whole file with the new version in it, or
`Unwritten`. Must not know rounds, gate or disk. (What was generated is asked for by stage 4, which knows more.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten
from paper2code_local.asking import Asker, Passage, Refusal, Unanswered, render
from paper2code_local.source import (
    body_problem,
    compile_error,
    definition_text,
    function_only,
    opening_of,
    outline,
    replace_unit,
    skeleton,
)

FENCE = "```python\n"
UNIT_TOKENS, FILE_TOKENS = 512, 3072


def signatures(texts: Mapping[str, str], count: Callable[[str], int], room: int) -> str:
    """Return the skeletons of the Python files that fit into `room` tokens, by path."""
    shown = ["# The repository, as signatures"]
    for path in sorted(p for p in texts if p.endswith(".py") and texts[p].strip()):
        part = f"# {path}\n```python\n{skeleton(texts[path]).strip()}\n```"
        room -= (tokens := count(part))
        if room < 0:
            room += tokens
        else:
            shown.append(part)
    return "\n\n".join(shown)


async def rewrite(fault: Fault, label: str, repo: Repo, asker: Asker) -> SourceFile | Unwritten:
    """Ask once for the unit at fault, or for the whole file."""
    file = next(f for f in repo.files if f.path == fault.path)
    assert isinstance(file, SourceFile)
    if fault.unit is None:
        return await _whole(file, fault, label, asker)
    opened = opening_of(definition_text(file.text, fault.unit))
    if opened is None:
        return await _whole(file, fault, label, asker)
    opening, indent = opened
    passage = Passage(
        f"{label}.{file.path}:{fault.unit}",
        _tails(file, fault, f"the complete body of {fault.unit}"),
        FENCE + opening,
        ("\n```", "\ndef ", "\nclass ", "\n@", "\nif __name__"),
        UNIT_TOKENS,
        lambda written: _refuse(opening + function_only(opening, written, indent)),
        fault.avoid,
    )
    written = await asker.write(passage)
    if isinstance(written, Unanswered):
        return Unwritten(path=file.path, reason=written.reason)
    unit = opening + function_only(opening, written, indent)
    return file.model_copy(update={"text": replace_unit(file.text, fault.unit, unit)})


async def _whole(file: SourceFile, fault: Fault, label: str, asker: Asker) -> SourceFile | Unwritten:
    had = {d.qualname for d in outline(file.text).definitions if "." not in d.qualname}

    def refuse(written: str) -> Refusal | None:
        if problem := compile_error(written, file.path):
            return Refusal(f"it does not compile: line {problem.line}: {problem.message}")
        lost = had - {d.qualname for d in outline(written).definitions}
        return Refusal(f"it does not define {', '.join(sorted(lost))}") if lost else None

    passage = Passage(
        f"{label}.{file.path}",
        _tails(file, fault, "the whole file, with its faults mended and everything else as it is"),
        FENCE,
        ("\n```",),
        FILE_TOKENS,
        refuse,
        fault.avoid,
    )
    written = await asker.write(passage)
    if isinstance(written, Unanswered):
        return Unwritten(path=file.path, reason=written.reason)
    return file.model_copy(update={"text": written.rstrip() + "\n"})


def _tails(file: SourceFile, fault: Fault, wanted: str) -> tuple[str, ...]:
    unit = definition_text(file.text, fault.unit) if fault.unit else ""
    shown = (file.text, f"{skeleton(file.text)}\n\n# In it:\n{unit}") if unit else (file.text,)
    return tuple(
        render(__package__, "again.md", path=file.path, text=text.strip(), complaint=fault.complaint, wanted=wanted)
        for text in shown
    )


def _refuse(unit: str) -> Refusal | None:
    if problem := compile_error(unit, "unit.py"):
        return Refusal(f"it does not compile: line {problem.line}: {problem.message}")
    hollow = body_problem(unit)
    return Refusal(f"its body is {hollow}; write the real computation") if hollow else None
