"""`p2c-local inspect`: what is understood of a paper, before any engine is started."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import click

from paper2code_local import offline
from paper2code_local.artifacts.inspection import inspection
from paper2code_local.artifacts.paper import Paper, Section, visible
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.cli.findings import number
from paper2code_local.cli.models import complete_model, default_model
from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.errors import ModelError
from paper2code_local.listeners.printable import one_line
from paper2code_local.modelstore.folder import model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.prefix import paper_text
from paper2code_local.stages import s1_parse

supplement_option = click.option(
    "--supplement",
    "supplements",
    envvar="P2C_SUPPLEMENT",
    metavar="FILE",
    type=click.Path(path_type=Path),
    multiple=True,
    help="An appendix in a file of its own, of any kind that is read; repeat it for more.",
)


@click.command(context_settings=SETTINGS)
@click.argument("paper", type=click.Path(path_type=Path))
@click.option("--json", is_flag=True, help="Print one JSON object instead.")
@click.option(
    "--parser",
    type=click.Choice(s1_parse.PARSERS),
    default="auto",
    help="What reads the paper. auto: told by content; a PDF with GROBID if a server answers, else embedded.",
)
@supplement_option
@click.option("--grobid", metavar="URL", default="http://127.0.0.1:8070", help="Where GROBID answers.")
@click.option(
    "--model", metavar="ID", shell_complete=complete_model, help="Whose tokens are counted: an id or a folder."
)
def inspect(
    paper: Path, json: bool, parser: str, supplements: tuple[Path, ...], grobid: str, model: str | None
) -> None:
    """Show what is understood of PAPER: a PDF, LaTeX (file, folder or archive), GROBID's TEI, S2ORC JSON or Markdown.

    \b
    p2c-local inspect paper.pdf
    p2c-local inspect paper.pdf --parser pdf --model qwen2.5-coder-1.5b-instruct
    p2c-local inspect paper.md --supplement appendix.pdf
    p2c-local inspect paper.tei.xml --json | jq .warnings

    Sizes are characters that are not white space. What was in the paper and is not kept is counted as dropped.
    """
    offline.guard(*offline.host_of(grobid))
    understood = asyncio.run(s1_parse.parse(paper, parser, grobid, None, _note, supplements))
    if json:
        say_json(inspection(understood))
    else:
        say("\n".join(_told(understood, model)))


def _note(text: str) -> None:
    click.echo(one_line(f"note: {text}"), err=True)


def _told(paper: Paper, model: str | None) -> Iterator[str]:
    yield one_line(paper.title) or "(no title)"
    if paper.authors:
        yield one_line(", ".join(paper.authors))
    yield ""
    yield f"read by     {paper.parser}"
    yield f"kept        {paper.chars:,} characters, {paper.dropped_chars:,} dropped"
    yield f"abstract    {visible(paper.abstract):,} characters"
    counts = {"formula": paper.formulas(), "table": paper.tables(), "figure": paper.figures()}
    counts |= {"reference": paper.references, "footnote": paper.footnotes}
    yield f"found       {', '.join(number(len(found), noun) for noun, found in counts.items())}"
    yield f"tokens      {_tokens(paper, model)}"
    yield ""
    yield f"sections    {len(paper.sections)}"
    yield from map(_section, paper.sections)
    if paper.warnings:
        yield ""
    yield from (f"warning: {one_line(warning)}" for warning in paper.warnings)


def _section(section: Section) -> str:
    heading = one_line(f"{section.number} {section.heading}") or "(no heading)"
    return f"{section.chars:>9,}   {'  ' * (section.level - 1)}{heading}"


def _tokens(paper: Paper, model: str | None) -> str:
    """Say how many tokens the paper has for a model; where its tokenizer is not on this machine, how to get it."""
    spec = model or default_model().id
    try:
        folder = model_folder(spec, default_store(os.environ))
    except ModelError as error:
        if error.code != "model.not_pulled":
            raise
        return f"unknown for {spec}, which is not on this machine ({error.hint})"
    special = {"bos_token": folder.bos_token, "eos_token": folder.eos_token}
    tokenizer = ChatTokenizer(folder.tokenizer, folder.chat_template, special)
    count = paper_text(paper, tokenizer.count, None).tokens
    return f"{count:,} for {folder.id}, whose context is {folder.context:,}"
