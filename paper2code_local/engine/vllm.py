"""In-process vLLM, imported only when an engine starts; `cpu_worker.py` is the part of it that runs in its worker.

In: a model folder, `EngineArgs`. Out: an `Engine`. Must not know stages or run folders. All logs of vLLM go to a file.
"""

from __future__ import annotations

import asyncio
import importlib
import itertools
import logging
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from threading import Thread
from typing import Any

from pydantic import JsonValue

from paper2code_local.engine import watchdog
from paper2code_local.engine.avoiding import spellings
from paper2code_local.engine.chat import ChatTokenizer
from paper2code_local.engine.protocol import Completion, Request
from paper2code_local.engine.reasoning import Reasoning, marks
from paper2code_local.engine.runaway import LOOK_EVERY, repeats_itself
from paper2code_local.engine.sizing import INT8, EngineArgs
from paper2code_local.errors import EngineError
from paper2code_local.modelstore.digests import cache_folder

ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_PLUGINS": "",
    "VLLM_HOST_IP": "127.0.0.1",
    "GLOO_SOCKET_IFNAME": "lo",
    "NO_PROXY": "127.0.0.1,localhost",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
    "TOKENIZERS_PARALLELISM": "false",
}
"""Read by vLLM and its libraries at import: nothing is looked up outside, nothing is reported."""
ANNOTATIONS = frozenset({"title", "description", "examples", "default"})
PIECE = 16 << 20
"""Bytes that are read ahead at a time."""
GRAMMAR = {"backend": "guidance", "disable_any_whitespace": True}
"""xgrammar ignores maxLength beside pattern (0.2.8), so the backend is pinned."""


@dataclass(frozen=True)
class _Written:
    """What the model wrote after a prompt."""

    text: str
    tokens: list[int]
    """Those of the stop string too."""
    stopped: bool
    """By a stop string."""
    cut: bool
    """By the limit."""
    prompt: int
    """Tokens of the prompt."""
    cached: int
    """Of these, those whose KV cache was there."""
    logprob: float | None
    """Sum of the log-probabilities of `tokens`, where it was asked for."""

    @property
    def kept(self) -> list[int]:
        """What can be gone on from: without the token that ends an answer."""
        return self.tokens if self.stopped or self.cut else self.tokens[:-1]


TELLING = 1024
"""Tokens at the beginning of a prompt by which papers are told apart."""
AVOIDING_LEAST = 12
"""Tokens of an answer that may not be empty words: else saying nothing at all is what is left."""


class VllmEngine:
    """Satisfies `Engine` with one AsyncLLM; whatever is in flight shares its batches."""

    can_prefill = True

    def __init__(self, llm: Any, model: str, tokenizer: ChatTokenizer, pipe: int, copies: int = 1) -> None:
        """Ask `llm`, which has so many copies of the model; `pipe` ends the watchdog."""
        self.model, self._llm, self._tokenizer, self._pipe = model, llm, tokenizer, pipe
        self._copies = Copies(copies)
        self._numbers = itertools.count()
        self._on_token: Callable[[int], None] = lambda _: None

    def on_token(self, listener: Callable[[int], None]) -> None:
        """Call `listener` with the number of new tokens whenever some arrive: for the live view."""
        self._on_token = listener

    async def complete(self, request: Request) -> Completion:
        """Complete `request`. Raises EngineError (`lost`) when the engine died, (`refused`) when vLLM refuses it."""
        from vllm.exceptions import VLLMValidationError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        started = time.monotonic()
        try:
            return await self._answered(request, started)
        except (EngineDeadError, EngineGenerateError) as error:
            hint = "Run the same command again to go on; the run folder's engine.log says why it died."
            raise EngineError("lost", f"the engine died while answering {request.label}", hint) from error
        except (VLLMValidationError, ValueError) as error:
            hint = "Check --engine-arg and the model's TOML."
            raise EngineError("refused", f"vLLM refuses {request.label}: {error}", hint) from error

    async def _answered(self, request: Request, started: float) -> Completion:
        reasoning = self._tokenizer.reasoning
        thinks = reasoning is not None and reasoning.budget > 0
        tokens = self._tokenizer.encode(request.system, request.user, "" if thinks else request.prefill)
        written: list[_Written] = []
        if reasoning and thinks:
            thoughts = await self._generate(request.label, tokens, _thinking(request, reasoning))
            written.append(thoughts)
            tokens = [*tokens, *thoughts.kept, *self._tokenizer.after_thoughts(thoughts.stopped, request.prefill)]
        answer = await self._generate(request.label, tokens, _sampling(request))
        written.append(answer)
        return Completion(
            text=answer.text,
            finish="length" if answer.cut else "stop",
            prompt_tokens=written[0].prompt,
            cached_tokens=written[0].cached,
            completion_tokens=sum(len(each.tokens) for each in written),
            seconds=round(time.monotonic() - started, 3),
            logprob=answer.logprob,
        )

    async def _generate(self, label: str, prompt: list[int], sampling: Any) -> _Written:
        """Let the model go on from `prompt`."""
        name, copy = f"{next(self._numbers)}:{label}", self._copies.one_for(prompt)
        stream = self._llm.generate({"prompt_token_ids": prompt}, sampling, request_id=name, data_parallel_rank=copy)
        seen, cached, look, runaway = 0, 0, LOOK_EVERY, False
        output = await anext(stream, None)
        while output is not None:
            latest = output
            if latest.num_cached_tokens:
                cached = latest.num_cached_tokens
            now = len(latest.outputs[0].token_ids)
            self._on_token(now - seen)
            seen = now
            if seen >= look:
                look, runaway = seen + LOOK_EVERY, repeats_itself(latest.outputs[0].text)
            if runaway:
                await stream.aclose()  # which ends the request
                break
            output = await anext(stream, None)
        written = latest.outputs[0]
        return _Written(
            text=written.text,
            tokens=list(written.token_ids),
            stopped=isinstance(written.stop_reason, str),
            cut=runaway or written.finish_reason == "length",
            prompt=len(prompt),
            cached=min(cached, len(prompt)),
            logprob=written.cumulative_logprob,
        )

    async def close(self) -> None:
        """Shut the engine down and let the watchdog end what is left."""
        if self._llm is not None:
            llm, self._llm = self._llm, None
            await asyncio.to_thread(llm.shutdown)
            llm.shutdown = _nothing  # its __del__ calls it again when the interpreter is half gone
            os.close(self._pipe)


class Copies:
    """Which copy of the model answers: the same one for all questions about a paper, papers in turn."""

    def __init__(self, count: int) -> None:
        self._count, self._of = count, dict[tuple[int, ...], int]()

    def one_for(self, prompt: list[int]) -> int | None:
        """Return the number of the copy; None where there is one alone."""
        if self._count == 1:
            return None
        return self._of.setdefault(tuple(prompt[:TELLING]), len(self._of) % self._count)


async def start(folder: Path, model: str, tokenizer: ChatTokenizer, arguments: EngineArgs, log: Path) -> VllmEngine:
    """Start vLLM on the model in `folder`. Raises EngineError (`missing`, `start`).

    What vLLM and its children print goes to `log`: file descriptor 2 is pointed there while the children are born.
    """
    preloaded = os.environ.get("LD_PRELOAD")
    os.environ.update(environment(arguments))
    resource_tracker.ensure_running()  # one for all engines of this process, so it may not end with the first of them
    pipe = watchdog.guard()
    saved = os.dup(2)
    try:
        with log.open("ab") as sink:
            os.dup2(sink.fileno(), 2)
            llm = await asyncio.to_thread(_build, folder, arguments)
        _log_to(log)
    except ImportError as error:
        os.close(pipe)
        hint = "Install it with scripts/setup, or pip install 'paper2code_local[cpu]' (or [gpu])."
        raise EngineError("missing", f"vLLM cannot be imported: {error}", hint) from error
    except (RuntimeError, ValueError, OSError) as error:
        os.close(pipe)
        raise EngineError("start", f"vLLM did not start: {error}", f"What it said is in {log}.") from error
    finally:
        os.environ.pop(watchdog.MARK, None)  # what we start later is not the engine's and must outlive it
        os.environ.pop("LD_PRELOAD", None)  # vLLM adds to it too
        os.environ.update({} if preloaded is None else {"LD_PRELOAD": preloaded})
        os.dup2(saved, 2)
        os.close(saved)
    return VllmEngine(llm, model, tokenizer, pipe, settings_of(folder, arguments)["data_parallel_size"])


def read_ahead(folder: Path) -> None:
    """Read the weights in `folder` in a thread, so that the kernel has them in memory when vLLM loads them."""

    def read() -> None:
        buffer = bytearray(PIECE)
        with suppress(OSError):  # it is told when they are loaded
            for weights in sorted(folder.glob("*.safetensors")):
                with weights.open("rb", buffering=0) as file:
                    while file.readinto(buffer):
                        pass

    Thread(target=read, name="read ahead", daemon=True).start()


def environment(arguments: EngineArgs) -> dict[str, str]:
    """Return what vLLM and its processes find in their environment; what torch compiles is kept for the next start."""
    ours = str(cache_folder(os.environ).with_name("compiled"))  # torch's own place is one that others can write to
    kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR") or ours
    return {**ENVIRONMENT, "TORCHINDUCTOR_CACHE_DIR": kept, **dict(arguments.environment)}


def _nothing() -> None:
    """Take the place of what has been done."""


def _log_to(log: Path) -> None:
    """Send what vLLM says in this process to `log`, where its children's words are already."""
    stream = log.open("a", encoding="utf-8")
    for handler in logging.getLogger("vllm").handlers:
        if type(handler) is logging.StreamHandler:  # others that listen there are not vLLM's
            handler.setStream(stream)


def settings_of(folder: Path, arguments: EngineArgs) -> dict[str, Any]:
    """Return vLLM's engine arguments for the model in `folder`: none where vLLM's own default is meant."""
    settings: dict[str, Any] = {
        "model": str(folder),
        "tokenizer": str(folder),
        "dtype": "bfloat16",
        "load_format": "safetensors",
        "config_format": "hf",  # beside Mistral's own files too: the tokenizer is the one that we encode with
        "tokenizer_mode": "hf",
        "language_model_only": True,  # we send no pictures: no memory for them
        "enable_prefix_caching": True,
        "disable_log_stats": True,
        "structured_outputs_config": GRAMMAR,
    } | arguments.model_dump(exclude={"environment", "extra"})
    return {key: value for key, value in (settings | arguments.extra).items() if value is not None}


def _build(folder: Path, arguments: EngineArgs) -> Any:
    from vllm import AsyncEngineArgs
    from vllm.v1.engine.async_llm import AsyncLLM

    settings = settings_of(folder, arguments)
    if settings.get("quantization") == INT8:
        importlib.import_module(f"{__package__}.int8")  # registers it; vLLM's processes do so as they are told of it
    return AsyncLLM.from_engine_args(AsyncEngineArgs(**settings))


def _sampling(request: Request) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    schema = request.answer_schema
    return SamplingParams(
        max_tokens=request.max_tokens,
        temperature=request.sampling.temperature,
        top_p=request.sampling.top_p,
        top_k=request.sampling.top_k,
        repetition_penalty=request.sampling.repetition_penalty,
        seed=request.seed,
        stop=list(request.stop) or None,
        bad_words=spellings(request.avoid) or None,
        min_tokens=min(AVOIDING_LEAST, request.max_tokens) if request.avoid else 0,
        logprobs=0 if request.scored else None,
        structured_outputs=None if schema is None else StructuredOutputsParams(json=constraints(schema)),
        output_kind=RequestOutputKind.CUMULATIVE,
    )


def _thinking(request: Request, reasoning: Reasoning) -> Any:
    """Return the sampling of thoughts, which end at their mark or when the budget is spent.

    vLLM's own thinking budget cuts and constrains within one completion: stop strings would then end thoughts too.
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    return SamplingParams(
        max_tokens=reasoning.budget,
        temperature=request.sampling.temperature,
        top_p=request.sampling.top_p,
        top_k=request.sampling.top_k,
        repetition_penalty=request.sampling.repetition_penalty,
        seed=request.seed,
        stop=[marks(reasoning.parser).end],
        skip_special_tokens=False,
        output_kind=RequestOutputKind.CUMULATIVE,
    )


def constraints(schema: dict[str, JsonValue]) -> dict[str, Any]:
    """Return `schema` without the annotations that constrain nothing and that a grammar need not see."""

    def bare(node: Any, named: bool) -> Any:
        if isinstance(node, list):
            return [bare(part, False) for part in node]
        if not isinstance(node, dict):
            return node
        return {k: bare(v, k in {"properties", "$defs"}) for k, v in node.items() if named or k not in ANNOTATIONS}

    result: dict[str, Any] = bare(schema, False)
    return result
