"""What a GROBID server's answer means: TEI, a version, or an error that says what to do.

In: status and body as they came, not yet trusted. Out: TEI bytes, a version, or a `GrobidError`. Must not know how they
were asked for. Sources: GROBID's documentation of its service and of consolidation, 0.9.1; its REST code back to 0.7.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from paper2code_local.errors import GrobidError

OLDEST = (0, 8, 2)
RECOMMENDED = "0.9.1"
IMAGE = f"grobid/grobid:{RECOMMENDED}-crf"
ELSE = "Start one with scripts/start-grobid, name another with --grobid URL, or use --parser pdf."
_ROOT = "{http://www.tei-c.org/ns/1.0}TEI"
_DAMAGED = "Open the PDF in a viewer: it is probably damaged or encrypted. Save it again, or use --parser pdf."
_TOO_LONG = "The PDF is too long for GROBID: cut it down to the paper itself, or use --parser pdf."
_LOG = "Look at GROBID's log, or use --parser pdf."
_CODES = {
    "NO_BLOCKS": (
        "no_blocks", "The PDF holds no text, probably only scanned images: run OCR on it first (ocrmypdf, say)."
    ),
    "BAD_INPUT_DATA": ("bad_input_data", _DAMAGED),
    "PDFALTO_CONVERSION_FAILURE": ("pdfalto_conversion_failure", _DAMAGED),
    "TOO_MANY_BLOCKS": ("too_many_blocks", _TOO_LONG),
    "TOO_MANY_TOKENS": ("too_many_tokens", _TOO_LONG),
    "TIMEOUT": (
        "gave_up",
        "GROBID gave up on this PDF (by default after 120 s): give its machine more room, or use --parser pdf.",
    ),
    "TAGGING_ERROR": (
        "tagging_error", "GROBID's models do not fit its program: start the image with scripts/start-grobid."
    ),
    "PARSING_ERROR": ("parsing_error", _DAMAGED),
    "GENERAL": ("general", _LOG),
}  # fmt: skip
"""The reasons that GROBID gives, and our name for each with what to do."""
_FAILED = (400, 409, 413, 500)
"""Statuses with which GROBID gives up on a PDF: 500 by its documentation, 400 and 409 in some of its versions."""
_PARAMETERS = re.compile(rb'<label\s+type="parameters"\s*>([^<]{0,4000})<')
_CONSOLIDATED = re.compile(rb'<biblStruct\b[^<>]{0,400}\bstatus="consolidated"')


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer of the server."""

    status: int
    body: bytes


def ready(health: Reply, server: str) -> bool | None:
    """Say what `/api/health` says: ready, still starting, or (None) nothing, as before GROBID 0.9.

    Raises `GrobidError`: `not_ready` when the server says that it failed to start.
    """
    said = _json(health)
    if not isinstance(said, dict) or not isinstance(said.get("ready"), bool):
        return None
    if said["ready"]:
        return True
    if trouble := said.get("initializationError"):
        raise GrobidError(
            "not_ready",
            f"GROBID at {server} failed to start: {printable(str(trouble))[:200]}",
            f"Look at its log, and start it anew with scripts/start-grobid (image {IMAGE}), or use --parser pdf.",
        )
    return False


def alive_in(reply: Reply, server: str) -> bool:
    """Return what `/api/isalive` says; False while GROBID loads its models. Raises `GrobidError` (`not_grobid`)."""
    said = reply.body.strip()
    if reply.status == 503 or (reply.status == 200 and said == b"false"):
        return False
    if reply.status != 200 or said != b"true":
        raise not_grobid(server, reply.status)
    return True


def version_in(reply: Reply, server: str) -> str:
    """Return the version from `{"version": …}` (GROBID 0.8 and later) or from plain text (before).

    Raises `GrobidError`: `not_grobid`, and `too_old` for less than 0.8.2. A server built without a version number
    says "unknown", and is believed.
    """
    text = reply.body[:1000].decode(errors="replace").strip()
    answer = _json(reply)
    version = answer.get("version") if isinstance(answer, dict) else text
    if reply.status != 200 or not isinstance(version, str) or not re.fullmatch(r"[\w.+-]{1,60}", version, re.ASCII):
        raise not_grobid(server, reply.status)
    if version != "unknown" and _number(version) < OLDEST:
        raise GrobidError(
            "too_old",
            f"GROBID at {server} is version {version}: too old, {'.'.join(map(str, OLDEST))} or later is needed.",
            f"Start {IMAGE} with scripts/start-grobid, name another with --grobid URL, or use --parser pdf.",
        )
    return version


def advice(version: str, server: str) -> str | None:
    """Say that another version is recommended; None when this one is as good."""
    if version != "unknown" and _number(version) >= _number(RECOMMENDED):
        return None
    return (
        f"GROBID at {server} is version {version}; {RECOMMENDED} is recommended (image {IMAGE}, scripts/start-grobid)."
    )


def _json(reply: Reply) -> object:
    """Return the JSON of an answer, None where there is none."""
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        return None


def _number(version: str) -> tuple[int, ...]:
    """Return the first three numbers of a version: "0.9.0-70-g94429f4" is 0.9.0."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def tei_in(reply: Reply, server: str, name: str) -> bytes:
    """Return the body of a reply that looks like whole TEI of which nothing was looked up elsewhere.

    Only its first tag, its end and what it says of consolidation are looked at. Raises `GrobidError`: `no_content`, a
    reason of GROBID's own, `failed`, `html`, `not_tei`, `cut`, `consolidated`, `not_grobid`.
    """
    if reply.status == 204:
        raise GrobidError(
            "no_content",
            f"GROBID found nothing to structure in {name}.",
            "Is it a paper with text in it? Run OCR on a scan first, or use --parser pdf.",
        )
    if reply.status in _FAILED:
        raise _failed(reply.body, name)
    if reply.status != 200:
        raise not_grobid(server, reply.status)
    if reply.body.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        raise GrobidError(
            "html",
            f"{server} answered with an HTML page instead of TEI.",
            f"Something else listens there (a proxy, a login page). Check the URL. {ELSE}",
        )
    if _root_of(reply.body) != _ROOT:
        raise GrobidError("not_tei", f"{server} answered with something that is not TEI.", f"Is it GROBID? {ELSE}")
    if not reply.body.rstrip().endswith(b"</TEI>"):
        raise cut(server)
    if found := _looked_up(reply.body):
        raise GrobidError(
            "consolidated",
            f"GROBID at {server} was told to look nothing up, and its answer says that it did ({found}).",
            "Something between changes requests, or the server is not plain GROBID: start your own with "
            "scripts/start-grobid, or use --parser pdf.",
        )
    return reply.body


def _looked_up(tei: bytes) -> str:
    """Return what a TEI says of having been consolidated, "" for nothing; before 0.9 GROBID says nothing of it.

    (`<label type="parameters">consolidateHeader=0, …</label>` and `<biblStruct status="consolidated" source="…">`)
    """
    if parameters := _PARAMETERS.search(tei):
        for name, value in re.findall(rb"(consolidate\w+)=(\w+)", parameters[1]):
            if value not in (b"0", b"false"):
                return f"{name.decode()}={value.decode()}"
    return 'status="consolidated"' if _CONSOLIDATED.search(tei) else ""


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


def _failed(body: bytes, name: str) -> GrobidError:
    text = printable(body[:400].decode(errors="replace"))[:200] or "no reason given"
    code = re.match(r"\W{0,3}([A-Z_]+)\]", text)
    reason, hint = _CODES.get(code[1] if code else "", ("failed", _LOG))
    return GrobidError(reason, f"GROBID could not read {name}: {text}", hint)


def down(server: str) -> GrobidError:
    """Return the error of an address where nothing answers."""
    return GrobidError("down", f"No GROBID server answers at {server}.", ELSE)


def busy(server: str, refusals: int, seconds: float) -> GrobidError:
    """Return the error of a server that refused until the deadline."""
    return GrobidError(
        "busy",
        f"GROBID at {server} was busy: it refused {refusals} times and had not read the paper after {seconds:.0f} s.",
        "Wait until its other work is done, or raise its concurrency (grobid.yaml).",
    )


def too_slow(server: str, seconds: float) -> GrobidError:
    """Return the error of a server that was silent until the deadline."""
    return GrobidError(
        "timeout",
        f"GROBID at {server} did not answer within {seconds:.0f} s.",
        "Try again when its machine is less busy, or use --parser pdf.",
    )


def cut(server: str) -> GrobidError:
    """Return the error of an answer without its end."""
    return GrobidError(
        "cut",
        f"The answer of {server} ended in the middle.",
        "GROBID may have run out of memory (give it 4 GB) or have been stopped: look at its log and try again.",
    )


def not_grobid(server: str, status: int) -> GrobidError:
    """Return the error of another server."""
    return GrobidError(
        "not_grobid",
        f"What answers at {server} is not GROBID (HTTP status {status}).",
        f"Check the URL (redirects are not followed). {ELSE}",
    )


def printable(text: str) -> str:
    """Return `text` without anything that could steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()
