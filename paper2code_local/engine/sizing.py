"""engine_args(hardware, model, need): what the engine is started with, decided by arithmetic alone.

Memory a GPU must hold (bytes, per GPU with tensor parallelism t): weights/t + KV/t + OVERHEAD. KV-cache bytes per token
are 2 (key and value) × layers × KV heads × head size × 2 (bf16), as in vLLM's own full-attention page size.
"""

from __future__ import annotations

from pydantic import Field, JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.engine.hardware import Hardware
from paper2code_local.errors import EngineError

GIB = 1 << 30
GPU_OVERHEAD = int(1.5 * GIB)
"""CUDA context, activations and CUDA graphs beside weights and KV cache."""
CPU_OVERHEAD = 2 * GIB
"""The engine process, its libraries and activations."""
BLOCK = 128
"""Context and KV cache are rounded up to vLLM's CPU block size in tokens."""
TAIL = 2048
"""Tokens of KV cache beyond the shared prefix for one request in flight: its own tail and its answer."""


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


class Need(Frozen):
    """What a run asks of the engine."""

    context: int
    """Tokens of the longest prompt together with its answer."""
    in_flight: int = 32
    """Requests that may be in flight together."""


class EngineArgs(Frozen):
    """What vLLM is started with, and the environment it needs."""

    max_model_len: int
    max_num_seqs: int
    max_num_batched_tokens: int
    kv_cache_memory_bytes: int
    tensor_parallel_size: int = 1
    enforce_eager: bool
    environment: tuple[tuple[str, str], ...] = ()
    extra: dict[str, JsonValue] = Field(default_factory=dict)
    """`--engine-arg K=V`, passed through as they are."""


def engine_args(
    hardware: Hardware, model: ModelShape, need: Need, extra: dict[str, JsonValue] | None = None
) -> EngineArgs:
    """Fit `model` and `need` to `hardware`. Raises EngineError (`too_small`) with three ways out when it cannot.

    Context is what the paper and the answers need, not what the model could do: KV cache is memory that batching needs.
    """
    context = _rounded(need.context)
    if context > model.context:
        raise EngineError(
            "context",
            f"the run needs a context of {context:,} tokens and {model.id} has {model.context:,}",
            "Choose a model with a longer context, or leave out parts of the paper.",
        )
    least = context * model.kv_per_token
    wanted = (context + need.in_flight * TAIL) * model.kv_per_token
    on_gpu = bool(hardware.gpus)
    parallel, free = _gpu_room(hardware, model, least) if on_gpu else (1, hardware.memory - CPU_OVERHEAD)
    room = free * parallel - model.weights
    if room < least:
        raise _too_small(hardware, model, context, least)
    kv = min(wanted, room) if not on_gpu else room  # on a GPU nothing else wants the memory; main memory is shared
    in_flight = max(1, min(need.in_flight, (kv // model.kv_per_token - context) // TAIL))
    return EngineArgs(
        max_model_len=context,
        max_num_seqs=in_flight,
        # On the CPU a seeded request dies when its prefill is chunked, so no prompt may be longer than one step.
        max_num_batched_tokens=max(8192, context) if on_gpu else context,
        kv_cache_memory_bytes=kv // parallel,
        tensor_parallel_size=parallel,
        enforce_eager=not on_gpu,
        environment=() if on_gpu else (("VLLM_CPU_NUM_OF_RESERVED_CPU", "0"),),
        extra=extra or {},
    )


def _gpu_room(hardware: Hardware, model: ModelShape, least: int) -> tuple[int, int]:
    """Return the smallest tensor parallelism that fits and the bytes per GPU it leaves for weights and KV cache.

    vLLM splits evenly, so the GPU with the least free memory decides. When nothing fits, the largest split is returned.
    """
    free = sorted((g.free for g in hardware.gpus), reverse=True)
    sizes = [t for t in (1, 2, 4, 8) if t <= len(free) and model.heads % t == 0]
    for parallel in sizes:
        room = free[parallel - 1] - GPU_OVERHEAD
        if room * parallel >= model.weights + least:
            return parallel, room
    return sizes[-1], free[sizes[-1] - 1] - GPU_OVERHEAD


def _too_small(hardware: Hardware, model: ModelShape, context: int, least: int) -> EngineError:
    if hardware.gpus:
        have, where, overhead = sum(g.free for g in hardware.gpus), f"{len(hardware.gpus)} GPU(s)", GPU_OVERHEAD
    else:
        have, where, overhead = hardware.memory, "main memory", CPU_OVERHEAD
    must = model.weights + least + overhead
    fits = max(0, (have - overhead - model.weights) // model.kv_per_token)
    ways = [
        f"free {_gib(must - have)} of {'GPU' if hardware.gpus else 'main'} memory",
        f"choose a model whose weights are at most {_gib(max(0, have - overhead - least))}",
        f"shorten the paper so that the run needs at most {fits:,} tokens"
        if fits > 0
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
