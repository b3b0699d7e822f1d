"""What the coder of a file is told after the shared prefix: code of its needs, specification, skeleton, instruction.

In: what is decided of the file, the files it needs as written. Out: tails, from the fullest to the smallest: the code
of the needs, then their skeletons, then only the names. Needs stand in the order of the plan, never of completion,
and first: files that begin with the same needs share their KV cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from paper2code_local.artifacts.repo import SourceFile
from paper2code_local.asking import render
from paper2code_local.source import skeleton
from paper2code_local.stages.s4_code.opening import Interface


@dataclass(frozen=True)
class Briefing:
    """What stays the same for all questions about a file."""

    decided: Interface
    needed: tuple[SourceFile, ...]
    complaint: str = ""
    """What a check said about the last version."""
    avoid: tuple[str, ...] = ()
    """Words that the check proved wrong."""

    def tails(self, instruction: str, draft: str) -> tuple[str, ...]:
        """Return the tails that end with `instruction`; `draft` is the file as far as it is decided."""
        shown: tuple[dict[str, str], ...] = (
            {f.path: f.text for f in self.needed},
            {f.path: skeleton(f.text) for f in self.needed},
            {},
        )
        return tuple(
            render(
                __package__,
                "file.md",
                path=self.decided.file.path,
                spec=self.decided.spec,
                implements=self.decided.file.implements or self.decided.file.purpose,
                code=code,
                importable=self.decided.importable(),
                draft=draft.strip(),
                complaint=self.complaint,
                instruction=instruction,
            )
            for code in shown
        )
