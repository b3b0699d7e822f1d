"""Parse: whatever holds a paper becomes a `Paper`.

    grobid.py   PDF → TEI, by a GROBID server      tei*.py   TEI → Paper      pdf*.py   PDF → Paper, embedded

In: a file and a choice of parser. Out: a `Paper`. Hostile bytes are read in a process of their own. Must not know
models, run folders or the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from paper2code_local.artifacts.paper import Paper
from paper2code_local.durable import replace_file
from paper2code_local.errors import InputError
from paper2code_local.isolated import isolated
from paper2code_local.stages.s1_parse.grobid import alive, tei_of
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf
from paper2code_local.stages.s1_parse.tei import paper_of_tei

Parser = Literal["auto", "grobid", "pdf", "tei"]
Notice = Callable[[str], None]
HIDDEN = "GROBID may have read text that cannot be seen in the PDF. The embedded parser says: {}"
HEAD = 1024
"""Bytes in which a PDF's header must stand, as in Acrobat."""


async def parse(path: Path, parser: str, grobid: str, tei_cache: Path | None, notice: Notice) -> Paper:
    """Read the paper at `path`. `tei_cache` is where GROBID's answer is kept; what is there is not asked again.

    "auto" tells PDF from TEI by content, and reads a PDF with GROBID when a server answers at `grobid`, else with the
    embedded parser, and says so through `notice`. Raises InputError, and GrobidError where GROBID was asked for.
    """
    data = read(path)
    is_pdf = b"%PDF-" in data[:HEAD]
    if parser == "tei" or (parser == "auto" and not is_pdf):
        if not is_pdf and not _looks_like_xml(data):
            raise InputError(
                "unknown_format",
                f"{path.name} is neither a PDF nor GROBID TEI",
                "Give a PDF (it begins with %PDF-) or a TEI file made by GROBID.",
            )
        return await isolated(paper_of_tei, data)
    embedded = await isolated(paper_of_pdf, data)  # first: what no parser can read must not be GROBID's failure
    if parser == "pdf":
        return embedded
    cached = tei_cache is not None and tei_cache.is_file()
    if parser == "auto" and not cached and await alive(grobid) is None:
        notice(
            f"No GROBID answers at {grobid}: reading the PDF with the embedded parser, which finds less structure. "
            "Start one with scripts/start-grobid, or say --parser pdf to make this choice your own."
        )
        return embedded
    tei = await _tei(path, grobid, tei_cache)
    paper = await isolated(paper_of_tei, tei, "grobid")
    seen = tuple(HIDDEN.format(w) for w in embedded.warnings if "hidden" in w.lower())
    return paper.model_copy(update={"warnings": (*paper.warnings, *seen)})


def read(path: Path) -> bytes:
    """Return the bytes of the paper. Raises InputError (`unreadable`, `empty`)."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError("unreadable", f"{path} cannot be read: {error.strerror}", "Check the path.") from error
    if not data.strip():
        raise InputError("empty", f"{path.name} is empty", "Download or export the paper again.")
    return data


async def _tei(path: Path, grobid: str, cache: Path | None) -> bytes:
    if cache is not None and cache.is_file():
        return cache.read_bytes()
    tei = await tei_of(path, grobid)
    if cache is not None:
        replace_file(cache, tei)
    return tei


def _looks_like_xml(data: bytes) -> bool:
    """XML begins with "<" after a byte-order mark and white space, in UTF-8, 16 or 32."""
    return data[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")
