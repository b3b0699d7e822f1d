"""Engines for tests: functions of the request that remember what they were asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Literal

from paper2code_local.asking import Asker
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.modelstore.card import Sampling

SAMPLING = Sampling(temperature=0.2, top_p=0.95, repetition_penalty=1.0)
Said = str | tuple[str, Literal["stop", "length"]]


class Words:
    """A tokenizer: one token a word or mark."""

    def count(self, text: str) -> int:
        return len(re.findall(r"\w+|[^\w\s]", text))


class Answering:
    """Satisfies `Engine`: answers with what `say` returns, in order of asking."""

    model = "answering"

    def __init__(self, say: Callable[[Request], Said], *, can_prefill: bool = True) -> None:
        self._say, self.can_prefill = say, can_prefill
        self.asked: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.asked.append(request)
        said = self._say(request)
        text, finish = said if isinstance(said, tuple) else (said, "stop")
        return Completion(text=text, finish=finish, prompt_tokens=1, cached_tokens=0, completion_tokens=1, seconds=0.0)

    async def close(self) -> None:
        """Nothing to release."""

    def labels(self) -> list[str]:
        return [request.label for request in self.asked]


def in_turn(*said: Said) -> Callable[[Request], Said]:
    """Say one after the other, the last of them for ever."""
    left = list(said)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def asker(engine: Any, **changes: Any) -> Asker:
    """Return an asker with a generous context."""
    settings: dict[str, Any] = {"system": "You build.", "context": 30_000, "sampling": SAMPLING, "seed": 3} | changes
    return Asker(engine=engine, tokenizer=Words(), **settings)
