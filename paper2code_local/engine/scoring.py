"""An engine that adds up how likely the answers were: what breaks a tie between samples.

In: an engine. Out: its completions, and their mean log-probability. Must not know what is compared.
"""

from __future__ import annotations

from paper2code_local.engine.protocol import Completion, Engine, Request


class ScoringEngine:
    """Satisfies `Engine` over another one, which it does not close."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sum, self._tokens = 0.0, 0

    @property
    def model(self) -> str:
        """Identity of the weights."""
        return self._engine.model

    @property
    def can_prefill(self) -> bool:
        """Whether `Request.prefill` is honoured."""
        return self._engine.can_prefill

    @property
    def mean(self) -> float:
        """Mean natural log-probability of all tokens so far; minus infinity where none was told."""
        return self._sum / self._tokens if self._tokens else float("-inf")

    async def complete(self, request: Request) -> Completion:
        """Complete a request and add up."""
        completion = await self._engine.complete(request.model_copy(update={"scored": True}))
        if completion.logprob is not None:
            self._sum += completion.logprob
            self._tokens += completion.completion_tokens
        return completion

    async def close(self) -> None:
        """Do nothing: the engine below is not ours."""
