"""Parse: whatever holds a paper becomes a `Paper`.

    given.py    a path → bytes            kinds.py   bytes → which parser reads them
    grobid*.py  PDF → TEI, by a server    tei*.py    TEI → Paper                       pdf*.py  PDF → Paper, embedded
    latex*.py   LaTeX → Paper             s2orc*.py  S2ORC JSON → Paper                markdown*.py  Markdown → Paper
    joining.py  a paper and its supplements → one Paper

In: files and a choice of parser. Out: a `Paper`. Hostile bytes are read in a process of their own. Must not know
models, run folders or the command line.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from paper2code_local.artifacts.paper import Paper
from paper2code_local.durable import replace_file
from paper2code_local.errors import GrobidError
from paper2code_local.isolated import isolated
from paper2code_local.stages.s1_parse.given import Given, given
from paper2code_local.stages.s1_parse.grobid import alive, tei_of
from paper2code_local.stages.s1_parse.joining import join
from paper2code_local.stages.s1_parse.kinds import PARSERS, Parser, fitting
from paper2code_local.stages.s1_parse.latex import paper_of_latex
from paper2code_local.stages.s1_parse.markdown import paper_of_markdown
from paper2code_local.stages.s1_parse.pdf import paper_of_pdf
from paper2code_local.stages.s1_parse.s2orc import paper_of_s2orc
from paper2code_local.stages.s1_parse.tei import paper_of_tei

__all__ = ["PARSERS", "Notice", "Parser", "TeiCache", "digest", "parse"]

Notice = Callable[[str], None]
TeiCache = Callable[[str], Path]
"""Where GROBID's answer to the PDF with this sha256 is kept."""
_EMBEDDED = "reading the PDF with the embedded parser, which finds less structure"
_OWN_CHOICE = "Start one with scripts/start-grobid, or say --parser pdf to make this choice your own."
HIDDEN = "GROBID may have read text that cannot be seen in the PDF. The embedded parser says: {}"


def digest(paper: Path, supplements: Sequence[Path] = ()) -> str:
    """Return the sha256 by which a run is known: the paper's own, or one over those of the paper and its supplements.

    Raises InputError like `given`.
    """
    own = given(paper).sha256
    if not supplements:
        return own
    return hashlib.sha256("\n".join([own, *(given(path).sha256 for path in supplements)]).encode()).hexdigest()


async def parse(
    paper: Path,
    parser: str,
    grobid: str,
    tei_cache: TeiCache | None,
    notice: Notice,
    supplements: Sequence[Path] = (),
) -> Paper:
    """Read the paper and join its supplements to it.

    `parser` is for the paper; what supplements are is told by their content, as with "auto": a PDF is then read with
    GROBID when a server at `grobid` can, else with the embedded parser, which `notice` is told. Where that had to read
    the paper it reads the supplements too. What `tei_cache` has is not asked again.
    Raises InputError, and GrobidError where GROBID was asked for.
    """
    joined = await _read(paper, parser, grobid, tei_cache, notice)
    for path in supplements:
        server = None if joined.parser == "pdf" else grobid
        joined = join(joined, await _read(path, "auto", server, tei_cache, notice), path.name)
    return joined


async def _read(path: Path, parser: str, grobid: str | None, tei_cache: TeiCache | None, notice: Notice) -> Paper:
    source = given(path)
    data = source.files[source.main]
    match fitting(parser, data, source.name):
        case "tei":
            paper = await isolated(paper_of_tei, data)
        case "s2orc":
            paper = await isolated(paper_of_s2orc, data)
        case "markdown":
            paper = await isolated(paper_of_markdown, data)
        case "latex":
            paper = await isolated(paper_of_latex, dict(source.files), source.main)
        case _:
            paper = await _pdf(path, source, parser, grobid, tei_cache, notice)
    return paper.model_copy(update={"warnings": (*source.warnings, *paper.warnings)})


async def _pdf(
    path: Path, source: Given, parser: str, grobid: str | None, tei_cache: TeiCache | None, notice: Notice
) -> Paper:
    """Read a PDF with the embedded parser, and then with GROBID if that is asked for or can be had."""
    data = source.files[source.main]
    embedded = await isolated(paper_of_pdf, data)  # first: what no parser can read must not be GROBID's failure
    if parser == "pdf" or grobid is None:
        return embedded
    cache = tei_cache(source.sha256) if tei_cache else None
    try:
        if parser == "auto" and not (cache and cache.is_file()) and await alive(grobid) is None:
            notice(f"No GROBID answers at {grobid}: {_EMBEDDED}. {_OWN_CHOICE}")
            return embedded
        tei = await _tei(path, grobid, cache, notice)
    except GrobidError as error:
        if parser == "grobid" or error.code == "grobid.bad_url":
            raise
        why = f"{error.message.rstrip('.')}: {_EMBEDDED}. {error.hint}"
        return embedded.model_copy(update={"warnings": (*embedded.warnings, why)})
    paper = await isolated(paper_of_tei, tei, "grobid")
    seen = tuple(HIDDEN.format(w) for w in embedded.warnings if "hidden" in w.lower())
    return paper.model_copy(update={"warnings": (*paper.warnings, *seen)})


async def _tei(path: Path, grobid: str, cache: Path | None, notice: Notice) -> bytes:
    if cache is not None and cache.is_file():
        return cache.read_bytes()
    tei = await tei_of(path, grobid, notice=notice)
    if cache is not None:
        replace_file(cache, tei)
    return tei
