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
import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from paper2code_local.errors import GrobidError, InputError

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

_ROOT = "{http://www.tei-c.org/ns/1.0}TEI"
_ELSE = "Start one with scripts/start-grobid, name another with --grobid URL, or use --parser pdf."
_DAMAGED = "Open the PDF in a viewer: it is probably damaged or encrypted. Save it again, or use --parser pdf."
_TOO_LONG = "The PDF is too long for GROBID: cut it down to the paper itself, or use --parser pdf."
_CODES = {
    b"NO_BLOCKS": "The PDF holds no text, probably only scanned images: run OCR on it first (ocrmypdf, say).",
    b"BAD_INPUT_DATA": _DAMAGED,
    b"PDFALTO_CONVERSION_FAILURE": _DAMAGED,
    b"TOO_MANY_BLOCKS": _TOO_LONG,
    b"TOO_MANY_TOKENS": _TOO_LONG,
    b"TIMEOUT": "GROBID gave up on this PDF (by default after 120 s): give its machine more room, or use --parser pdf.",
}


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    body: bytes


async def tei_of(
    pdf: Path, url: str, *, deadline: float = 300.0, waiting: Callable[[str], None] | None = None
) -> bytes:
    """Return the TEI that the GROBID server at `url` makes of `pdf`.

    `deadline` is in seconds and bounds everything: connecting, being told that the server is busy (503, asked again
    after 0.5, 1, 2, 4, then 5 s), and GROBID's own work. `waiting` is told about every 2 s what is being waited for.

    Raises `InputError` when the PDF cannot be read from disk, and `GrobidError` with one of these reasons:
    `bad_url`, `down`, `busy`, `timeout`, `reset`, `cut`, `no_content`, `failed`, `html`, `not_tei`, `not_grobid`.
    """
    server = _server(url)
    document = _document(pdf)
    refusals = 0
    ticker = asyncio.create_task(_tick(pdf.name, waiting)) if waiting else None
    try:
        async with asyncio.timeout(deadline):
            while (reply := await _ask(server, "processFulltextDocument", deadline, document)).status == 503:
                refusals += 1
                await asyncio.sleep(min(2.0 ** (refusals - 2), 5.0))
    except TimeoutError:
        raise (_busy(server, refusals, deadline) if refusals else _too_slow(server, deadline)) from None
    finally:
        if ticker:
            ticker.cancel()
    return _tei_in(reply, server, pdf.name)


async def alive(url: str, *, seconds: float = 3.0) -> str | None:
    """Return the version of the GROBID server at `url`, or None when nothing answers there within `seconds`.

    Raises `GrobidError`: `bad_url`; `busy` while GROBID still loads its models; `not_grobid`, `reset` or `cut` when
    something else answers.
    """
    server = _server(url)
    try:
        async with asyncio.timeout(seconds):
            ping = await _ask(server, "isalive", seconds)
            if ping.status == 503:
                raise GrobidError("busy", f"GROBID at {server} is still starting.", "Try again in half a minute.")
            if ping.status != 200 or ping.body.strip() != b"true":
                raise _not_grobid(server, ping.status)
            return _version_in(await _ask(server, "version", seconds), server)
    except TimeoutError:
        return None
    except GrobidError as error:
        if error.code in ("grobid.down", "grobid.timeout"):
            return None
        raise


async def _tick(name: str, waiting: Callable[[str], None]) -> None:
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        await asyncio.sleep(TICK)
        waiting(f"GROBID is reading {name} ({clock() - began:.0f} s)")


async def _ask(server: str, service: str, seconds: float, document: bytes | None = None) -> _Reply:
    """Send one request from a daemon thread, so that neither Ctrl-C nor the end of the process waits for an answer.

    (`asyncio.to_thread` would: both `asyncio.run` and the interpreter join its threads.)
    """
    loop = asyncio.get_running_loop()
    answered: asyncio.Future[_Reply] = loop.create_future()

    def settle(outcome: _Reply | GrobidError | None) -> None:
        if answered.cancelled():
            return
        if isinstance(outcome, _Reply):
            answered.set_result(outcome)
        else:
            answered.set_exception(outcome or RuntimeError("the GROBID thread died of a bug, see its traceback"))

    def run() -> None:
        outcome: _Reply | GrobidError | None = None
        try:
            outcome = _send(server, service, seconds, document)
        except GrobidError as error:
            outcome = error
        finally:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

    Thread(target=run, name="grobid", daemon=True).start()
    return await answered


def _send(server: str, service: str, seconds: float, document: bytes | None) -> _Reply:
    from requests import RequestException

    client, url = _client(server), f"{server}/api/{service}"
    try:
        if document is None:
            response, status = client.get(url, timeout=seconds)
        else:
            files = {"input": ("paper.pdf", document, "application/pdf")}
            response, status = client.post(url, data=FORM, files=files, timeout=seconds)
        return _Reply(status, _body(response, server))
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
                    f"No paper is that long: is it GROBID? {_ELSE}",
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
        shown = _printable(url.rpartition("@")[2])
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


def _tei_in(reply: _Reply, server: str, name: str) -> bytes:
    """Return the body of a reply that looks like whole TEI. Only its first tag and its end are looked at here."""
    if reply.status == 204:
        raise GrobidError(
            "no_content",
            f"GROBID found nothing to structure in {name}.",
            "Is it a paper with text in it? Run OCR on a scan first, or use --parser pdf.",
        )
    if reply.status in (400, 500):
        raise _failed(reply.body, name)
    if reply.status != 200:
        raise _not_grobid(server, reply.status)
    if reply.body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise GrobidError(
            "html",
            f"{server} answered with an HTML page instead of TEI.",
            f"Something else listens there (a proxy, a login page). Check the URL. {_ELSE}",
        )
    if _root_of(reply.body) != _ROOT:
        raise GrobidError("not_tei", f"{server} answered with something that is not TEI.", f"Is it GROBID? {_ELSE}")
    if not reply.body.rstrip().endswith(b"</TEI>"):
        raise _cut(server)
    return reply.body


def _root_of(body: bytes) -> str | None:
    from lxml import etree

    parser = etree.XMLPullParser(
        events=("start",), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        parser.feed(body[: 2**16])
        event = next(parser.read_events(), None)
    except etree.XMLSyntaxError:
        return None
    return str(event[1].tag) if event and isinstance(event[1], etree._Element) else None


def _version_in(reply: _Reply, server: str) -> str:
    """Return the version from `{"version": …}` (GROBID 0.8 and later) or from plain text (before)."""
    text = reply.body.decode(errors="replace").strip()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = text
    version = answer.get("version") if isinstance(answer, dict) else text
    if reply.status != 200 or not isinstance(version, str) or not re.fullmatch(r"[\w.+-]{1,60}", version, re.ASCII):
        raise _not_grobid(server, reply.status)
    return version


def _broken(error: RequestException, server: str, seconds: float) -> GrobidError:
    """Say what a failed exchange was; requests wraps urllib3's reason once or twice."""
    from requests import exceptions as at
    from urllib3.exceptions import NewConnectionError, ReadTimeoutError

    inner = error.args[0] if error.args else None
    reason = getattr(inner, "reason", inner)
    if isinstance(error, at.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return GrobidError("down", f"No GROBID server answers at {server}.", _ELSE)
    if isinstance(error, at.Timeout) or isinstance(reason, ReadTimeoutError):
        return _too_slow(server, seconds)
    if isinstance(error, at.ChunkedEncodingError | at.ContentDecodingError):
        return _cut(server)
    if isinstance(error, at.SSLError | at.InvalidURL | at.InvalidSchema):
        return GrobidError(
            "bad_url", f"{server} cannot be spoken to.", "Check the URL: http:// or https://, host and port."
        )
    return GrobidError(
        "reset",
        f"{server} broke the connection before it answered.",
        f"GROBID may have run out of memory (give it 4 GB) or have been stopped: look at its log. {_ELSE}",
    )


def _failed(body: bytes, name: str) -> GrobidError:
    text = _printable(body[:400].decode(errors="replace"))[:200] or "no reason given"
    code = re.match(rb"\s*\[([A-Z_]+)\]", body)
    hint = _CODES.get(code[1] if code else b"", "Look at GROBID's log, or use --parser pdf.")
    return GrobidError("failed", f"GROBID could not read {name}: {text}", hint)


def _busy(server: str, refusals: int, seconds: float) -> GrobidError:
    return GrobidError(
        "busy",
        f"GROBID at {server} was busy: it refused {refusals} times and had not read the paper after {seconds:.0f} s.",
        "Wait until its other work is done, or raise its concurrency (grobid.yaml).",
    )


def _too_slow(server: str, seconds: float) -> GrobidError:
    return GrobidError(
        "timeout",
        f"GROBID at {server} did not answer within {seconds:.0f} s.",
        "Try again when its machine is less busy, or use --parser pdf.",
    )


def _cut(server: str) -> GrobidError:
    return GrobidError(
        "cut",
        f"The answer of {server} ended in the middle.",
        "GROBID may have run out of memory (give it 4 GB) or have been stopped: look at its log and try again.",
    )


def _not_grobid(server: str, status: int) -> GrobidError:
    return GrobidError(
        "not_grobid",
        f"What answers at {server} is not GROBID (HTTP status {status}).",
        f"Check the URL (redirects are not followed). {_ELSE}",
    )


def _printable(text: str) -> str:
    """Return `text` without anything that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
