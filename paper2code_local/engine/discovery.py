"""Finds out what a server is and which dialects it speaks, by asking: small requests whose obedience shows.

In: a `Wire`, the model that the user named if any. Out: a `Server`. No server is known by name: a field that one of
them has may come or go with its next version.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import JsonValue

from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.dialects import (
    PREFILL_DIALECTS,
    SCHEMA_DIALECTS,
    EstimatingTokenizer,
    Server,
    pieces,
)
from paper2code_local.engine.http import HttpEngine
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.wire import Wire
from paper2code_local.errors import EngineError, UsageError
from paper2code_local.modelstore.card import Sampling

DEFAULT_CONTEXT = 8192
"""Tokens, where neither the server nor the user says how many."""
MARGIN = 1.1
"""On what a server counts for our sample: papers differ from it by up to 1.06 (five papers; SmolLM2, Qwen2.5)."""
WORDS = ("vortqel", "zimblat")
"""No model says these by itself."""
NONSENSE: dict[str, JsonValue] = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": list(WORDS)}},
    "required": ["colour"],
    "additionalProperties": False,
}
OPENING, ITS_REST = "The quick brown fox jumps over the lazy", "dog"
"""A chat that goes on with its last message ends the sentence; a clever model does so in a new message too."""
LETTER, ITS_TOKENS = "T", range(1, 4)
"""So many tokens longer is a prompt with an opening of one letter. Where the template ends that message and begins a
new one it is six and more (measured on vLLM: 1 against 6 with Qwen2.5, 1 against 7 with SmolLM2)."""
COUNTED_FOR = EstimatingTokenizer(1000.0)
"""Counts where a server does not, so that it shows."""
SAMPLE = """Calibrated Distillation with Entropy Regularisation. Okonkwo, Z., Lindqvist, A. and Szczepański, M. (2023).
Abstract. Overparameterised encoders memorise noisy annotations; we reweight mini-batches by the uncertainty of an
ensembled teacher (ECE 3.41 ± 0.27 on CIFAR-100, BLEU 28.7, p < 0.05). L_KD(θ) = −∑_i q_i log p_θ(y_i|x_i) + λ‖θ‖²₂,
where τ ∈ (0, 1] rescales logits, as in Guo et al. (2017), Müller et al. (2019) [12, 31]; see Sec. 4.2, Tab. 3, Eq. 7.
AdamW, lr 3e-4, β₁=0.9, ResNet-50, 8×A100 GPUs, top-k=5, RoBERTa-large (355M), arXiv:2106.05237, pp. 1321–1330.
"""
"""What papers look like, dense as they are, to calibrate an estimate with."""

NOT_SPOKEN = frozenset({"engine.refused", "engine.server", "engine.context", "engine.not_found"})
"""Errors with which a server turns down a field that it does not know."""


async def discover(
    wire: Wire, model: str | None, tokenizer: ChatTokenizer | None, templated: bool, context: int | None
) -> Server:
    """Ask the server for its models, its context and its dialects.

    `tokenizer` is the model's own where the user has it, `templated` whether with a chat template; `context` overrules
    what the server says. Raises UsageError (`model`, `tokenizer`) and EngineError.
    """
    entry = await _entry(wire, model)
    name = str(entry["id"])
    server = Server(
        url=wire.url,
        model=name,
        identity=_identity(name, entry, await _maybe(wire, "//api/tags")),
        context=context or DEFAULT_CONTEXT,
        tokens=False,
    )
    counted = await _counted(wire, name)
    if tokenizer is not None and counted is not None and abs(counted - tokenizer.count(SAMPLE)) > 2:
        hint = "Name the folder of this very model, or leave --tokenizer out."
        raise UsageError("tokenizer", f"--tokenizer is not the tokenizer of {name} at {wire.url}", hint)
    if tokenizer is None and counted is not None:
        server = server.model_copy(update={"tokens_per_piece": MARGIN * counted / pieces(SAMPLE), "counted": True})
    server = await _spoken(wire, server, tokenizer if templated else None)
    if context is None:  # after a request: some servers load the model with it, and only then know
        server = server.model_copy(update={"context": await _context(wire, name, entry) or DEFAULT_CONTEXT})
    return server


async def reached(wire: Wire, server: Server) -> None:
    """Make sure that the server is there and still serves the model. Raises EngineError (`changed`)."""
    entry = await _entry(wire, server.model)
    if _identity(server.model, entry, await _maybe(wire, "//api/tags")) != server.identity:
        hint = "Serve the model that the run began with, or begin anew with --run FOLDER."
        raise EngineError(
            "changed", f"{wire.url} serves other weights as {server.model} than when this run began", hint
        )


async def _entry(wire: Wire, model: str | None) -> dict[str, Any]:
    """Return what /models says about the model."""
    listed = await wire.patiently(lambda: wire.get("/models"))
    found = listed.get("data") if isinstance(listed, dict) else None
    entries = {str(e["id"]): e for e in found or () if isinstance(e, dict) and e.get("id")}
    if not entries:
        hint = "Load a model into the server, and check that --engine-url ends in /v1."
        raise EngineError("not_openai", f"{wire.url} lists no model", hint)
    if model is None and len(entries) == 1:
        return next(iter(entries.values()))
    if model is not None and model in entries:
        return entries[model]
    names = wire.quoted(", ".join(sorted(entries)))
    told = f"{wire.url} serves no {model!r}" if model else f"{wire.url} serves more than one model"
    raise UsageError("model", told, f"Choose with --model: {names}.")


def _identity(name: str, entry: dict[str, Any], tags: Any) -> str:
    """Digest what tells the weights from others: name, root and Ollama's digest, not time, address or context."""
    known = {key: entry.get(key) for key in ("root", "parent")} | {"id": name}
    for each in _items(tags, "models"):
        if each.get("name") in (name, f"{name}:latest"):
            known["digest"] = each.get("digest")
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


async def _context(wire: Wire, name: str, entry: dict[str, Any]) -> int | None:
    """Return the context in tokens, from whichever page tells it: that of the loaded model, never of its training."""
    props = await _maybe(wire, "//props")
    settings = props.get("default_generation_settings") if isinstance(props, dict) else None
    running = [m for m in _items(await _maybe(wire, "//api/ps"), "models") if name in (m.get("name"), m.get("model"))]
    loaded = [m for m in _items(await _maybe(wire, "//api/v0/models"), "data") if m.get("id") == name]
    said = [
        entry.get("max_model_len"),  # vLLM, SGLang
        settings.get("n_ctx") if isinstance(settings, dict) else None,  # llama.cpp: of one slot
        *(m.get("context_length") for m in running),  # Ollama
        *(m.get("loaded_context_length") for m in loaded),  # LM Studio
    ]
    return next((n for n in said if isinstance(n, int) and not isinstance(n, bool) and n >= 512), None)


async def _counted(wire: Wire, name: str) -> int | None:
    """Return the tokens of our sample, where the server has a page that counts."""
    body = {"model": name, "prompt": SAMPLE, "content": SAMPLE, "add_special_tokens": False, "add_special": False}
    try:
        answer = await wire.post("//tokenize", body)
    except EngineError:
        return None
    tokens = answer.get("tokens") if isinstance(answer, dict) else None
    return len(tokens) if isinstance(tokens, list) and tokens else None


async def _maybe(wire: Wire, path: str) -> Any:
    """Return a page that a server may not have."""
    try:
        return await wire.get(path)
    except EngineError:
        return None


def _items(page: Any, key: str) -> list[dict[str, Any]]:
    found = page.get(key) if isinstance(page, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


async def _spoken(wire: Wire, server: Server, tokenizer: ChatTokenizer | None) -> Server:
    """Try the dialects, best first, and keep the first of each kind that is obeyed."""
    found = await _form(wire, server, tokenizer)
    for dialect in SCHEMA_DIALECTS:
        candidate = found.model_copy(update={"schema_as": dialect})
        if dialect == "words" or _obeyed(await _tried(wire, candidate, tokenizer, answer_schema=NONSENSE)):
            found = candidate
            break
    if found.tokens:
        return found
    for way in PREFILL_DIALECTS[:-1]:
        candidate = found.model_copy(update={"prefill_as": way})
        if await _goes_on(wire, candidate):
            return candidate
    return found


async def _goes_on(wire: Wire, server: Server) -> bool:
    """Tell whether a chat goes on with its last message: the sentence is ended, and no new message was begun."""
    ended = await _tried(wire, server, None, prefill=OPENING)
    if ended is None or not ended.text.lstrip().startswith(ITS_REST):
        return False
    bare, longer = await _tried(wire, server, None), await _tried(wire, server, None, prefill=LETTER)
    return bare is not None and longer is not None and longer.prompt_tokens - bare.prompt_tokens in ITS_TOKENS


async def _form(wire: Wire, server: Server, tokenizer: ChatTokenizer | None) -> Server:
    """Find the form of a plain request that is not turned down: the one that leaves us most."""
    forms: list[dict[str, bool]] = [
        {"tokens": False, "extended": extended, "system": system}
        for system in (True, False)
        for extended in (True, False)
    ]
    if tokenizer is not None:
        forms = [{"tokens": True, "extended": extended} for extended in (True, False)] + forms
    for form in forms:
        candidate = server.model_copy(update=form)
        completion = await _tried(wire, candidate, tokenizer)
        if completion is not None and not (candidate.tokens and _misread(completion, tokenizer)):
            return candidate
    await _engine(wire, candidate, tokenizer).complete(_request())  # raises what the server says
    return candidate


async def _tried(wire: Wire, server: Server, tokenizer: ChatTokenizer | None, **more: Any) -> Completion | None:
    """Make a small request; None when the server turns it down."""
    try:
        return await _engine(wire, server, tokenizer).complete(_request(**more))
    except EngineError as error:
        if error.code in NOT_SPOKEN:
            return None
        raise


def _engine(wire: Wire, server: Server, tokenizer: ChatTokenizer | None) -> HttpEngine:
    return HttpEngine(server, wire, tokenizer or COUNTED_FOR)


def _request(**more: Any) -> Request:
    asked: dict[str, Any] = {
        "label": "probe",
        "system": "You repeat sentences.",
        "user": "Repeat this sentence and add nothing: The quick brown fox jumps over the lazy dog.",
        "max_tokens": 48,
        "sampling": Sampling(temperature=0, repetition_penalty=1),
        "seed": 0,
    }
    return Request(**(asked | more))


def _misread(completion: Completion, tokenizer: ChatTokenizer | None) -> bool:
    """Tell whether the server took the token ids for something else, by how many it counts."""
    asked = _request()
    expected = len(tokenizer.encode(asked.system, asked.user)) if tokenizer else 0
    return abs(completion.prompt_tokens - expected) > 1


def _obeyed(completion: Completion | None) -> bool:
    """Tell whether the answer is what only the schema asked for."""
    try:
        answer = json.loads(completion.text) if completion else None
    except (ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and list(answer) == ["colour"] and answer["colour"] in WORDS
