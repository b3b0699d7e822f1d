"""A stand-in for OpenAI-compatible servers: their REST contract on a loopback port, in the dialect of your choice.

In: what the server speaks, and in order how the next requests are answered instead. Out: a real HTTP server in a
thread, and what it was sent. Its model is the scripted engine.

    with StandIn(Speaks(schema="guided_json"), faults=[busy(1), cut]) as server:      # 429, a cut stream, then answers
        ... server.url, server.received[-1].body ...
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from types import TracebackType
from typing import Any

from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.modelstore.card import Sampling
from tests.engine.longest import WORDS, longest_match

VLLM_FIELDS = frozenset(
    {"chat_template_kwargs", "repetition_penalty", "continue_final_message", "add_generation_prompt"}
)


@dataclass(frozen=True)
class Speaks:
    """A server's dialect."""

    schema: str = "json_schema"
    """The one of `SCHEMA_DIALECTS` that it heeds; it ignores the others."""
    prefill: str = "none"
    """How it goes on with a last message of the assistant."""
    strict: bool = False
    """Turns down the fields that vLLM adds."""
    system: bool = True
    """Its template has a system role."""
    tokens: bool = False
    """Takes token ids."""
    usage: bool = True
    """Tells how many tokens it read and wrote."""
    stops: bool = True
    """Heeds stop strings."""
    models: tuple[dict[str, Any], ...] = ({"id": "tiny", "root": "/models/tiny", "max_model_len": 4096},)
    pages: dict[str, Any] = field(default_factory=dict)
    """What other paths give."""
    delay: float = 0
    """Seconds that a completion takes."""
    tokenizes: bool = False
    """Has /tokenize: a token for every four characters."""


@dataclass(frozen=True)
class Received:
    """One request as it arrived."""

    path: str
    body: dict[str, Any]
    headers: dict[str, str]


Fault = Callable[["_Handler"], None]
"""How one completion is answered instead."""


def busy(after: float | None = None, status: int = 429) -> Fault:
    """Return the fault of a server that has no room now."""
    headers = {} if after is None else {"Retry-After": f"{after:g}"}
    return lambda handler: handler.answer(status, b'{"error": {"message": "no room"}}', headers=headers)


def failed(status: int, message: str) -> Fault:
    """Return the fault with this status and error message."""
    return lambda handler: handler.answer(status, json.dumps({"error": {"message": message}}).encode())


def html(handler: _Handler) -> None:
    """A login page stands in front, and says that all is well."""
    handler.answer(200, b"<!DOCTYPE html><html><body>Please log in</body></html>", "text/html")


def no_json(handler: _Handler) -> None:
    """A stream of what is no JSON."""
    handler.answer(200, b"data: {broken\n\n", "text/event-stream")


def no_completion(handler: _Handler) -> None:
    """A stream of JSON of another kind."""
    handler.answer(200, b'data: {"choices": "none"}\n\ndata: [DONE]\n\n', "text/event-stream")


def error_midway(handler: _Handler) -> None:
    """The engine behind the server dies while it answers."""
    told = b'data: {"choices": [{"delta": {"content": "x"}}]}\n\ndata: {"error": {"message": "EngineDeadError"}}\n\n'
    handler.answer(200, told, "text/event-stream")


def cut(handler: _Handler) -> None:
    """The stream ends in the middle, as if it were whole."""
    handler.answer(200, b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n', "text/event-stream")


def reset(handler: _Handler) -> None:
    """The connection breaks before the answer, as when a server is killed."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())


def reset_midway(handler: _Handler) -> None:
    """The connection breaks while the answer streams."""
    handler.start(200, "text/event-stream", {"Content-Length": "5000"})
    handler.wfile.write(b'data: {"choices": [{"delta": {"content": "x"}}]}\n\n')
    handler.wfile.flush()
    reset(handler)


def hang(handler: _Handler) -> None:
    """Say nothing until the server is closed."""
    handler.stand_in.closing.wait()


def endless(handler: _Handler) -> None:
    """Talk on, whatever max_tokens says."""
    handler.start(200, "text/event-stream", {})
    while not handler.stand_in.closing.is_set():
        handler.wfile.write(b'data: {"choices": [{"delta": {"content": "' + b"talk " * 200 + b'"}}]}\n\n')


def says(text: str) -> Fault:
    """Return the fault that answers with this text, in two pieces."""
    events = [{"choices": [{"delta": {"content": part}}]} for part in (text[:5], text[5:])]
    end: dict[str, Any] = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    told = "".join(f"data: {json.dumps(event)}\n\n" for event in [*events, end])
    return lambda handler: handler.answer(200, told.encode(), "text/event-stream")


def redirect(to: str) -> Fault:
    """Return the fault that sends the client elsewhere."""
    return lambda handler: handler.answer(307, b"", headers={"Location": to})


class StandIn:
    """A server on 127.0.0.1; while there are `faults`, completions are answered with these, None for as usual."""

    def __init__(self, speaks: Speaks | None = None, *, faults: Iterable[Fault | None] = (), key: str = "") -> None:
        self.speaks, self.key = speaks or Speaks(), key
        self.received: list[Received] = []
        self.closing = threading.Event()
        self.running = self.most = 0
        """Completions in flight now, and at most so far."""
        self.faults = iter(faults)
        self.lock = threading.Lock()

        class Handler(_Handler):
            stand_in = self

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def completions(self) -> list[dict[str, Any]]:
        """Return the bodies of the completions that were asked for."""
        return [each.body for each in self.received if each.path.endswith("/completions")]

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    stand_in: StandIn
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self._kept({})
        speaks = self.stand_in.speaks
        pages = {"/v1/models": {"object": "list", "data": list(speaks.models)}} | speaks.pages
        if not self._allowed():
            return
        if self.path in pages:
            self.answer(200, json.dumps(pages[self.path]).encode())
        else:
            self.answer(404, b'{"detail": "Not Found"}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
        self._kept(body)
        if not self._allowed():
            return
        if self.path == "/tokenize" and self.stand_in.speaks.tokenizes:
            self.answer(200, json.dumps({"tokens": list(range(len(body["prompt"]) // 4))}).encode())
        elif self.path in ("/v1/chat/completions", "/v1/completions"):
            with self.stand_in.lock:
                fault = next(self.stand_in.faults, None)
                self.stand_in.running += 1
                self.stand_in.most = max(self.stand_in.most, self.stand_in.running)
            try:
                (fault or _Handler.complete)(self)
            finally:
                with self.stand_in.lock:
                    self.stand_in.running -= 1
        else:
            self.answer(404, b'{"detail": "Not Found"}')

    def complete(self) -> None:
        """Answer as the scripted engine does."""
        body, speaks = self.mine, self.stand_in.speaks
        if self.path == "/v1/completions" and not speaks.tokens:
            self.answer(400, b'{"error": {"message": "prompt must be a string"}}')
            return
        if speaks.strict and (unknown := VLLM_FIELDS & set(body)):
            self.answer(400, json.dumps({"error": {"message": f"unknown field {min(unknown)}"}}).encode())
            return
        if len(body.get("stop", ())) > 4:
            self.answer(400, b'{"error": {"message": "body.stop: at most 4 items"}}')
            return
        if not speaks.system and any(m["role"] == "system" for m in body.get("messages", ())):
            self.answer(400, b'{"error": {"message": "System role not supported"}}')
            return
        asked = _asked(body, speaks)
        done = asyncio.run(ScriptedEngine(delay=speaks.delay).complete(asked))
        last = body.get("messages", [{}])[-1]
        if last.get("content", "").endswith("over the lazy"):  # a clever model goes on in a message of its own too
            done = done.model_copy(update={"text": " dog."})
        turned = 5 if last.get("role") == "assistant" and not asked.prefill else 0
        self._stream(done, len(body["prompt"]) if "prompt" in body else done.prompt_tokens + turned)

    def _stream(self, done: Completion, prompt_tokens: int) -> None:
        chat = self.path.endswith("chat/completions")
        self.start(200, "text/event-stream", {})
        pieces = [done.text[i : i + 20] for i in range(0, len(done.text), 20)]
        for piece in pieces:
            self._event({"choices": [{"index": 0} | ({"delta": {"content": piece}} if chat else {"text": piece})]})
        self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": done.finish}]})
        if self.stand_in.speaks.usage:
            usage = {"prompt_tokens": prompt_tokens, "completion_tokens": done.completion_tokens}
            self._event({"choices": [], "usage": usage | {"prompt_tokens_details": {"cached_tokens": 1}}})
        self.wfile.write(b"data: [DONE]\n\n")

    def _event(self, value: dict[str, Any]) -> None:
        self.wfile.write(b": ping\n\ndata: " + json.dumps(value).encode() + b"\n\n")
        self.wfile.flush()

    def _allowed(self) -> bool:
        key = self.stand_in.key
        if key and self.headers.get("Authorization") != f"Bearer {key}":
            said = f"Incorrect API key: {self.headers.get('Authorization', 'none')}"
            self.answer(401, json.dumps({"error": {"message": said}}).encode())
            return False
        return True

    def _kept(self, body: dict[str, Any]) -> None:
        self.mine = body
        self.stand_in.received.append(Received(self.path, body, dict(self.headers)))

    def start(self, status: int, kind: str, headers: dict[str, str]) -> None:
        """Send status and headers."""
        self.send_response(status)
        for name, value in ({"Content-Type": kind} | headers).items():
            self.send_header(name, value)
        self.end_headers()

    def answer(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        """Send a whole answer."""
        self.start(status, kind, {"Content-Length": str(len(body))} | (headers or {}))
        self.wfile.write(body)

    def handle(self) -> None:
        """Serve one connection; the client may close it before all is said."""
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test output clean."""


def _asked(body: dict[str, Any], speaks: Speaks) -> Request:
    """Return the request that the server understands."""
    messages = body.get("messages", [])
    said = {m["role"]: m["content"] for m in messages}
    flagged = body.get("continue_final_message", False)
    goes_on = speaks.prefill == "last_message" or (speaks.prefill == "continue_final_message" and flagged)
    formats = body.get("response_format", {})
    schemas = {
        "json_schema": formats.get("json_schema", {}).get("schema"),
        "structured_outputs": body.get("structured_outputs", {}).get("json"),
        "guided_json": body.get("guided_json"),
        "json_object": formats.get("schema"),
        "bare": body.get("json_schema"),
    }
    return Request(
        label="served",
        system=said.get("system", ""),
        user=said.get("user", str(body.get("prompt", ""))),
        prefill=said.get("assistant", "") if goes_on else "",
        answer_schema=_exemplified(schemas.get(speaks.schema)),
        max_tokens=body["max_tokens"],
        stop=tuple(body.get("stop", ())) if speaks.stops else (),
        sampling=Sampling(temperature=body["temperature"], top_p=body["top_p"], repetition_penalty=1),
        seed=body["seed"],
    )


def _exemplified(schema: Any) -> Any:
    """Return `schema` with examples beside every pattern: the scripted engine reads no patterns."""
    if isinstance(schema, list):
        return [_exemplified(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    pattern = schema.get("pattern")
    more = {"examples": _matches(pattern, schema.get("maxLength", 200))} if isinstance(pattern, str) else {}
    return {key: _exemplified(value) for key, value in schema.items()} | more


@cache
def _matches(pattern: str, limit: int) -> list[str]:
    """Return a few texts that `pattern` matches, short where it allows that."""
    for most in sorted({min(18, limit), min(60, limit), limit}):
        with suppress(AssertionError):
            return [longest_match(pattern, most, _letters(i)) for i in range(8)]
    raise AssertionError(pattern)


def _letters(first: int) -> Callable[[str], Iterator[str]]:
    words = WORDS[first:] + WORDS[:first]
    return lambda separator: (letter for word in cycle(words) for letter in word + separator)
