"""engine_args(hardware, model, need): what the engine is started with, decided by arithmetic alone.

Memory a GPU must hold (bytes, per GPU with tensor parallelism t and pipeline parallelism p):
(weights/t + KV × max(1/t, 1/KV heads))/p + OVERHEAD: vLLM gives each GPU at least one KV head (config/model.py,
get_num_kv_heads), so beyond that the KV cache is copied. Tensor parallelism comes first, as it makes a single answer
faster; a pipeline only where no split of the heads holds the model. What GPUs are left then hold copies of the engine
(data parallelism), where there are papers for them: a paper stays on its copy, which has its prefix.
KV-cache bytes per token are 2 (key and value) × layers × KV heads × head size × 2 (bf16), as in vLLM's own
full-attention page size; a latent cache (MLA) is layers × latent size × 2 and counts as one KV head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import Field, JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.engine.hardware import Gpu, Hardware
from paper2code_local.errors import EngineError

GIB = 1 << 30
INT8 = "p2c_int8"
"""What int8.py is registered with vLLM as."""
GPU_OVERHEAD = int(1.5 * GIB)
"""CUDA context, activations and CUDA graphs beside weights and KV cache."""
CPU_OVERHEAD = 2 * GIB
"""The engine process, its libraries and activations."""
BLOCK = 128
"""Context and KV cache are rounded up to vLLM's CPU block size in tokens."""
SPARE = 2 * BLOCK
"""vLLM keeps one block for itself, and layers with windows take half a block more (measured with gpt-oss's layout)."""
TAIL = 2048
"""Tokens of KV cache beyond the shared prefix for one request in flight: its own tail and its answer."""
EACH_IN_FLIGHT = 8
"""Requests that one of many papers has in flight at once: about one for each file of its repository."""
COMPILED_SAVES = 2.4e-12
"""Seconds that a compiled engine saves on the CPU for each byte of weights and each token written: .0073 s of .082 s
with the 1.5B, a little more with the 0.5B (benchmarks/results/setting.md)."""
COMPILING = 15.0
"""Seconds that a compiled start takes longer: 2 to 8 where what was compiled is still there, 40 the first time."""

QUANTIZATIONS = frozenset(
    {
        *("auto-round", "awq", "compressed-tensors", "experts_int8", "fbgemm_fp8", "fp8", "fp_quant", "gptq", "inc"),
        *("modelopt", "modelopt_fp4", "modelopt_mixed", "modelopt_mxfp8", "mxfp4", "mxfp8", "quark", "torchao"),
    }
)
"""What vLLM 0.32 loads (model_executor/layers/quantization), as config.json calls it."""


class ModelShape(Frozen):
    """What sizing must know of a model."""

    id: str
    weights: int
    """Bytes of the weights as loaded."""
    kv_per_token: int
    """Bytes of KV cache for one token."""
    context: int
    """Longest context that the model was trained for, in tokens."""
    heads: int
    """Attention heads: tensor parallelism must divide them."""
    kv_heads: int
    """Tensor parallelism must divide them or be a multiple of them."""
    quantization: str = ""
    """How the weights are quantised, as config.json calls it; empty for plain ones."""

    def splits(self, parallel: int) -> bool:
        """Say whether vLLM can split the model over so many GPUs."""
        few, many = sorted((parallel, self.kv_heads))
        return self.heads % parallel == 0 and many % few == 0

    def kv_on(self, parallel: int) -> int:
        """Return the bytes of KV cache that one token takes on so many GPUs together."""
        return self.kv_per_token * -(-parallel // min(parallel, self.kv_heads))


class Need(Frozen):
    """What a run asks of the engine."""

    context: int
    """Tokens of the longest prompt together with its answer."""
    in_flight: int = 32
    """Requests that may be in flight together."""
    papers: int = 1
    """Papers that are worked on together, each with a prefix of its own in the KV cache."""
    prefix: int = 0
    """Tokens of the longest prefix of a paper; what comes after it is `TAIL` for each request."""
    tokens: int = 0
    """Tokens that will be written, as far as can be told; 0 where they are few."""


class EngineArgs(Frozen):
    """What vLLM is started with, and the environment it needs."""

    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    enable_chunked_prefill: bool
    kv_cache_memory_bytes: int
    """For each GPU."""
    gpu_memory_utilization: float
    """vLLM refuses to start where less than this share of a GPU is free; the KV cache is as large as said above."""
    tensor_parallel_size: int = 1
    pipeline_parallel_size: int = 1
    data_parallel_size: int = 1
    """Copies of the engine, each on GPUs of its own; sizes are those of one copy."""
    enforce_eager: bool
    quantization: str | None = None
    """On CPUs with the instructions for it, plain weights are turned to 8 bits while they are loaded."""
    worker_cls: str = "auto"
    """On the CPU ours, which samples drafts rightly where `--engine-arg speculative_config=...` asks for some."""
    environment: tuple[tuple[str, str], ...] = ()
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """`--engine-arg K=V`, passed through as they are."""


def engine_args(
    hardware: Hardware, model: ModelShape, need: Need, extra: dict[str, JsonValue] | None = None
) -> EngineArgs:
    """Fit `model` and `need` to `hardware`. Raises EngineError (`too_small`) with three ways out when it cannot.

    Context is what the paper and the answers need, not what the model could do: KV cache is memory that batching needs.
    """
    if need.context > model.context:
        raise EngineError(
            "context",
            f"the run needs a context of {need.context:,} tokens and {model.id} has {model.context:,}",
            "Choose a model with a longer context, or leave out parts of the paper.",
        )
    if model.quantization and model.quantization not in QUANTIZATIONS:
        raise EngineError(
            "quantization",
            f"{model.id} is quantised in a way that vLLM does not load: {model.quantization}",
            "Choose a copy with plain weights, or in FP8, AWQ, GPTQ or compressed-tensors.",
        )
    context = min(_rounded(need.context), model.context)
    tokens = _rounded(context) + SPARE
    own = any(key.endswith("_parallel_size") for key in extra or {})  # the user splits the GPUs: no copies beside that
    room = _room(hardware, model, tokens, 1 if own else need.papers)
    per_token = model.kv_on(room.tensor)
    least = tokens * per_token
    free = room.each * room.gpus
    if free < model.weights + least:
        raise _too_small(hardware, model, context, least, room)
    kv = free - model.weights
    if not hardware.gpus:  # main memory is shared; on a GPU nothing else wants the memory
        kv = min(kv, least + ((need.papers - 1) * need.prefix + need.in_flight * TAIL) * per_token)
    wanted = -(-need.in_flight // room.copies)
    in_flight = max(1, min(wanted, (kv - least) // (TAIL * per_token)))
    return EngineArgs(
        max_model_len=context,
        max_num_seqs=in_flight,
        # On the CPU a seeded request kills the engine when its prefill is chunked: no prompt may be longer than a step,
        # and what does not fit into the rest of a step beside other prompts must wait for the next one.
        max_num_batched_tokens=max(8192, context) if hardware.gpus else context,
        enable_chunked_prefill=bool(hardware.gpus),
        kv_cache_memory_bytes=kv // room.gpus,
        gpu_memory_utilization=room.share,
        tensor_parallel_size=room.tensor,
        pipeline_parallel_size=room.pipeline,
        data_parallel_size=room.copies,
        enforce_eager=not (hardware.gpus or compiling_pays(hardware, model, need)),
        quantization=INT8 if hardware.int8 and not hardware.gpus and not model.quantization else None,
        worker_cls="auto" if hardware.gpus else "paper2code_local.engine.cpu_worker.Worker",
        environment=room.environment if hardware.gpus else _on_cpu(hardware),
        extra=extra or {},
    )


def compiling_pays(hardware: Hardware, model: ModelShape, need: Need) -> bool:
    """Say whether a run on the CPU is so long that a compiled engine saves more time than its start takes."""
    return hardware.compiler and need.tokens * model.weights * COMPILED_SAVES > COMPILING


def _on_cpu(hardware: Hardware) -> tuple[tuple[str, str], ...]:
    """Return vLLM's environment: every core computes, compiled code is found again, and what there is to preload.

    What vLLM 0.32 compiles ahead of time on the CPU it cannot load, and compiles again; what torch keeps, it can.
    """
    always = (("VLLM_CPU_NUM_OF_RESERVED_CPU", "0"), ("VLLM_USE_AOT_COMPILE", "0"))
    return (*always, ("LD_PRELOAD", ":".join(hardware.preload))) if hardware.preload else always


def papers_in_flight(hardware: Hardware, model: ModelShape, need: Need) -> int:
    """Return how many of the papers of `need` the KV cache holds at once, prefix and requests in flight; at least 1.

    Of n papers one has the longest context, each other one its prefix, and all have their requests' own tails: with
    more, vLLM would drop the prefix of one paper for that of another and compute both again and again.
    """
    tokens = _rounded(min(_rounded(need.context), model.context)) + SPARE
    room = _room(hardware, model, tokens, need.papers)
    kept = max(0, room.each * room.gpus - model.weights) // model.kv_on(room.tensor)
    return min(need.papers, held(kept, need.model_copy(update={"context": tokens})) * room.copies)


def held(cache: int, need: Need) -> int:
    """Return how many papers like those of `need` a KV cache of so many tokens holds at once; at least 1."""
    tails = EACH_IN_FLIGHT * TAIL
    return max(1, 1 + (cache - need.context - tails) // (need.prefix + tails))


def cache_tokens(arguments: EngineArgs, model: ModelShape) -> int:
    """Return how many tokens the KV cache of a copy of the engine has room for."""
    gpus = arguments.tensor_parallel_size * arguments.pipeline_parallel_size
    return arguments.kv_cache_memory_bytes * gpus // model.kv_on(arguments.tensor_parallel_size)


@dataclass(frozen=True)
class _Room:
    """Where the engine goes, and what is free there beside its own overhead."""

    each: int
    """Bytes for weights and KV cache on each GPU, or in main memory."""
    tensor: int = 1
    pipeline: int = 1
    copies: int = 1
    share: float = 0.5
    """Of each GPU; on the CPU vLLM does not ask."""
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def gpus(self) -> int:
        """Of one copy; 1 for main memory."""
        return self.tensor * self.pipeline

    def holds(self, model: ModelShape, tokens: int) -> bool:
        """Tell whether a copy has room for the weights and a KV cache of so many tokens."""
        return self.each * self.gpus >= model.weights + tokens * model.kv_on(self.tensor)


def _room(hardware: Hardware, model: ModelShape, tokens: int, papers: int) -> _Room:
    """Return the fewest GPUs that hold the model, in as many copies as there are papers and GPUs for.

    When nothing holds it: as many GPUs as tensor parallelism can use. Without GPUs: main memory.
    """
    if not hardware.gpus:
        return _Room(hardware.memory - CPU_OVERHEAD)
    rooms = [_gpu_room(hardware.gpus, tensor, pipeline, 1) for tensor, pipeline in _splits(len(hardware.gpus), model)]
    room = next((each for each in rooms if each.holds(model, tokens)), None)
    if room is None:
        return max((each for each in rooms if each.pipeline == 1), key=lambda each: each.tensor)
    for copies in range(min(len(hardware.gpus) // room.gpus, papers), 1, -1):
        several = _gpu_room(hardware.gpus, room.tensor, room.pipeline, copies)
        if several.holds(model, tokens):
            return several
    return room


def _splits(gpus: int, model: ModelShape) -> list[tuple[int, int]]:
    """Return (tensor, pipeline) parallelism in the order of preference: no pipeline, then few GPUs, then few stages."""
    tensors = [tensor for tensor in (1, 2, 4, 8) if tensor <= gpus and model.splits(tensor)]
    pairs = [(tensor, pipeline) for tensor in tensors for pipeline in range(1, gpus // tensor + 1)]
    return sorted(pairs, key=lambda pair: (pair[1] > 1, pair[0] * pair[1], pair[1]))


def _gpu_room(gpus: tuple[Gpu, ...], tensor: int, pipeline: int, copies: int) -> _Room:
    """Return what the freest GPUs give.

    vLLM splits evenly, so of the GPUs that are used the one with the least free memory decides. It takes the first ones
    that it sees: others are named in CUDA_VISIBLE_DEVICES.
    """
    used = tensor * pipeline * copies
    freest = sorted(range(len(gpus)), key=lambda i: -gpus[i].free)
    chosen = [gpus[i] for i in sorted(freest[:used])]
    first = chosen == list(gpus[:used])
    visible = () if first else (("CUDA_VISIBLE_DEVICES", ",".join(g.device for g in chosen)),)
    share = max(0.01, math.floor(min(100 * (g.free - GPU_OVERHEAD) / g.total for g in chosen)) / 100)
    return _Room(min(g.free for g in chosen) - GPU_OVERHEAD, tensor, pipeline, copies, share, visible)


def _too_small(hardware: Hardware, model: ModelShape, context: int, least: int, room: _Room) -> EngineError:
    if hardware.gpus:
        where, overhead = f"{room.gpus} of {len(hardware.gpus)} GPU(s)", GPU_OVERHEAD * room.gpus
    else:
        where, overhead = "main memory", CPU_OVERHEAD
    must, have = model.weights + least + overhead, room.each * room.gpus + overhead
    usable = max(0, have - overhead)
    fits = max(0, ((usable - model.weights) // model.kv_on(room.tensor) - SPARE) // BLOCK) * BLOCK
    ways = [
        f"free {_gib(must - have)} more of {where}",
        f"choose a model that needs at most {_gib(usable)} in all (this one: {_gib(must - overhead)})",
        f"shorten the paper so that the run needs at most {fits:,} tokens"
        if fits
        else f"use a quantised copy of {model.id} (its weights alone need {_gib(model.weights)})",
    ]
    return EngineError(
        "too_small",
        f"{model.id} needs {_gib(must)} (weights {_gib(model.weights)}, KV cache for {context:,} tokens {_gib(least)}, "
        f"overhead {_gib(overhead)}) and {where} has {_gib(have)} free",
        "; or ".join(ways) + ".",
    )


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def _rounded(tokens: int) -> int:
    return -(-tokens // BLOCK) * BLOCK
