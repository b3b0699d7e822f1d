"""`p2c-local models`: list, fetch and check the models of the catalogue."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem
from rich.console import Console

from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say, say_json
from paper2code_local.engine.hardware import available_memory
from paper2code_local.errors import CLEAN, ModelError
from paper2code_local.listeners.printable import one_line
from paper2code_local.listeners.pulling import PullView
from paper2code_local.modelstore.card import ModelCard, cards, choose_default, load_card
from paper2code_local.modelstore.pull import pull as pull_model
from paper2code_local.modelstore.store import Status, default_store, read_record, status
from paper2code_local.modelstore.store import verify as verify_folder

_STATES = {"pulled": "here", "partial": "partly here", "absent": "-"}


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a model."""
    return [CompletionItem(card.id, help=card.title) for card in cards() if card.id.startswith(incomplete)]


def default_model() -> ModelCard:
    """Return the model that is used on this machine when none is named."""
    return choose_default(available_memory(Path("/")))


Command = Callable[..., object]
_json = click.option("--json", is_flag=True, help="Print one JSON object instead.")


def _model(command: Command) -> Command:
    """Give a command the argument ID."""
    return click.argument("model_id", metavar="[ID]", required=False, shell_complete=complete_model)(command)


def _card(model_id: str | None) -> ModelCard:
    return load_card(model_id) if model_id else default_model()


@click.group(context_settings=SETTINGS)
def models() -> None:
    """List, fetch and check the models of the catalogue.

    ID is one of `p2c-local models list`; without it, the default of this machine is meant. Models lie in P2C_MODELS, or
    else in the folder for user data.

    \b
    p2c-local models list
    p2c-local models pull
    p2c-local models verify qwen2.5-coder-0.5b-instruct
    """


@models.command("list", context_settings=SETTINGS)
@_json
def list_models(json: bool) -> None:
    """Show the catalogue and what of it is on this machine."""
    store, default = default_store(os.environ), default_model()
    found = [(card, status(card, store)) for card in cards()]
    if json:
        say_json({"schema_version": 1, "models": [_entry(card, state, default) for card, state in found]})
        return
    width = max(len(card.id) for card in cards())
    say(f"  {'id':<{width}}  {'state':<11}  {'download':>8}  {'memory':>6}  {'context':>7}  licence")
    for card, state in found:
        mark = "*" if card.id == default.id else " "
        numbers = f"{card.gguf.size / 1e6:>5,.0f} MB  {card.memory_gib:>2.0f} GiB  {card.context:>7,}"
        say(f"{mark} {card.id:<{width}}  {_STATES[state.state]:<11}  {numbers}  {card.licence}")
    say("* used on this machine when no model is named")


def _entry(card: ModelCard, state: Status, default: ModelCard) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "licence": card.licence,
        "parameters": card.parameters,
        "context": card.context,
        "memory_gib": card.memory_gib,
        "download_bytes": card.gguf.size,
        "default": card.id == default.id,
        "state": state.state,
        "path": str(state.path),
        "bytes_on_disk": state.bytes_on_disk,
    }


@models.command(context_settings=SETTINGS)
@_model
@click.option(
    "--from",
    "local",
    envvar="P2C_FROM",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The GGUF file of the catalogue, or a folder that holds it, instead of the network.",
)
def pull(model_id: str | None, local: Path | None) -> None:
    """Fetch a model, compare its sha256, convert it, and print its folder.

    A pull that was stopped goes on where it stopped. Nothing is used before its sha256 is right.
    """
    card, store = _card(model_id), default_store(os.environ)
    with PullView(Console(stderr=True)) as view:
        folder = pull_model(card, store, view, local=local)
    say(str(folder))


@models.command(context_settings=SETTINGS)
@_model
@_json
def verify(model_id: str | None, json: bool) -> int:
    """Hash every file of a pulled model again. Exits 0 when all is as it was written, else 5."""
    card = _card(model_id)
    folder = _folder(card)
    problems = verify_folder(folder)
    error = ModelError("damaged", f"{folder} is not what was pulled", f"Delete it and pull it again: {_pull(card)}")
    if json:
        told = {"schema_version": 1, "ok": not problems, "id": card.id, "path": str(folder), "problems": problems}
        failed = {"error": {"code": error.code, "message": error.message, "hint": error.hint}} if problems else {}
        say_json(told | failed)
        return error.exit_code if problems else CLEAN
    for problem in problems:
        say(one_line(problem))
    if problems:
        raise error
    say(f"{card.id}: every file is as it was written")
    return CLEAN


@models.command(context_settings=SETTINGS)
@_model
def path(model_id: str | None) -> None:
    """Print the folder of a pulled model."""
    say(str(_folder(_card(model_id))))


def _folder(card: ModelCard) -> Path:
    """Return the folder of a model that is here. Raises ModelError (`not_pulled`)."""
    folder = default_store(os.environ).folder(card)
    if read_record(folder) is None:
        raise ModelError("not_pulled", f"{card.title} is not on this machine", _pull(card))
    return folder


def _pull(card: ModelCard) -> str:
    return f"p2c-local models pull {card.id}"
