"""One HTTP server: JSON goes out, JSON or a stream of events comes back; every failure is one clear `EngineError`.

In: a URL that the user named and a key from the environment. Out: parsed JSON. Must not know prompts or models. The key
goes into a header and nowhere else: what the server says is shown without it. Redirects are refused and proxies of the
environment ignored: a request goes to the host that was named, or nowhere.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import httpx2

from paper2code_local.errors import EngineError, UsageError

T = TypeVar("T")
KEY_VARIABLE = "P2C_API_KEY"
TIMEOUT = 600.0
"""Seconds without a byte after which a server is given up: a long prompt may wait in its queue."""
CONNECT = 5.0
"""Seconds for a connection."""
PATIENCE = 300.0
"""Seconds for which a server that is busy, or loading its model, is asked again."""
LOST_TRIES = 3
"""Times that a lost connection is tried again."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0
"""Seconds before a request is repeated: doubled each time, up to the longest, give or take half."""
BUSY = frozenset({408, 429, 502, 503, 504})
"""Statuses that pass."""
LARGEST_ANSWER = 8 << 20
"""Bytes of an answer that is not streamed."""
SHOWN = 300
"""Characters of a server's own words in an error."""
TOO_LONG = re.compile(r"context|too long|maximum.{0,40}token|exceed", re.I)


class PassingError(EngineError):
    """The same request may succeed later; `after` seconds, when the server said so."""

    after: float | None = None


def address(url: str) -> tuple[str, str | None]:
    """Return (the URL to which paths are appended, the Unix socket to go through) for what the user named.

    `http://HOST:PORT/v1` and `unix:///PATH/TO/SOCKET` are understood; a missing `/v1` is added. Raises UsageError.
    """
    hint = "For example --engine-url http://127.0.0.1:8000/v1, or unix:///run/user/1000/p2c-local/vllm.sock."
    try:
        parts = urlsplit(url)
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError as error:
        raise UsageError("engine_url", f"--engine-url {url!r} is no URL: {error}", hint) from error
    if parts.username or parts.password:
        raise UsageError(
            "engine_url", "--engine-url holds a name or a password", f"Put the server's key into {KEY_VARIABLE}."
        )
    if parts.scheme == "unix" and not parts.netloc and parts.path.strip("/"):
        return "http://localhost/v1", unquote(parts.path)
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_a_number or parts.query:
        raise UsageError("engine_url", f"--engine-url {url!r} is no address of a server", hint)
    path = parts.path.rstrip("/") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}", None


class Wire:
    """A connection to one server, kept open between requests."""

    def __init__(
        self,
        url: str,
        key: str = "",
        timeout: float = TIMEOUT,
        patience: float = PATIENCE,
        first_wait: float = FIRST_WAIT,
    ) -> None:
        """Prepare; nothing is sent yet. Raises UsageError when `url` is none."""
        self.url, self.timeout, self._patience, self._first_wait = url, timeout, patience, first_wait
        self._base, socket = address(url)
        self._root = self._base.removesuffix("/v1")
        self._key = key.strip()
        try:
            authorization = {b"Authorization": f"Bearer {self._key}".encode("ascii")} if self._key else {}
        except UnicodeEncodeError as error:
            raise UsageError("api_key", f"{KEY_VARIABLE} holds more than ASCII", "Set it again.") from error
        self._client = httpx2.AsyncClient(
            headers={b"Accept-Encoding": b"identity"} | authorization,  # nothing to unpack, nothing that explodes
            timeout=httpx2.Timeout(timeout, connect=CONNECT, pool=None),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=32),
            # Certificates are read for https alone: that takes 20 ms.
            transport=httpx2.AsyncHTTPTransport(uds=socket, verify=self._base.startswith("https:"), trust_env=False),
            trust_env=False,
            follow_redirects=False,
        )

    async def close(self) -> None:
        """Close the connections; idempotent."""
        await self._client.aclose()

    async def get(self, path: str) -> Any:
        """Return the JSON at `path`: "/models" below the URL, "//props" below its root."""
        return await self._whole("GET", path, None)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the JSON that answers `body`."""
        return await self._whole("POST", path, body)

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Any]:
        """Yield the JSON of each event that answers `body`, up to `[DONE]` or the end of the stream."""
        async with self._sent("POST", path, body) as response:
            kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "text/event-stream":
                raise self._strange(f"with {kind or 'something'!r} instead of a stream of events")
            async for event in httpx2.EventSource(response):
                if event.data.strip() == "[DONE]":
                    return
                if event.data:
                    yield self._json(event.data)

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Return what `ask` gives; after a `PassingError` it is asked again until patience ends."""
        deadline = time.monotonic() + self._patience
        for tried in itertools.count(1):
            try:
                return await ask()
            except PassingError as error:
                wait = min(LONGEST_WAIT, self._first_wait * 2 ** (tried - 1)) * random.uniform(0.5, 1.5)
                wait = max(wait, error.after or 0)
                tired = error.code == "engine.lost" and tried > LOST_TRIES
                if tired or time.monotonic() + wait > deadline:
                    raise
                await asyncio.sleep(wait)
        raise AssertionError

    def quoted(self, text: str) -> str:
        """Return a server's words for an error: one line, short, without the key."""
        if self._key:
            text = text.replace(self._key, "***")
        return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())[:SHOWN]

    async def _whole(self, method: str, path: str, body: dict[str, Any] | None) -> Any:
        async with self._sent(method, path, body) as response:
            return self._json(await _bounded(response))

    @asynccontextmanager
    async def _sent(self, method: str, path: str, body: dict[str, Any] | None) -> AsyncIterator[httpx2.Response]:
        """Send a request and hold its answer open. Raises EngineError for whatever is no success."""
        url = f"{self._root}{path[1:]}" if path.startswith("//") else f"{self._base}{path}"
        try:
            async with self._client.stream(method, url, json=body) as response:
                if response.status_code != 200:
                    raise self._refusal(response, await _bounded(response))
                yield response
        except httpx2.TimeoutException as error:
            if isinstance(error, httpx2.ConnectTimeout):
                raise self._lost("nothing answers at") from error
            hint = "Look at the server's log; --engine-arg timeout=SECONDS waits longer."
            raise EngineError("timeout", f"{self.url} said nothing for {self.timeout:g} s", hint) from error
        except httpx2.ConnectError as error:
            raise self._lost("nothing answers at") from error
        except (httpx2.NetworkError, httpx2.RemoteProtocolError) as error:
            raise self._lost("the connection was cut by") from error
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise self._strange(f"with what is no HTTP ({self.quoted(str(error))})") from error

    def _json(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._strange(f"with what is no JSON: {self.quoted(text)[:80]!r}") from error

    def _strange(self, how: str) -> EngineError:
        hint = "Check that --engine-url names an OpenAI-compatible server (its URL mostly ends in /v1)."
        return EngineError("not_openai", f"{self.url} answers {how}", hint)

    def _lost(self, what: str) -> PassingError:
        return PassingError("lost", f"{what} {self.url}", "Start the server, then run the same command again to go on.")

    def _refusal(self, response: httpx2.Response, body: str) -> EngineError:
        """Return what is wrong when the status is not 200."""
        status, said = response.status_code, self.quoted(_message(body))
        told = f"{self.url} answers {status}" + (f": {said}" if said else "")
        if status in BUSY:
            busy = PassingError("busy", told, "Wait until the server has room; --engine-arg concurrency=N asks less.")
            busy.after = _seconds(response.headers.get("retry-after", ""))
            return busy
        match status:
            case 401 | 403:
                return EngineError("denied", told, f"Put the server's key into the environment as {KEY_VARIABLE}.")
            case 404 | 405:
                return EngineError("not_found", told, "Check --engine-url (mostly it ends in /v1) and --model.")
            case 400 | 413 | 422 if status == 413 or TOO_LONG.search(said):
                hint = "Start the server with a longer context, or say what it has: --engine-arg context=N."
                return EngineError("context", told, hint)
            case 400 | 422:
                return EngineError("refused", told, "Check --model and --engine-arg; the server's log may say more.")
            case _ if 300 <= status < 400:
                return EngineError("redirected", told, "Name the final address with --engine-url.")
            case _ if status >= 500:
                return EngineError("server", told, "Look at the server's log, then run the same command again.")
        return EngineError("not_openai", told, "Check that --engine-url names an OpenAI-compatible server.")


async def _bounded(response: httpx2.Response) -> str:
    """Return the body as text, the beginning of it when it is very long."""
    parts, size = [], 0
    async for part in response.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > LARGEST_ANSWER:
            break
    return b"".join(parts)[:LARGEST_ANSWER].decode("utf-8", "replace")


def _message(body: str) -> str:
    """Return what an error's body says: `error.message`, `error`, `message`, `detail`, or the text itself."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return re.sub(r"<[^<>]{0,500}>", " ", body[:5000])
    for _ in range(2):
        if isinstance(said, dict):
            said = next((said[k] for k in ("error", "message", "detail") if said.get(k)), "")
    return said if isinstance(said, str) else json.dumps(said)


def _seconds(header: str) -> float | None:
    """Read Retry-After when it is a number of seconds."""
    return float(header) if re.fullmatch(r"\d{1,6}(\.\d+)?", header.strip()) else None
