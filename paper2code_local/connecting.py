"""A server that the user named: what must be known of it at once, and how it is reached when a question needs it.

In: a URL, the name of a model, the folder of its tokenizer, what run.json remembers. Out: a `Connection`. What is
remembered is not asked again, so that a finished run replays with no server. Must not know stages or run folders.
"""

from __future__ import annotations

import os
import re
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, JsonValue, ValidationError

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.dialects import EstimatingTokenizer, Server
from paper2code_local.engine.discovery import DEFAULT_CONTEXT, discover, reached
from paper2code_local.engine.http import CONCURRENCY, HttpEngine
from paper2code_local.engine.wire import KEY_VARIABLE, TIMEOUT, Wire
from paper2code_local.errors import UsageError
from paper2code_local.modelstore.card import Granularity, Sampling, find_card
from paper2code_local.modelstore.folder import DEFAULT_SAMPLING, SCALES, UNIT_BELOW_PARAMETERS, tokenizer_folder

NO_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
"""For a tokenizer without one: it only counts then."""


class ServerArgs(Frozen):
    """What --engine-arg may say of a server."""

    context: int | None = Field(default=None, ge=512)
    """Tokens, where the server does not tell or tells too many."""
    concurrency: int = Field(default=CONCURRENCY, ge=1, le=1024)
    """Requests in flight."""
    timeout: float = Field(default=TIMEOUT, gt=0)
    """Seconds without a byte after which the server is given up."""
    granularity: Granularity | None = None
    """What one coding answer is; None for what the model's name says of its size."""


@dataclass(frozen=True)
class Connection:
    """A server, and how to talk to it."""

    server: Server
    tokenizer: ChatTokenizer | EstimatingTokenizer
    arguments: ServerArgs

    @property
    def granularity(self) -> Granularity:
        if self.arguments.granularity:
            return self.arguments.granularity
        card = find_card(self.server.model)
        return card.granularity if card else _granularity(self.server.model)

    @property
    def scale(self) -> float:
        """What multiplies the bounds of answers."""
        card = find_card(self.server.model)
        return card.answer_scale if card else SCALES[self.granularity]

    @property
    def sampling(self) -> Sampling:
        card = find_card(self.server.model)
        return card.sampling if card else DEFAULT_SAMPLING

    @property
    def told(self) -> str:
        """What the user should know of the server."""
        server = self.server
        schema = "nothing but words" if server.schema_as == "words" else server.schema_as
        prefill = "begun for it" if server.can_prefill else "not begun for it"
        if isinstance(self.tokenizer, ChatTokenizer):
            counting = "tokens are counted exactly"
        elif server.counted:
            counting = "tokens are estimated, calibrated by the server's own count"
        else:
            counting = "tokens are estimated without any help: --tokenizer DIR would count them"
        context = f"a context of {server.context:,}"
        if self.arguments.context is None and server.context == DEFAULT_CONTEXT:
            context += " (assumed where the server does not tell: --engine-arg context=N)"
        return (
            f"{server.model} at {server.url}: {context}; prompts go as {'token ids' if server.tokens else 'a chat'}, "
            f"JSON schemas as {schema}; code is {prefill}; {counting}."
        )

    async def engine(self) -> HttpEngine:
        """Return an engine on the server. Raises EngineError (`lost`, `changed`, …) when it is not what it was."""
        wire = _wire(self.server.url, self.arguments)
        async with AsyncExitStack() as unless_reached:
            unless_reached.push_async_callback(wire.close)
            await reached(wire, self.server)
            unless_reached.pop_all()
        return HttpEngine(self.server, wire, self.tokenizer, concurrency=self.arguments.concurrency)


async def connect(
    url: str, model: str | None, folder: Path | None, arguments: dict[str, JsonValue], known: Server | None
) -> Connection:
    """Find out about the server at `url`, unless `known` says it all already.

    `folder` holds the tokenizer of the model. Raises UsageError, ModelError (of `folder`) and EngineError.
    """
    args = _arguments(arguments)
    place = str(folder.absolute()) if folder else ""
    if known and (known.url, model or known.model, args.context or known.context, place or known.tokenizer) == (
        url,
        known.model,
        known.context,
        known.tokenizer,
    ):
        return Connection(known, _tokenizer(known)[0], args)
    blank = Server(url=url, model="", identity="", context=DEFAULT_CONTEXT, tokens=False, tokenizer=place)
    tokenizer, templated = _tokenizer(blank)
    exact = tokenizer if isinstance(tokenizer, ChatTokenizer) else None
    wire = _wire(url, args)
    try:
        server = await discover(wire, model, exact, templated, args.context)
    finally:
        await wire.close()
    server = server.model_copy(update={"tokenizer": place})
    return Connection(server, exact or EstimatingTokenizer(server.tokens_per_piece), args)


def _tokenizer(server: Server) -> tuple[ChatTokenizer | EstimatingTokenizer, bool]:
    """Return what counts, and whether it has a template by which prompts can go as token ids.

    A model that thinks first is left to its server, which knows how to part thoughts from answers.
    """
    if not server.tokenizer:
        return EstimatingTokenizer(server.tokens_per_piece), False
    found = tokenizer_folder(Path(server.tokenizer))
    special = {"bos_token": found.bos_token, "eos_token": found.eos_token}
    tokenizer = ChatTokenizer(found.tokenizer, found.chat_template or NO_TEMPLATE, special)
    return tokenizer, found.chat_template is not None and tokenizer.reasoning is None


def _wire(url: str, arguments: ServerArgs) -> Wire:
    return Wire(url, os.environ.get(KEY_VARIABLE, ""), arguments.timeout)


def _arguments(given: dict[str, JsonValue]) -> ServerArgs:
    try:
        return ServerArgs.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        hint = f"With --engine-url there are {', '.join(ServerArgs.model_fields)}; the rest is the server's own."
        raise UsageError("engine_arg", f"--engine-arg {where}: {first['msg']}", hint) from error


def _granularity(name: str) -> Granularity:
    """Tell from a name like "Qwen3-Coder-30B-A3B" what a model of its size can write at a time."""
    sizes = [float(size) for size in re.findall(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z])", name.lower())]
    return "file" if max(sizes, default=0) * 1e9 >= UNIT_BELOW_PARAMETERS else "unit"
