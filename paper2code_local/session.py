"""The model of a run: what must be known of it at once, and how its engine is started when a question needs it.

In: a `Job`. Out: a `Model`. Must not know stages or the run folder's layout.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from paper2code_local.connecting import connect
from paper2code_local.engine import hardware, served, sizing, vllm
from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.dialects import Server
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.protocol import Completion, Engine, Request, Tokenizer
from paper2code_local.engine.reasoning import Reasoning
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.engine.wire import Wire
from paper2code_local.errors import EngineError, UsageError
from paper2code_local.events import CallFinished, CallStarted, EngineReady, EngineStarting, Listener, Notice, Tokens
from paper2code_local.modelstore.card import Granularity, Sampling, choose_default
from paper2code_local.modelstore.folder import Hashing, ModelFolder, model_folder, read_template
from paper2code_local.modelstore.store import default_store
from paper2code_local.settings import Job

TOKENS_EVERY = 0.5
"""Seconds between two `Tokens` events."""
WARM_CONCURRENCY = 256
"""Requests in flight on a vLLM of our own, which queues what it cannot batch."""
SCRIPTED_CONTEXT = 32768
SCRIPTED_PAPERS = 8


class Sayer:
    """Tells the listener about calls; satisfies `CallListener`."""

    def __init__(self, listener: Listener) -> None:
        self.say = listener
        self._tokens, self._said = 0, time.monotonic()

    def asked(self, request: Request) -> None:
        """A question goes to the engine."""
        self.say(CallStarted(label=request.label))

    def answered(self, request: Request, completion: Completion, *, replayed: bool) -> None:
        """Its answer is known."""
        self.say(
            CallFinished(
                label=request.label,
                replayed=replayed,
                prompt_tokens=completion.prompt_tokens,
                cached_tokens=completion.cached_tokens,
                completion_tokens=completion.completion_tokens,
                seconds=completion.seconds,
            )
        )

    def tokens(self, count: int) -> None:
        """Some tokens arrived; said at most every half second."""
        self._tokens += count
        if time.monotonic() - self._said >= TOKENS_EVERY:
            self.say(Tokens(count=self._tokens))
            self._tokens, self._said = 0, time.monotonic()


Launch = Callable[[sizing.Need, Path, Sayer], Awaitable[Engine]]
"""Starts an engine for what is needed, with its log in that file."""


@dataclass(frozen=True)
class Model:
    """What a run must know of its model before any engine starts."""

    id: str
    spec: str
    """What finds it again: an id of the catalogue or a folder."""
    identity: str
    context: int
    """Longest context in tokens."""
    granularity: Granularity
    scale: float
    """Multiplies the bounds of answers."""
    sampling: Sampling
    tokenizer: Tokenizer
    can_prefill: bool
    """Whether its engine honours `Request.prefill`."""
    launch: Launch
    papers: Callable[[sizing.Need], int] = lambda need: min(need.papers, SCRIPTED_PAPERS)
    """How many papers like that its engine can keep at once."""
    read_ahead: Callable[[], None] = lambda: None
    """Begins to read what its engine will load."""
    server: Server | None = None
    """What was found out about the server that the user named."""
    notice: str = ""
    """What the user should know of it."""


async def open_model(
    job: Job,
    spec: str | None,
    url: str | None = None,
    known: Server | None = None,
    hashing: Hashing = lambda done, total: None,
) -> Model:
    """Find the model that `spec` names, None for the default: on this machine, or on the server at `url`.

    `known` is what was found out about that server before; `hashing` hears when a folder is hashed. Raises ModelError
    when the model is unknown, not pulled or refused, and UsageError and EngineError of the server.
    """
    if url is not None:
        return await _elsewhere(job, spec, url, known)
    if job.engine == "scripted":
        return _scripted(job.engine_args)
    store = default_store(os.environ)
    named = spec or choose_default(hardware.available_memory(Path("/"))).id
    folder = model_folder(named, store, read_template(job.chat_template), hashing)
    tokenizer = tokenizer_of(folder)
    return Model(
        id=folder.id,
        spec=folder.id if folder.card else str(folder.path),
        identity=_identity(folder, tokenizer),
        context=folder.context - tokenizer.room,
        granularity=folder.granularity,
        scale=folder.answer_scale,
        sampling=folder.sampling,
        tokenizer=tokenizer,
        can_prefill=True,
        launch=lambda need, log, sayer: _launch(folder, tokenizer, job.engine_args, need, log, sayer),
        papers=lambda need: _papers(folder, tokenizer, job.engine_args, need),
        read_ahead=lambda: None if served.running(os.environ) else vllm.read_ahead(folder.path),
    )


def tokenizer_of(folder: ModelFolder) -> ChatTokenizer:
    """Return the tokenizer and template of a model folder."""
    special = {"bos_token": folder.bos_token, "eos_token": folder.eos_token}
    parser = folder.card.reasoning_parser if folder.card else None
    return ChatTokenizer(folder.tokenizer, folder.chat_template, special, Reasoning(parser) if parser else None)


def _identity(folder: ModelFolder, tokenizer: ChatTokenizer) -> str:
    """Return what decides the answers of a model: its files, and how it thinks when it does."""
    if tokenizer.reasoning is None:
        return folder.identity
    return hashlib.sha256(f"{folder.identity} {tokenizer.reasoning}".encode()).hexdigest()


def shape_of(folder: ModelFolder) -> sizing.ModelShape:
    """Return what sizing must know of a model folder."""
    return sizing.ModelShape(
        id=folder.id,
        weights=folder.weights_bytes,
        kv_per_token=folder.kv_bytes_per_token,
        context=folder.context,
        heads=folder.attention_heads,
        kv_heads=folder.kv_heads,
        quantization=folder.quantization,
    )


async def _launch(
    folder: ModelFolder,
    tokenizer: ChatTokenizer,
    extra: dict[str, JsonValue],
    need: sizing.Need,
    log: Path,
    sayer: Sayer,
) -> Engine:
    if not extra and (warm := _warm(folder, tokenizer, need.context, sayer)):
        return warm
    need = need.model_copy(update={"context": need.context + tokenizer.room})
    arguments = sizing.engine_args(hardware.hardware(), shape_of(folder), need, extra)
    sayer.say(EngineStarting(model=folder.id, context=arguments.max_model_len))
    started = time.monotonic()
    try:
        engine = await _started(folder, tokenizer, arguments, log, sayer)
    except EngineError as error:
        if error.code != "engine.start" or not folder.quantization:
            raise
        hint = f"{error.hint} Its weights are quantised ({folder.quantization}): not all hardware has kernels for that."
        raise EngineError("start", error.message, f"{hint} A copy with plain bf16 weights runs everywhere.") from error
    engine.on_token(sayer.tokens)
    sayer.say(EngineReady(seconds=round(time.monotonic() - started, 1)))
    return engine


def _papers(folder: ModelFolder, tokenizer: ChatTokenizer, extra: dict[str, JsonValue], need: sizing.Need) -> int:
    """Return how many papers the KV cache holds, of what is kept warm or of the engine that will be started."""
    warm = None if extra else served.running(os.environ)
    if warm and not _unfit(warm, folder, tokenizer, need.context):
        return min(need.papers, sizing.held(warm.cache, need))
    return sizing.papers_in_flight(hardware.hardware(), shape_of(folder), need)


def _unfit(warm: served.Served, folder: ModelFolder, tokenizer: ChatTokenizer, context: int) -> str:
    """Return why what is kept warm cannot answer, or ""."""
    thinks = tokenizer.reasoning is not None and tokenizer.reasoning.budget > 0
    return warm.unfit(folder.identity, context) or ("its model thinks first" if thinks else "")


async def _started(
    folder: ModelFolder, tokenizer: ChatTokenizer, arguments: sizing.EngineArgs, log: Path, sayer: Sayer
) -> vllm.VllmEngine:
    """Start vLLM as `arguments` say; where it does not start compiled, eager. Raises EngineError."""
    try:
        return await vllm.start(folder.path, folder.identity, tokenizer, arguments, log)
    except EngineError as error:
        if error.code != "engine.start" or arguments.enforce_eager or "enforce_eager" in arguments.extra:
            raise
        again = f"{error.message}. It is started again without compiling the model, which is slower."
        sayer.say(Notice(level="warning", message=again))
    eager = arguments.model_copy(update={"enforce_eager": True})
    return await vllm.start(folder.path, folder.identity, tokenizer, eager, log)


def _warm(folder: ModelFolder, tokenizer: ChatTokenizer, context: int, sayer: Sayer) -> Engine | None:
    """Return an engine on what `p2c-local serve` keeps warm, None when nothing that fits is running.

    It is asked with the token ids that our own engine would be given: the run is the same one.
    """
    found = served.running(os.environ)
    if found is None:
        return None
    if reason := _unfit(found, folder, tokenizer, context):
        sayer.say(Notice(level="info", message=f"What p2c-local serve keeps warm is not used: {reason}."))
        return None
    sayer.say(Notice(level="info", message=f"{found.model} is warm: p2c-local serve answers (process {found.pid})."))
    engine = HttpEngine(found.server(), Wire(found.url), tokenizer, concurrency=WARM_CONCURRENCY)
    engine.on_token(sayer.tokens)
    return engine


async def _elsewhere(job: Job, spec: str | None, url: str, known: Server | None) -> Model:
    if job.engine == "scripted":
        raise UsageError("engine_url", "the scripted engine has no server", "Leave out --engine or --engine-url.")
    connection = await connect(url, spec, job.tokenizer, job.engine_args, known)
    server = connection.server

    async def launch(_need: sizing.Need, _log: Path, sayer: Sayer) -> Engine:
        engine = await connection.engine()
        engine.on_token(sayer.tokens)
        return engine

    return Model(
        id=server.model,
        spec=server.model,
        identity=server.identity,
        context=server.context,
        granularity=connection.granularity,
        scale=connection.scale,
        sampling=connection.sampling,
        tokenizer=connection.tokenizer,
        can_prefill=server.can_prefill,
        launch=launch,
        papers=lambda need: min(need.papers, -(-connection.arguments.concurrency // sizing.EACH_IN_FLIGHT)),
        server=server,
        notice=connection.told,
    )


def _scripted(arguments: dict[str, JsonValue]) -> Model:
    known = {"faults", "delay"}
    if unknown := set(arguments) - known:
        raise UsageError(
            "engine_arg", f"the scripted engine has no {', '.join(sorted(unknown))}", "It has faults, delay."
        )
    if words := [k for k, v in arguments.items() if not isinstance(v, int | float)]:
        raise UsageError("engine_arg", f"{words[0]} of the scripted engine is a number", "For example faults=0.1.")
    numbers = {k: float(v) for k, v in arguments.items() if isinstance(v, int | float)}
    engine = ScriptedEngine(**numbers)

    async def launch(_need: sizing.Need, _log: Path, _sayer: Sayer) -> Engine:
        return engine

    return Model(
        id="scripted",
        spec="",
        identity=engine.model,
        context=SCRIPTED_CONTEXT,
        granularity="unit",
        scale=1.0,
        sampling=Sampling(temperature=0.2, repetition_penalty=1.0),
        tokenizer=engine,
        can_prefill=engine.can_prefill,
        launch=launch,
    )
