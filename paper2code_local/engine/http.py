"""Any OpenAI-compatible server as an engine: requests stream, share a bound on how many are in flight, and are repeated
when what went wrong passes.

In: a `Server` (what was found out about it) and a `Wire`. Out: completions. Must not know stages or run folders.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.dialects import EstimatingTokenizer, Server, as_chat, in_tokens
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.reasoning import without_reasoning
from paper2code_local.engine.runaway import LOOK_EVERY, repeats_itself
from paper2code_local.engine.wire import PassingError, Wire
from paper2code_local.errors import EngineError

CONCURRENCY = 8
"""Requests in flight where the user names no number: servers queue what they cannot batch."""
CHARACTERS_PER_TOKEN = 64
"""No token of a vocabulary is longer on average: more text than this makes of `max_tokens` is not the model's."""
LONGEST = 10
"""Times the time-out after which an answer is given up that still trickles."""
THOUGHTS = "deepseek_r1"
"""The parser of the marks <think> and </think>, which servers leave in where they have no parser."""
FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.S)


class _Theirs(BaseModel):
    """What we read of a server's JSON; the rest is its own."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Details(_Theirs):
    cached_tokens: int | None = None


class _Usage(_Theirs):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_tokens_details: _Details | None = None


class _Delta(_Theirs):
    content: str | None = None


class _Choice(_Theirs):
    text: str | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Chunk(_Theirs):
    choices: tuple[_Choice, ...] = ()
    usage: _Usage | None = None
    error: Any = None


class HttpEngine:
    """Satisfies `Engine` with one server."""

    def __init__(
        self,
        server: Server,
        wire: Wire,
        tokenizer: ChatTokenizer | EstimatingTokenizer,
        identity: str = "",
        concurrency: int = CONCURRENCY,
    ) -> None:
        """Ask `server` over `wire`; `identity` stands for its own where the weights are known better than it says."""
        self.model, self.can_prefill = identity or server.identity, server.can_prefill
        self._server, self._wire, self._tokenizer = server, wire, tokenizer
        self._slots = asyncio.Semaphore(concurrency)
        self._on_token: Callable[[int], None] = lambda _: None

    def on_token(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the number of new tokens whenever some arrive: for the live view."""
        self._on_token = listener

    async def complete(self, request: Request) -> Completion:
        """Complete `request`.

        Raises EngineError: lost, busy, timeout, denied, not_found, context, refused, server, redirected, not_openai.
        """
        path, body = self._written(request)
        async with self._slots:
            return await self._wire.patiently(lambda: self._complete(request, path, body))

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()

    def _written(self, request: Request) -> tuple[str, dict[str, Any]]:
        """Return path and body."""
        if not self._server.tokens:
            return as_chat(self._server, request)
        assert isinstance(self._tokenizer, ChatTokenizer)
        tokens = self._tokenizer.encode(request.system, request.user, request.prefill)
        return in_tokens(self._server, request, tokens)

    async def _complete(self, request: Request, path: str, body: dict[str, Any]) -> Completion:
        started = time.monotonic()
        heard = _Heard(request, self._wire, not self._server.tokens)
        try:
            async with asyncio.timeout(self._wire.timeout * LONGEST):
                await self._listen(heard, path, body)
        except TimeoutError as error:
            hint = "Look at the server's log; --engine-arg timeout=SECONDS waits longer."
            raise EngineError("timeout", f"{self._wire.url} does not finish {request.label}", hint) from error
        if not heard.finish:
            raise PassingError(
                "lost", f"{self._wire.url} broke off in the middle of {request.label}", "Run the same command again."
            )
        return self._completion(request, heard, time.monotonic() - started)

    async def _listen(self, heard: _Heard, path: str, body: dict[str, Any]) -> None:
        async with aclosing(self._wire.stream(path, body)) as events:
            async for event in events:
                if new := heard.take(event):
                    self._on_token(new)
                if heard.ended:
                    break

    def _completion(self, request: Request, heard: _Heard, seconds: float) -> Completion:
        text = heard.text
        if request.answer_schema is not None and (fenced := FENCED.match(text)):
            text = fenced[1]
        count, usage = self._tokenizer.count, heard.usage or _Usage()
        prompt = usage.prompt_tokens or count(request.system) + count(request.user) + count(request.prefill)
        cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
        return Completion(
            text=text,
            finish="length" if heard.finish == "length" else "stop",
            prompt_tokens=prompt,
            cached_tokens=min(cached or 0, prompt),
            completion_tokens=min(usage.completion_tokens or heard.pieces, request.max_tokens),
            seconds=round(seconds, 3),
        )


class _Heard:
    """What has arrived of an answer."""

    def __init__(self, request: Request, wire: Wire, chat: bool) -> None:
        self._request, self._wire, self._chat = request, wire, chat
        self._most = CHARACTERS_PER_TOKEN * request.max_tokens + len(request.prefill)
        self._raw = ""
        self.pieces = 0
        self.finish = ""
        """Why the answer ended, as the server says; "" before it does."""
        self.ended = False
        """Nothing more is of use."""
        self.usage: _Usage | None = None

    @property
    def answer(self) -> str:
        """What the model said, without thoughts and without what was written for it: some servers repeat both."""
        said = without_reasoning(self._raw, THOUGHTS) if self._chat else self._raw
        return said.removeprefix(self._request.prefill) if self._chat else said

    @property
    def text(self) -> str:
        """The answer up to the first stop string: some servers heed the first few only, or none."""
        answer = self.answer
        return answer[: min((at for stop in self._request.stop if (at := answer.find(stop)) >= 0), default=None)]

    def take(self, event: Any) -> int:
        """Take in one event; return the number of pieces of text that it brought. Raises EngineError."""
        try:
            chunk = _Chunk.model_validate(event)
        except ValidationError as error:
            hint = "Check that --engine-url names an OpenAI-compatible server."
            what = self._wire.quoted(str(event))[:80]
            raise EngineError("not_openai", f"{self._wire.url} streams what is no completion: {what}", hint) from error
        if chunk.error:
            hint = "Look at the server's log, then run the same command again."
            said = self._wire.quoted(str(chunk.error))
            raise EngineError("server", f"{self._wire.url} failed at {self._request.label}: {said}", hint)
        self.usage = chunk.usage or self.usage
        new = 0
        for choice in chunk.choices[:1]:
            if piece := choice.text or (choice.delta.content if choice.delta else ""):
                self._raw += piece
                new += 1
            self.finish = choice.finish_reason or self.finish
        self.pieces += new
        if new and self._request.stop and len(self.text) < len(self.answer):
            self.finish, self.ended = self.finish or "stop", True
        if len(self._raw) > self._most or (new and self.pieces % LOOK_EVERY == 0 and repeats_itself(self.answer)):
            self.finish, self.ended = "length", True
        return new
