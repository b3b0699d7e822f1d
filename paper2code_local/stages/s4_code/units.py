"""Small models: each function or method body is a question of its own, all of a file's in flight together.

Constructors go first, so that the other bodies see which attributes really exist. Names, signatures and imports are
right by construction; what is checked here is the body: that it compiles, does something, and uses names that exist.
"""

from __future__ import annotations

import asyncio
import builtins
import re
import sys
from dataclasses import dataclass

from paper2code_local.artifacts.plan import ENTRY
from paper2code_local.artifacts.repo import SourceFile, Unwritten
from paper2code_local.asking import Asker, Passage, Refusal, Unanswered, render
from paper2code_local.source import KNOWN_PACKAGES, body_problem, compile_error, function_only, outline, replace_unit
from paper2code_local.stages.s4_code.briefing import Briefing
from paper2code_local.stages.s4_code.opening import INDENT, Interface, Unit, stub_line

BODY_TOKENS = 512
"""About 45 lines; a body that is cut there is continued twice at most."""
REFUSED_FOR_NAMES = 1
"""Times that a body is asked for again because it uses names that nothing defines: the rest is left to repair, which
forbids them. With 2 the 1.5B wrote third versions of three bodies of the example in 129 s, and repair wanted all three
once more."""
FENCE = "```python\n"
EMPTY_WORDS = (
    "pass",
    "...",
    "...\n",
    "...\n\n",
    "#",
    '"""',
    "TODO",
    "Placeholder",
    "placeholder",
    "NotImplementedError",
)
"""What bodies that do nothing are made of: a body that is asked for again does without them. Dots with a line break are
words of their own to some models."""
NEVER_LOCAL = frozenset({"config", "self"})
"""Names that a body only has as parameters."""
NOT_YET, NOT_HAD = "not written yet", "P2C401: the model gave no usable body"
"""What the stub of a body says while the others are asked for, and at the end."""
STUB = re.compile(rf'raise NotImplementedError\("({NOT_YET}|{NOT_HAD})"\)')


async def write_units(
    decided: Interface, briefing: Briefing, asker: Asker, label: str = "code"
) -> SourceFile | Unwritten:
    """Ask for every body; those that cannot be had become stubs. Unwritten when not one can be had."""
    constructors = tuple(u for u in decided.units() if u.plan.name == "__init__")
    others = tuple(u for u in decided.units() if u.plan.name != "__init__")
    draft = decided.assembled({}, NOT_YET).text
    bodies, reasons = await _bodies(constructors, decided, briefing, asker, hidden(draft), label)
    if constructors:
        draft = decided.assembled(bodies, NOT_YET).text
    more, further = await _bodies(others, decided, briefing, asker, hidden(draft), label)
    reasons |= further
    if reasons and not bodies | more:
        return Unwritten(path=decided.file.path, reason=next(iter(reasons.values())))
    file = decided.assembled(bodies | more, NOT_HAD)
    partly = tuple(name for name, body in (bodies | more).items() if is_stub(body))
    return file.model_copy(update={"stubbed": (*file.stubbed, *partly)})


async def rewrite_unit(
    current: SourceFile, name: str, decided: Interface, briefing: Briefing, asker: Asker, label: str
) -> SourceFile | Unwritten:
    """Ask again for the body of `name`; every other byte of the file stays."""
    unit = next(u for u in decided.units() if u.qualname == name)
    bodies, reasons = await _bodies((unit,), decided, briefing, asker, hidden(current.text), label)
    if name not in bodies:
        return Unwritten(path=current.path, reason=reasons[name])
    opening = decided.opening(unit)
    lines = (opening.split("\n", 1)[1] if unit.owner else opening) + bodies[name]
    stubbed = tuple(each for each in current.stubbed if each != name or is_stub(bodies[name]))
    return current.model_copy(update={"text": replace_unit(current.text, name, lines), "stubbed": stubbed})


async def _bodies(
    units: tuple[Unit, ...], decided: Interface, briefing: Briefing, asker: Asker, draft: str, label: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the bodies that were given and, for the others, why not."""

    async def body(unit: Unit) -> str | Unanswered:
        instruction = render(
            __package__,
            "unit.md",
            name=unit.qualname,
            path=decided.file.path,
            owner=unit.owner.name if unit.owner else "",
            attributes=", ".join(a.name for a in unit.owner.attributes) if unit.owner else "",
        )
        check = BodyCheck(decided, unit, min(REFUSED_FOR_NAMES, asker.attempts - 1))
        passage = Passage(
            f"{label}.{decided.file.path}:{unit.qualname}",
            briefing.tails(instruction, draft),
            FENCE + decided.opening(unit),
            stops(unit),
            BODY_TOKENS,
            check.refuse,
            briefing.avoid,
            EMPTY_WORDS,
        )
        written = await asker.write(passage)
        if isinstance(written, str):
            return check.trimmed(written)
        return check.doubted or check.beginning(written.leftover) or written

    answers = await asyncio.gather(*(body(u) for u in units))
    pairs = list(zip((u.qualname for u in units), answers, strict=True))
    given = {name: answer for name, answer in pairs if isinstance(answer, str)}
    return given, {name: answer.reason for name, answer in pairs if isinstance(answer, Unanswered)}


def stops(unit: Unit) -> tuple[str, ...]:
    """Return what ends a body: the closing fence and the next definition at the same or an outer level."""
    pad = INDENT if unit.owner else ""
    inner = (f"\n{pad}def ", f"\n{pad}async def ", f"\n{pad}@", f"\n{pad}class ") if unit.owner else ()
    return ("\n```", "\ndef ", "\nclass ", "\n@", "\nif __name__", *inner)


@dataclass
class BodyCheck:
    """Judges what the model wrote after a unit's opening. Doubts about names are told once, then left to the gate."""

    decided: Interface
    unit: Unit
    patience: int
    """How often doubtful names are refused."""
    told: frozenset[str] = NEVER_LOCAL
    """Names that the model was told of, or cannot define by itself: when they come again, they are forbidden."""
    doubted: str = ""
    """The last body that was refused for nothing but such names: better than none."""

    def refuse(self, written: str) -> Refusal | None:
        """Return why `written` cannot be the body, or None."""
        text = self.decided.opening(self.unit) + self.trimmed(written)
        if problem := compile_error(text, self.decided.file.path):
            return Refusal(f"it does not compile: line {problem.line}: {problem.message}")
        if hollow := body_problem(self._function(text)):
            return Refusal(f"its body is {hollow}; write the real computation")
        doubts = self._doubts(text) or self._idle(text)
        if doubts and self.patience > 0:
            self.patience -= 1
            self.doubted = self.trimmed(written)
            return doubts
        return None

    def beginning(self, written: str) -> str:
        """Return what can be kept of an answer that went in circles: real code up to there, then an honest stub; ""
        where there is none."""
        opening = self.decided.opening(self.unit)
        lines = written.rstrip().split("\n")
        while lines and (not lines[-1].strip() or lines[-1] in lines[:-1]):
            lines.pop()
        for end in range(len(lines), 0, -1):
            body = "\n".join(lines[:end])
            ended = f"{body}\n{INDENT * (2 if self.unit.owner else 1)}{stub_line(NOT_HAD)}"
            compiles = not any(compile_error(opening + text, self.decided.file.path) for text in (body, ended))
            if compiles and not body_problem(self._function(opening + body)):
                return ended
        return ""

    def trimmed(self, written: str) -> str:
        """Cut `written` where the function ends."""
        pad = INDENT * (2 if self.unit.owner else 1)
        return function_only(self.decided.opening(self.unit), written, pad)

    def _function(self, text: str) -> str:
        return text.split("\n", 1)[1] if self.unit.owner else text

    def _idle(self, text: str) -> Refusal | None:
        """Refuse an entry point that runs nothing of the repository: small models like to outline it in comments."""
        entry = self.decided.file.path == ENTRY and self.unit.qualname == "main"
        if not entry or not any(self.decided.names.values()) or self.decided.borrowed(text):
            return None
        return Refusal("it uses nothing of the other files: call what they define")

    def _doubts(self, text: str) -> Refusal | None:
        for imported in outline(text).imports:
            root = imported.module.split(".")[0]
            outside = root in sys.stdlib_module_names or root in KNOWN_PACKAGES or root in self.decided.packages
            if imported.level or not outside:
                what = imported.module or "."
                return Refusal(f"it imports {what}, which it may not: what it needs is imported already")
        unknown = tuple(n for n in self.decided.unresolved(text) if not hasattr(builtins, n))
        again = tuple(name for name in unknown if name in self.told)
        self.told |= set(unknown)
        return Refusal(f"it uses {', '.join(unknown)}, which nothing defines", again) if unknown else None


def is_stub(body: str) -> bool:
    """Tell whether a body is a stub, or ends in one."""
    return STUB.search(body) is not None


def hidden(draft: str) -> str:
    """Return a draft in which unwritten bodies are `...`, so that the model does not copy the stub."""
    return STUB.sub("...", draft)
