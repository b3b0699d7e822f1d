"""`p2c-local serve`: a model that stays loaded between runs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click
from pydantic import JsonValue

from paper2code_local import __version__, offline
from paper2code_local.cli import SETTINGS
from paper2code_local.cli.boundary import say
from paper2code_local.cli.generate import engine_arg
from paper2code_local.cli.models import complete_model, default_model
from paper2code_local.engine import served, sizing
from paper2code_local.engine.hardware import Hardware, hardware
from paper2code_local.errors import CLEAN, EngineError
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.session import shape_of

ROOMY = 32768
"""Tokens of context where none are asked for: most papers with their plan need fewer."""
LEAST = 4096
"""A context that is not worth having is not halved again."""
MANY = 1_000_000
"""Tokens that a server is expected to write: enough for compiling to pay."""
EVERY = 10.0
"""Seconds between two lines while the model loads."""


@click.command(context_settings=SETTINGS)
@click.option(
    "--model", metavar="ID", shell_complete=complete_model, help="An id of `p2c-local models list`, or a folder."
)
@click.option("--context", type=click.IntRange(1024), help="Tokens of the longest prompt and answer.  [default: fits]")
@click.option(
    "--engine-arg",
    "engine_args",
    envvar="P2C_ENGINE_ARG",
    metavar="K=V",
    multiple=True,
    help="Passed to vLLM as it is; V may be JSON.",
)
def serve(model: str | None, context: int | None, engine_args: tuple[str, ...]) -> int:
    """Keep a model loaded, so that `p2c-local generate` starts at once.

    \b
    p2c-local serve                             in one terminal; Ctrl-C ends it
    p2c-local generate paper.pdf -o my-repo     in another: finds it by itself

    vLLM's own server listens on a Unix socket that only you can open. `generate` uses it when the model, the versions
    and the context agree, and says so; otherwise it starts an engine of its own, as without it.
    """
    offline.guard()
    folder = model_folder(model or default_model().id, default_store(os.environ))
    arguments = fitted(hardware(), folder, context, dict(map(engine_arg, engine_args)))
    with served.place(os.environ) as place:
        tokens = f"{arguments.max_model_len:,} tokens"
        _tell(f"loading {folder.id} with a context of {tokens}; vLLM's log is {place / served.LOG}")
        process = served.start(place, folder.path, folder.id, arguments)
        try:
            seconds = _load(process)
            state = _state(place, process, folder, arguments)
            served.keep(place, state)
            say(f"ready after {seconds:.0f} s: {folder.id}, {tokens}, {state.url}")
            _tell("in another terminal: p2c-local generate paper.pdf -o my-repo     (Ctrl-C here ends it)")
            process.wait()
        except KeyboardInterrupt:
            _tell("ending")
        finally:
            process.stop()
    return CLEAN


def fitted(
    machine: Hardware, folder: ModelFolder, context: int | None, extra: dict[str, JsonValue]
) -> sizing.EngineArgs:
    """Return the arguments for `context`, or without one for the longest of a few that fits. Raises EngineError."""
    wanted = context or min(folder.context, ROOMY)
    while True:
        try:
            return sizing.engine_args(machine, shape_of(folder), sizing.Need(context=wanted, tokens=MANY), extra)
        except EngineError as error:
            if context or error.code != "engine.too_small" or wanted // 2 < LEAST:
                raise
            wanted //= 2


def _load(process: served.Process) -> float:
    """Wait for the model, with a line every few seconds; return how long it took."""
    started = said = time.monotonic()

    def tick() -> None:
        nonlocal said
        if time.monotonic() - said >= EVERY:
            said = time.monotonic()
            _tell(f"loading: {said - started:.0f} s")

    process.wait_ready(tick)
    return time.monotonic() - started


def _state(place: Path, process: served.Process, folder: ModelFolder, arguments: sizing.EngineArgs) -> served.Served:
    return served.Served(
        socket=str(place / served.SOCKET),
        pid=process.child.pid,
        model=folder.id,
        identity=folder.identity,
        context=arguments.max_model_len,
        cache=sizing.cache_tokens(arguments, shape_of(folder)),
        vllm=served.vllm_version(),
        version=__version__,
    )


def _tell(text: str) -> None:
    click.echo(text, err=True)
