"""`p2c-local models`: list, fetch, take in, check and remove models."""

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
from paper2code_local.modelstore.card import GgufCard, ModelCard, cards, choose_default, find_card, load_card
from paper2code_local.modelstore.folder import not_here
from paper2code_local.modelstore.importing import import_model
from paper2code_local.modelstore.pull import pull as pull_model
from paper2code_local.modelstore.store import Status, Store, default_store, read_record, remove, size_of, status
from paper2code_local.modelstore.store import verify as verify_folder

_STATES = {"pulled": "here", "imported": "imported", "partial": "partly here", "absent": "-"}
_NO_HASHES = "no hashes are known for it: only the record of what was imported was compared"


def complete_model(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Complete the id of a model, of the catalogue or imported."""
    known = dict.fromkeys(default_store(os.environ).ids(), "") | {card.id: card.title for card in cards()}
    return [CompletionItem(name, help=title) for name, title in known.items() if name.startswith(incomplete)]


def default_model() -> GgufCard:
    """Return the model that is used on this machine when none is named."""
    return choose_default(available_memory(Path("/")))


Command = Callable[..., object]
_json = click.option("--json", is_flag=True, help="Print one JSON object instead.")


def _model(command: Command) -> Command:
    """Give a command the argument ID."""
    return click.argument("model_id", metavar="[ID]", required=False, shell_complete=complete_model)(command)


@click.group(context_settings=SETTINGS)
def models() -> None:
    """List, fetch, take in, check and remove models.

    ID is one of `p2c-local models list`; without it, the default of this machine is meant. Models lie in P2C_MODELS, or
    else in the folder for user data. P2C_MODELS may name several folders, separated by colons: the first is written,
    the others are only read.

    \b
    p2c-local models list
    p2c-local models pull
    p2c-local models import ~/downloads/My-Coder-7B-Instruct
    p2c-local models verify qwen2.5-coder-0.5b-instruct
    """


@models.command("list", context_settings=SETTINGS)
@_json
def list_models(json: bool) -> None:
    """Show the catalogue, what was imported beside it, and what of it is on this machine."""
    store, default = default_store(os.environ), default_model()
    found = [(card, _status(card, store)) for card in cards()]
    others = [(name, status(name, store)) for name in store.ids() if find_card(name) is None]
    if json:
        listed = [_entry(card, state, default) for card, state in found]
        say_json({"schema_version": 1, "models": [*listed, *(_imported(name, state) for name, state in others)]})
        return
    width = max(len(name) for name in [*(card.id for card in cards()), *(name for name, _ in others)])
    say(f"  {'id':<{width}}  {'state':<11}  {'size':>9}  {'memory':>7}  {'context':>7}  licence")
    for card, state in found:
        mark = "*" if card.id == default.id else " "
        numbers = f"{_size(card) / 1e9:>6,.1f} GB  {card.memory_gib:>3.0f} GiB  {card.context:>7,}  {card.licence}"
        remarks = ("" if isinstance(card, GgufCard) else "  no hashes") + _where(state, store)
        say(f"{mark} {card.id:<{width}}  {_STATES[state.state]:<11}  {numbers}{remarks}")
    for name, state in others:
        size = f"{state.bytes_on_disk / 1e9:>6,.1f} GB"
        say(f"  {name:<{width}}  {_STATES[state.state]:<11}  {size}{_where(state, store)}")
    say("* used on this machine when no model is named")


def _status(card: ModelCard, store: Store) -> Status:
    return status(card.id, store, card.gguf.sha256 if isinstance(card, GgufCard) else None)


def _size(card: ModelCard) -> int:
    """Return the bytes to fetch."""
    return card.gguf.size if isinstance(card, GgufCard) else card.repositories[0].bytes


def _where(state: Status, store: Store) -> str:
    """Name the folder of a model that is here but not in the folder that is written."""
    shared = state.state in ("pulled", "imported") and state.path.parent != store.root
    return f"  in {one_line(str(state.path.parent))}" if shared else ""


def _entry(card: ModelCard, state: Status, default: ModelCard) -> dict[str, object]:
    return {
        "id": card.id,
        "title": card.title,
        "homepage": card.homepage,
        "licence": card.licence,
        "parameters": card.parameters,
        "active_parameters": card.active_parameters,
        "context": card.context,
        "memory_gib": card.memory_gib,
        "precisions": [weights.precision for weights in card.weights],
        "download_bytes": _size(card),
        "hashes": isinstance(card, GgufCard),
        "default": card.id == default.id,
        "state": state.state,
        "path": str(state.path),
        "bytes_on_disk": state.bytes_on_disk,
    }


def _imported(name: str, state: Status) -> dict[str, object]:
    found = {"state": state.state, "path": str(state.path), "bytes_on_disk": state.bytes_on_disk}
    return {"id": name, "hashes": False, "default": False, **found}


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

    A pull that was stopped goes on where it stopped. Nothing is used before its sha256 is right. A model without hashes
    in the catalogue is not fetched: the error names the two commands that do it.
    """
    card, store = load_card(model_id) if model_id else default_model(), default_store(os.environ)
    if not isinstance(card, GgufCard):
        if place := store.find(card.id):
            say(str(place))
            return
        fetch = "\n        ".join(["fetch and import it yourself:", *card.commands()])
        raise ModelError("no_hashes", f"no hashes of {card.title} are known, so it is not fetched for you", fetch)
    with PullView(Console(stderr=True)) as view:
        folder = pull_model(card, store, view, local=local)
    say(str(folder))


@models.command("import", context_settings=SETTINGS)
@click.argument("source", metavar="PATH", type=click.Path(path_type=Path))
@click.option("--as", "model_id", envvar="P2C_AS", metavar="ID", help="What to call it; else it is named after PATH.")
def import_(source: Path, model_id: str | None) -> None:
    """Take a model of your own into the folder of models, and print where it is.

    PATH is a folder in Hugging Face layout, whose files are copied, or a GGUF, which is converted. What could run a
    program when it is loaded is refused. Their sha256 are recorded, so that `verify` can say whether they changed; who
    made them is for you to know. With the ID of a model of the catalogue, what the catalogue knows about it is used.
    """
    with PullView(Console(stderr=True)) as view:
        folder = import_model(source, model_id, default_store(os.environ), view)
    say(str(folder))


@models.command(context_settings=SETTINGS)
@click.argument("model_id", metavar="ID", shell_complete=complete_model)
@click.option("--yes", "-y", is_flag=True, envvar="P2C_YES", help="Do not ask.")
def rm(model_id: str, yes: bool) -> None:
    """Remove a model from the folder of models, with what a stopped pull left of it.

    Models in shared folders and folders named by their path are not removed.
    """
    store = default_store(os.environ)
    place = store.root / model_id
    if not yes and place.is_dir():
        click.confirm(one_line(f"Remove {place} ({size_of(place) / 1e9:,.1f} GB)?"), abort=True, err=True)
    freed = remove(model_id, store, lambda: click.echo("waiting for another process that is at this model", err=True))
    say(one_line(f"{model_id}: removed, {freed / 1e9:,.1f} GB freed"))


@models.command(context_settings=SETTINGS)
@_model
@_json
def verify(model_id: str | None, json: bool) -> int:
    """Hash every file of a model again. Exits 0 when all is as it was written, else 5.

    What was pulled had the sha256 of the catalogue before it was converted. What was imported has no such witness: it
    is compared with the record of the import.
    """
    name, folder = _folder(model_id)
    problems = verify_folder(folder)
    vouched = (record := read_record(folder)) is not None and not record.imported_from
    hint = f"Remove it (p2c-local models rm {name}) and {'pull' if vouched else 'import'} it again."
    error = ModelError("damaged", f"{folder} is not what was {'pulled' if vouched else 'imported'}", hint)
    if json:
        told = {"schema_version": 1, "ok": not problems, "id": name, "path": str(folder), "hashes": vouched}
        failed = {"error": {"code": error.code, "message": error.message, "hint": error.hint}} if problems else {}
        say_json(told | {"problems": problems} | failed)
        return error.exit_code if problems else CLEAN
    for problem in problems:
        say(one_line(problem))
    if problems:
        raise error
    say(f"{name}: every file is as it was written" + ("" if vouched else f"; {_NO_HASHES}"))
    return CLEAN


@models.command(context_settings=SETTINGS)
@_model
def path(model_id: str | None) -> None:
    """Print the folder of a model that is here."""
    say(str(_folder(model_id)[1]))


def _folder(model_id: str | None) -> tuple[str, Path]:
    """Return the id and the folder of a model that is here. Raises ModelError (`unknown`, `not_pulled`)."""
    name = model_id or default_model().id
    if place := default_store(os.environ).find(name):
        return name, place
    raise not_here(load_card(name))
