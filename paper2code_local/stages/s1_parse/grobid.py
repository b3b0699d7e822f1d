"""Ask a GROBID server for the TEI of a PDF.

In: a PDF on disk and the URL of a server that the user named. Out: TEI bytes, unparsed and not yet trusted. Must not
know what TEI means (`tei.py`), where it is stored, or who waits for it.

`grobid_client` is used at its lowest public layer, `ApiClient`, with its one sending method replaced. Its
`process_pdf` (0.2.1) cannot be bounded or told apart: it reports a timeout, a refused connection and a truncated
body as the same 400, sleeps and recurses for as long as the server answers 503, goes through the proxy of the
environment, follows redirects, guesses the encoding of the TEI, and turns consolidation off by leaving the field
out, which trusts the server's default.

Only the PDF's bytes are sent, under the name `paper.pdf`, to the host in the URL and to no other.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paper2code_local.errors import GrobidError, InputError
from paper2code_local.stages.s1_parse.grobid_answers import (
    ELSE,
    Reply,
    advice,
    alive_in,
    busy,
    cut,
    down,
    printable,
    ready,
    tei_in,
    too_slow,
    version_in,
)

if TYPE_CHECKING:
    from grobid_client.client import ApiClient
    from requests import RequestException, Response

FORM = {
    "consolidateHeader": "0",
    "consolidateCitations": "0",
    "consolidateFunders": "0",
    "includeRawCitations": "0",
    "includeRawAffiliations": "0",
    "segmentSentences": "0",
}
"""What goes along with the PDF: nothing may be looked up elsewhere. (Coordinates are off unless asked for.)"""

LARGEST_ANSWER = 64 * 2**20
"""Bytes. The TEI of a thesis of 500 pages is about 5 MB."""

TICK = 2.0
"""Seconds between two calls of `waiting`."""

FIRST_CONTACT = 3.0
"""Seconds within which a server that is there answers a question that needs no work."""

RESTART = 60.0
"""Seconds that a server which broke off may take to come back; with all models loaded at its start GROBID takes 20 to
40."""

_RESENDS = 2
"""How often a PDF is sent again to a server that broke off: it may be this PDF that breaks it."""

_BROKEN = ("grobid.reset", "grobid.cut", "grobid.down")

Notice = Callable[[str], None]


async def tei_of(
    pdf: Path, url: str, *, deadline: float = 300.0, waiting: Notice | None = None, notice: Notice | None = None
) -> bytes:
    """Return the TEI that the GROBID server at `url` makes of `pdf`, with nothing looked up elsewhere.

    `deadline` is in seconds and bounds everything: connecting, a server that still starts or is busy (503, asked again
    after 0.5, 1, 2, 4, then 5 s), one that stops midway and comes back within 60 s (asked again twice at most), and
    GROBID's own work. `waiting` is told about every 2 s what is being waited for, `notice` once when another version
    is recommended.

    Raises `InputError` when the PDF cannot be read from disk, and `GrobidError` with one of these reasons: `bad_url`,
    `down`, `not_ready`, `too_old`, `busy`, `timeout`, `reset`, `cut`, `no_content`, `no_blocks`, `bad_input_data`,
    `pdfalto_conversion_failure`, `too_many_blocks`, `too_many_tokens`, `gave_up`, `tagging_error`, `parsing_error`,
    `general`, `failed`, `consolidated`, `html`, `not_tei`, `not_grobid`.
    """
    exchange = _Exchange(_server(url), pdf.name, deadline)
    document = _document(pdf)
    ticker = asyncio.create_task(_tick(pdf.name, waiting)) if waiting else None
    try:
        async with asyncio.timeout(deadline):
            version = await exchange.until_ready(FIRST_CONTACT)
            if notice and (said := advice(version, exchange.server)):
                notice(said)
            return await exchange.tei(document)
    except TimeoutError:
        raise exchange.trouble or too_slow(exchange.server, deadline) from None
    finally:
        if ticker:
            ticker.cancel()


async def alive(url: str, *, seconds: float = FIRST_CONTACT) -> str | None:
    """Return the version of the GROBID server at `url`, or None when nothing answers there within `seconds`.

    Raises `GrobidError`: `bad_url`; `busy` while GROBID still loads its models, `not_ready` when it could not;
    `too_old`; `not_grobid`, `reset` or `cut` when something else answers.
    """
    server = _server(url)
    try:
        async with asyncio.timeout(seconds):
            return await _version_of(server, seconds)
    except TimeoutError:
        return None
    except GrobidError as error:
        if error.code in ("grobid.down", "grobid.timeout"):
            return None
        raise


class _Exchange:
    """One PDF's dealings with one server; `trouble` is what is being waited for, should the deadline come."""

    def __init__(self, server: str, name: str, deadline: float) -> None:
        self.server, self.name, self.deadline = server, name, deadline
        self.trouble: GrobidError | None = None

    async def tei(self, document: bytes) -> bytes:
        """Send the document until it is answered with more than "busy"."""
        refusals = breaks = 0
        while True:
            try:
                reply = await _ask(self.server, "processFulltextDocument", self.deadline, document)
                if reply.status != 503:
                    return tei_in(reply, self.server, self.name)
                refusals += 1
                self.trouble = busy(self.server, refusals, self.deadline)
                await asyncio.sleep(_pause(refusals))
            except GrobidError as error:
                breaks += 1
                if error.code not in _BROKEN or breaks > _RESENDS:
                    raise
                self.trouble = error
                await self._back(error)

    async def until_ready(self, patience: float) -> str:
        """Wait for a server that still starts, and return its version. One that does not answer at all is down."""
        tries = 0
        while True:
            version = None
            try:
                async with asyncio.timeout(patience):
                    version = await _version_of(self.server, patience)
            except TimeoutError:
                raise down(self.server) from None
            except GrobidError as error:
                if error.code != "grobid.busy":
                    raise down(self.server) if error.code == "grobid.timeout" else error from None
                self.trouble = error
            if version is not None:
                self.trouble = None
                return version
            tries += 1
            await asyncio.sleep(_pause(tries))

    async def _back(self, broken: GrobidError) -> None:
        """Wait until a server that broke off answers again; raise what it broke with when it does not."""
        tries = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(RESTART):
                while True:
                    tries += 1
                    await asyncio.sleep(_pause(tries))
                    with suppress(GrobidError):
                        await _version_of(self.server, FIRST_CONTACT)
                        return
        raise broken


def _pause(tries: int) -> float:
    """Return how many seconds to wait after so many tries: 0.5, 1, 2, 4, then 5."""
    return float(min(2.0 ** (min(tries, 9) - 2), 5.0))


async def _version_of(server: str, seconds: float) -> str:
    """Return the version of a server that is ready. Raises `GrobidError` like `alive`, and `down` and `timeout`."""
    is_ready = ready(await _ask(server, "health", seconds), server)
    if is_ready is None:
        is_ready = alive_in(await _ask(server, "isalive", seconds), server)
    if not is_ready:
        raise GrobidError("busy", f"GROBID at {server} is still starting.", "Try again in half a minute.")
    return version_in(await _ask(server, "version", seconds), server)


async def _tick(name: str, waiting: Callable[[str], None]) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        await asyncio.sleep(TICK)
        waiting(f"GROBID is reading {name} ({clock() - began:.0f} s)")


async def _ask(server: str, service: str, seconds: float, document: bytes | None = None) -> Reply:
    """Send one request from a daemon thread, so that neither Ctrl-C nor the end of the process waits for an answer.

    (`asyncio.to_thread` would: both `asyncio.run` and the interpreter join its threads.)
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[Reply] = loop.create_future()

    def settle(outcome: Reply | GrobidError | None) -> None:
        if answered.cancelled():
            return
        if isinstance(outcome, Reply):
            answered.set_result(outcome)
        else:
            answered.set_exception(outcome or RuntimeError("the GROBID thread died of a bug, see its traceback"))

    def run() -> None:
        outcome: Reply | GrobidError | None = None
        try:
            outcome = _send(server, service, seconds, document)
        except GrobidError as error:
            outcome = error
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

    Thread(target=run, name="grobid", daemon=True).start()
    return await answered


def _send(server: str, service: str, seconds: float, document: bytes | None) -> Reply:
    from requests import RequestException

    client, url = _client(server), f"{server}/api/{service}"
    try:
        if document is None:
            response, status = client.get(url, timeout=seconds)
        else:
            files = {"input": ("paper.pdf", document, "application/pdf")}
            response, status = client.post(url, data=FORM, files=files, timeout=seconds)
        return Reply(status, _body(response, server))
    except RequestException as error:
        raise _broken(error, server, seconds) from error


def _client(server: str) -> ApiClient:
    """Return the GROBID client over a transport without proxies, redirects, compression or kept connections."""
    import requests
    from grobid_client.client import ApiClient

    class Client(ApiClient):  # type: ignore[misc]  # mypy does not follow grobid_client, see setup.cfg
        def call_api(
            self,
            method: str,
            url: str,
            headers: dict[str, str] | None = None,
            params: dict[str, Any] | None = None,
            data: dict[str, str] | None = None,
            files: dict[str, Any] | None = None,
            timeout: float | None = None,
        ) -> tuple[Response, int]:
            session = requests.Session()
            session.trust_env = False
            response = session.request(
                method,
                url,
                headers={"Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"} | (headers or {}),
                params=params,
                data=data,
                files=files,
                timeout=timeout,
                allow_redirects=False,
                stream=True,
            )
            return response, response.status_code

    return Client(server)


def _body(response: Response, server: str) -> bytes:
    body = bytearray()
    with response:
        for chunk in response.iter_content(2**16):
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise GrobidError(
                    "not_tei",
                    f"{server} answered with more than {LARGEST_ANSWER // 2**20} MB.",
                    f"No paper is that long: is it GROBID? {ELSE}",
                )
    return bytes(body)


def _server(url: str) -> str:
    """Return `url` without a trailing slash, or raise `bad_url`."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound or parts.username is not None or parts.query or parts.fragment or not re.fullmatch(r"[!-~]+", url):
        shown = printable(url.rpartition("@")[2])
        raise GrobidError(
            "bad_url",
            f"{shown!r} is not the URL of a GROBID server.",
            "Write http://HOST:PORT, for example http://127.0.0.1:8070 (no user name, query or fragment).",
        )
    return url.rstrip("/")


def _document(pdf: Path) -> bytes:
    try:
        return pdf.read_bytes()
    except OSError as error:
        raise InputError(
            "unreadable", f"{pdf} cannot be read: {error.strerror}.", "Check the path and its permissions."
        ) from error


def _broken(error: RequestException, server: str, seconds: float) -> GrobidError:
    """Say what a failed exchange was; requests wraps urllib3's reason once or twice."""
    from requests import exceptions as at
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(error, at.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return down(server)
    if isinstance(error, at.Timeout) or isinstance(reason, ReadTimeoutError):
        return too_slow(server, seconds)
    if isinstance(error, at.ChunkedEncodingError | at.ContentDecodingError):
        return cut(server)
    if isinstance(error, at.SSLError | at.InvalidURL | at.InvalidSchema):
        return GrobidError(
            "bad_url", f"{server} cannot be spoken to.", "Check the URL: http:// or https://, host and port."
        )
    return GrobidError(
        "reset",
        f"{server} broke the connection before it answered.",
        f"GROBID may have run out of memory (give it 4 GB) or have been stopped: look at its log. {ELSE}",
    )
