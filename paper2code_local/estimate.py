"""`--dry-run`: how many calls, tokens and minutes a run may take, from arithmetic on the paper and no engine.

The constants are assumptions that the runs in benchmarks/results/ were compared with.
"""

from __future__ import annotations

from paper2code_local.artifacts.frozen import Frozen

FILES = 5
"""Planned files beside main.py: what models choose for most papers."""
UNITS = 4
"""Functions and methods in a file."""


class Estimate(Frozen):
    """What a run may take."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float | None
    """None where the speed of the machine is not known: the first run of a model measures it."""


def estimate(paper_tokens: int, whole_files: bool, scale: float, tokens_per_second: float | None) -> Estimate:
    """Estimate a run for a paper of so many tokens."""
    planning = 3 + (FILES - 1) + FILES + 2 + (FILES + 2)
    coding = FILES + 1 if whole_files else FILES * UNITS + 1
    calls = planning + (FILES + 1) + coding
    completion = int(scale * (planning * 150 + (FILES + 1) * 300)) + (coding * (900 if whole_files else 140))
    prompt = calls * (paper_tokens + 1500)
    seconds = completion / tokens_per_second if tokens_per_second else None
    return Estimate(calls=calls, prompt_tokens=prompt, completion_tokens=completion, seconds=seconds)
