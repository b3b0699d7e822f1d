"""Something that was timed, and what its requests say: how busy the engine was, who waited for whom.

In: requests as they were sent, labels and times. Out: numbers, and chains in which each waits for the one before. Must
not know how they were sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workload import Sent, parents


@dataclass
class Measure:
    """One thing that was timed."""

    what: str
    papers: tuple[int, ...]
    """Their sizes in tokens."""
    seconds: float
    sent: list[Sent] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    """Seconds of each stage, added up over the papers."""

    def numbers(self) -> dict[str, Any]:
        """Return what is told of it."""
        busy, idle, began = _busy(self.sent)
        prompt = sum(len(s.prompt) for s in self.sent)
        written = sum(s.tokens for s in self.sent)
        return {
            "what": self.what,
            "papers": list(self.papers),
            "seconds": round(self.seconds, 1),
            "papers_per_hour": round(3600 * len(self.papers) / self.seconds, 1),
            "calls": len(self.sent),
            "prompt_tokens": prompt,
            "cached_share": round(sum(s.cached for s in self.sent) / max(1, prompt), 3),
            "completion_tokens": written,
            "tokens_per_second": round(written / self.seconds, 1),
            "in_flight": round(busy / max(1e-9, self.seconds), 2),
            "idle_share": round(idle / max(1e-9, self.seconds), 3),
            "stages": {stage: round(seconds, 1) for stage, seconds in self.stages.items()},
            "critical_path": critical(self.sent) if len(self.papers) == 1 else [],
            "requests": [
                (s.label, round(s.began - began, 2), round(s.ended - began, 2), s.tokens, len(s.prompt), s.cached)
                for s in self.sent
            ],
        }


def _busy(sent: Sequence[Sent]) -> tuple[float, float, float]:
    """Return request-seconds, seconds with nothing in flight between first and last, and when the first began."""
    if not sent:
        return 0.0, 0.0, 0.0
    idle, reached = 0.0, sent[0].began
    for each in sorted(sent, key=lambda s: s.began):
        idle += max(0.0, each.began - reached)
        reached = max(reached, each.ended)
    return sum(s.ended - s.began for s in sent), idle, min(s.began for s in sent)


def longest(sent: Sequence[Sent]) -> tuple[float, list[str]]:
    """Return the longest chain of requests that wait for each other, by the time that each took, and its seconds.

    Of requests that were sent one by one that is what no scheduling can undercut at the speed of a single stream.
    """
    waits = parents([each.label for each in sent])
    took = {each.label: each.ended - each.began for each in sent}
    reached: dict[str, tuple[float, list[str]]] = {}

    def until(label: str) -> tuple[float, list[str]]:
        if label not in reached:
            seconds, before = max(map(until, waits[label]), default=(0.0, []))
            reached[label] = (seconds + took[label], [*before, label])
        return reached[label]

    return max(map(until, took), default=(0.0, []))


def critical(sent: Sequence[Sent]) -> list[tuple[str, float]]:
    """Return who kept whom waiting: from the request that ended last back to the first, each with its seconds."""
    waits = parents([each.label for each in sent])
    by_label = {each.label: each for each in sent}
    path: list[tuple[str, float]] = []
    last = max(sent, key=lambda each: each.ended, default=None)
    while last is not None:
        path.append((last.label, round(last.ended - last.began, 2)))
        last = max((by_label[label] for label in waits[last.label]), key=lambda each: each.ended, default=None)
    return path[::-1]
