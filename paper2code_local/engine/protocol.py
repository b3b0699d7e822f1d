"""What the stages know of an engine: a request goes in, a completion comes out.

Must not know vLLM, files, or what a question means.
"""

from __future__ import annotations

import hashlib
import json
from typing import Literal, Protocol

from pydantic import JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.modelstore.card import Sampling


class Request(Frozen):
    """One completion to be made: one system message, one user message, and what is already written of the answer."""

    label: str
    """Names the call in log, event and file: "plan.interface.model.py~2"."""
    system: str
    user: str
    prefill: str = ""
    """Opening of the answer, written for the model; only for engines with `can_prefill`."""
    answer_schema: dict[str, JsonValue] | None = None
    """JSON schema that the completion must satisfy; None for free text."""
    max_tokens: int
    stop: tuple[str, ...] = ()
    """The completion ends before the first of these."""
    avoid: tuple[str, ...] = ()
    """Not to be written; an engine that cannot steer the model writes them all the same."""
    sampling: Sampling
    seed: int
    scored: bool = False
    """Whether the log-probability is wanted too."""

    def identity(self, model: str) -> str:
        """Return the sha256 of everything that decides the answer; neither label nor `scored` is part of it."""
        said = self.model_dump(mode="json", exclude={"label", "scored"}) | {"model": model}
        canonical = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()


class Completion(Frozen):
    """What came back. `text` excludes the prefill and the stop string."""

    text: str
    finish: Literal["stop", "length"]
    prompt_tokens: int
    cached_tokens: int
    """Of `prompt_tokens`, those whose KV cache was already there."""
    completion_tokens: int
    seconds: float
    logprob: float | None = None
    """Sum of the natural log-probabilities of the answer's tokens; None where the engine does not tell, or was not
    asked to (`Request.scored`)."""


class Tokenizer(Protocol):
    """Counts tokens as the model does, without the model."""

    def count(self, text: str) -> int:
        """Return the number of tokens of `text`, special tokens in it broken up."""
        ...


class Engine(Protocol):
    """Anything that completes requests. Implementations batch whatever is in flight."""

    @property
    def model(self) -> str:
        """Identity of the weights: part of every question's identity."""
        ...

    @property
    def can_prefill(self) -> bool:
        """Whether `Request.prefill` is honoured."""
        ...

    async def complete(self, request: Request) -> Completion:
        """Complete one request. Raises EngineError when the engine is lost for good."""
        ...

    async def close(self) -> None:
        """Release the engine; idempotent."""
        ...
