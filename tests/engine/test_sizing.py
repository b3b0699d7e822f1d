"""What the engine is started with fits what is there, for every size of machine and model."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.hardware import Gpu, Hardware
from paper2code_local.engine.sizing import (
    BLOCK,
    CPU_OVERHEAD,
    GIB,
    GPU_OVERHEAD,
    INT8,
    TAIL,
    EngineArgs,
    ModelShape,
    Need,
    cache_tokens,
    engine_args,
    held,
    papers_in_flight,
)
from paper2code_local.errors import EngineError


def model(billions: float, layers: int, kv_heads: int, head: int, heads: int, context: int = 32768) -> ModelShape:
    kv = 2 * layers * kv_heads * head * 2
    return ModelShape(
        id=f"{billions:g}B",
        weights=int(billions * 2e9),
        kv_per_token=kv,
        context=context,
        heads=heads,
        kv_heads=kv_heads,
    )


MODELS = {
    "0.5B": model(0.5, 24, 2, 64, 14),
    "1.5B": model(1.5, 28, 2, 128, 12),
    "7B": model(7.6, 28, 4, 128, 28),
    "32B": model(32.8, 64, 8, 128, 40),
    "70B": model(70.6, 80, 8, 128, 64, 131072),
    "30B, 4 KV heads": model(30.5, 48, 4, 128, 32, 131072),
    "100B, 14 heads": model(100, 80, 2, 128, 14),
    "160B, latent": model(160, 60, 1, 576, 128, 131072),
}


def gpus(*free_gib: float, total_gib: float = 80) -> tuple[Gpu, ...]:
    return tuple(
        Gpu(name="GPU", device=str(i), free=int(free * GIB), total=int(total_gib * GIB))
        for i, free in enumerate(free_gib)
    )


def machine(memory_gib: float, *free_gib: float, total_gib: float = 80) -> Hardware:
    return Hardware(memory=int(memory_gib * GIB), cores=2, gpus=gpus(*free_gib, total_gib=total_gib))


MACHINES = {
    "CPU 8": machine(8),
    "CPU 64": machine(64),
    "MIG 10": machine(64, 9.5, total_gib=9.75),
    "1 x 24": machine(64, 23.5, total_gib=24),
    "2 x 48": machine(128, 47, 47, total_gib=48),
    "8 x 80": machine(512, *[79] * 8, total_gib=80),
}
TABLE = [
    # machine, model, tensor parallelism (0: too small)
    ("CPU 8", "0.5B", 1),
    ("CPU 8", "1.5B", 1),
    ("CPU 8", "7B", 0),
    ("CPU 64", "7B", 1),
    ("CPU 64", "32B", 0),
    ("MIG 10", "1.5B", 1),
    ("MIG 10", "7B", 0),
    ("1 x 24", "7B", 1),
    ("1 x 24", "32B", 0),
    ("2 x 48", "7B", 1),
    ("2 x 48", "32B", 2),
    ("2 x 48", "70B", 0),
    ("8 x 80", "0.5B", 1),
    ("8 x 80", "32B", 1),
    ("8 x 80", "70B", 2),
    ("8 x 80", "100B, 14 heads", 1),
]
COPIES = [
    # machine, model, papers, (tensor, pipeline, data) parallelism
    ("8 x 80", "7B", 1, (1, 1, 1)),
    ("8 x 80", "7B", 3, (1, 1, 3)),
    ("8 x 80", "7B", 99, (1, 1, 8)),
    ("8 x 80", "70B", 99, (2, 1, 4)),
    ("8 x 80", "100B, 14 heads", 1, (1, 3, 1)),
    ("8 x 80", "100B, 14 heads", 99, (1, 3, 2)),
    ("2 x 48", "32B", 99, (2, 1, 1)),
    ("1 x 24", "7B", 99, (1, 1, 1)),
    ("CPU 64", "7B", 99, (1, 1, 1)),
]
NEED = Need(context=12345)


@pytest.mark.parametrize(("where", "which", "parallel"), TABLE)
def test_the_table(where: str, which: str, parallel: int) -> None:
    hardware, shape = MACHINES[where], MODELS[which]
    if not parallel:
        with pytest.raises(EngineError) as caught:
            engine_args(hardware, shape, NEED)
        assert caught.value.code == "engine.too_small"
        ways = caught.value.hint.split("; or ")
        assert len(ways) == 3
        assert all(re.search(r"[1-9]", way) for way in ways), "each way out has its number"
        assert "-" not in caught.value.hint.replace(shape.id, ""), "no negative number"
        return
    arguments = engine_args(hardware, shape, NEED)
    assert arguments.tensor_parallel_size == parallel
    assert arguments.max_model_len == 97 * BLOCK, "what the run needs, in whole blocks, not what the model could do"
    assert arguments.max_num_seqs >= 1
    assert arguments.enforce_eager == (not hardware.gpus)
    assert fits(arguments, hardware, shape)


@pytest.mark.parametrize(
    ("where", "int8", "plain", "becomes"),
    [
        ("CPU 64", True, "", INT8),
        ("CPU 64", False, "", None),
        ("CPU 64", True, "awq", None),
        ("1 x 24", True, "", None),
    ],
)
def test_plain_weights_become_8_bit_integers_on_a_cpu_that_multiplies_them(
    where: str, int8: bool, plain: str, becomes: str | None
) -> None:
    hardware = MACHINES[where].model_copy(update={"int8": int8})
    shape = MODELS["7B"].model_copy(update={"quantization": plain})
    assert engine_args(hardware, shape, NEED).quantization == becomes


@pytest.mark.parametrize(
    ("where", "compiler", "which", "tokens", "eager"),
    [
        ("CPU 64", True, "7B", 0, True),  # a repair, or a run that has its answers
        ("CPU 64", True, "7B", 8_000, False),  # one paper
        ("CPU 64", True, "0.5B", 8_000, False),
        ("CPU 64", True, "0.5B", 4_000, True),  # over before a compiled engine has paid
        ("CPU 64", False, "7B", 64_000, True),
        ("1 x 24", False, "7B", 0, False),
    ],
)
def test_the_model_is_compiled_where_the_run_is_long_enough(
    where: str, compiler: bool, which: str, tokens: int, eager: bool
) -> None:
    hardware = MACHINES[where].model_copy(update={"compiler": compiler})
    need = NEED.model_copy(update={"tokens": tokens})
    assert engine_args(hardware, MODELS[which], need).enforce_eager == eager


@pytest.mark.parametrize(("where", "which", "papers", "parallel"), COPIES)
def test_gpus_that_are_left_hold_copies_for_more_papers(
    where: str, which: str, papers: int, parallel: tuple[int, int, int]
) -> None:
    need = Need(context=12345, papers=papers, prefix=9000, in_flight=max(32, 8 * papers))
    arguments = engine_args(MACHINES[where], MODELS[which], need)
    chosen = (arguments.tensor_parallel_size, arguments.pipeline_parallel_size, arguments.data_parallel_size)
    assert chosen == parallel
    assert fits(arguments, MACHINES[where], MODELS[which])


def fits(arguments: EngineArgs, hardware: Hardware, shape: ModelShape) -> bool:
    """Weights, KV cache and overhead fit, on each GPU that is used, and one request of full length does."""
    tensor, stages = arguments.tensor_parallel_size, arguments.pipeline_parallel_size
    parallel = tensor * stages * arguments.data_parallel_size
    per_gpu = shape.weights // (tensor * stages) + arguments.kv_cache_memory_bytes
    heads = max(1, shape.kv_heads // tensor)  # as vLLM gives them out
    token = shape.kv_per_token * heads / shape.kv_heads / stages
    whole_request = arguments.kv_cache_memory_bytes + 1 >= arguments.max_model_len * token
    if not hardware.gpus:
        return whole_request and per_gpu + CPU_OVERHEAD <= hardware.memory
    environment = dict(arguments.environment)
    visible = environment.get("CUDA_VISIBLE_DEVICES", ",".join(g.device for g in hardware.gpus)).split(",")[:parallel]
    used = [g for g in hardware.gpus if g.device in visible]
    free_enough = all(g.free >= arguments.gpu_memory_utilization * g.total for g in used)
    return whole_request and free_enough and all(per_gpu + GPU_OVERHEAD <= g.free for g in used)


def decided(hardware: Hardware, shape: ModelShape, need: Need) -> EngineArgs | EngineError:
    try:
        return engine_args(hardware, shape, need)
    except EngineError as error:
        return error


gigabytes = st.integers(0, 200).map(lambda tenths: tenths * 0.7)


@given(
    memory=gigabytes,
    free=st.lists(gigabytes, max_size=9),
    which=st.sampled_from(sorted(MODELS)),
    need=st.builds(
        Need,
        context=st.integers(1, 140_000),
        in_flight=st.integers(1, 64),
        papers=st.integers(1, 20),
        prefix=st.integers(0, 20_000),
    ),
)
def test_what_is_returned_always_fits(memory: float, free: list[float], which: str, need: Need) -> None:
    hardware, shape = machine(memory, *free, total_gib=141), MODELS[which]
    arguments = decided(hardware, shape, need)
    if isinstance(arguments, EngineError):
        assert arguments.code == ("engine.context" if need.context > shape.context else "engine.too_small")
        return
    assert fits(arguments, hardware, shape)
    assert need.context <= arguments.max_model_len <= shape.context
    assert 1 <= arguments.max_num_seqs <= need.in_flight
    assert arguments.max_num_batched_tokens >= arguments.max_model_len, "no prompt is prefilled in parts on the CPU"
    assert shape.heads % arguments.tensor_parallel_size == 0
    assert 0 < arguments.gpu_memory_utilization <= 1


@given(
    memory=gigabytes,
    free=st.lists(gigabytes, max_size=9),
    which=st.sampled_from(sorted(MODELS)),
    context=st.integers(1, 30_000),
    papers=st.integers(1, 99),
)
def test_the_kv_cache_holds_the_papers_that_are_said_to_run_together(
    memory: float, free: list[float], which: str, context: int, papers: int
) -> None:
    hardware, shape = machine(memory, *free, total_gib=141), MODELS[which]
    need = Need(context=context, prefix=context // 2, papers=papers, in_flight=8 * papers)
    count = papers_in_flight(hardware, shape, need)
    assert 1 <= count <= papers
    arguments = decided(hardware, shape, need.model_copy(update={"papers": count, "in_flight": max(32, 8 * count)}))
    if isinstance(arguments, EngineError) or count == 1:
        return
    copies = arguments.data_parallel_size
    kept = cache_tokens(arguments, shape)
    of_each = -(-count // copies)
    if of_each == 1:
        return
    assert kept + 1 >= context + (of_each - 1) * need.prefix + of_each * 8 * TAIL
    assert held(kept, need) >= of_each, "also where the engine is there already"


@given(memory=gigabytes, free=st.lists(gigabytes, max_size=4), which=st.sampled_from(["7B", "32B", "70B"]))
def test_the_ways_out_are_true(memory: float, free: list[float], which: str) -> None:
    hardware, shape = machine(memory, *free, total_gib=141), MODELS[which]
    refused = decided(hardware, shape, Need(context=30_000))
    if isinstance(refused, EngineArgs):
        return
    hint = refused.hint
    found = re.search(r"free ([0-9.]+) GiB more", hint)
    assert found, hint
    more = float(found[1]) + 0.1
    if not free:
        assert engine_args(machine(memory + more), shape, Need(context=30_000))
    if found := re.search(r"at most ([0-9,]+) tokens", hint):
        assert engine_args(hardware, shape, Need(context=int(found[1].replace(",", ""))))


KV = [
    # KV heads, GPUs, how often the KV cache is held
    (8, 1, 1),
    (8, 8, 1),
    (4, 4, 1),
    (4, 8, 2),
    (2, 8, 4),
    (1, 1, 1),
    (1, 8, 8),
]


@pytest.mark.parametrize(("heads", "parallel", "times"), KV)
def test_beyond_the_kv_heads_the_cache_is_copied(heads: int, parallel: int, times: int) -> None:
    assert model(1, 10, heads, 64, 64).kv_on(parallel) == times * 2 * 10 * heads * 64 * 2


def test_a_cache_that_heads_would_copy_goes_through_a_pipeline() -> None:
    split, copied = (model(150, 100, heads, 128 * 8 // heads, 64, 131072) for heads in (8, 1))
    assert split.kv_per_token == copied.kv_per_token
    where, need = MACHINES["8 x 80"], Need(context=120_000)
    assert engine_args(where, split, need).tensor_parallel_size == 8
    piped = engine_args(where, copied, need)
    assert piped.pipeline_parallel_size > 1
    assert fits(piped, where, copied)


@pytest.mark.parametrize(("heads", "kv_heads", "parallel"), [(40, 10, 2), (28, 4, 4), (24, 6, 2), (64, 8, 8)])
def test_heads_that_cannot_be_divided_take_fewer_gpus(heads: int, kv_heads: int, parallel: int) -> None:
    """vLLM wants the attention heads divisible, and of KV heads and GPUs the more a multiple of the fewer."""
    shape = model(35 * parallel, 10, kv_heads, 64, heads)
    assert engine_args(MACHINES["8 x 80"], shape, NEED).tensor_parallel_size == parallel
    assert [n for n in (1, 2, 4, 8) if shape.splits(n)][-1] == parallel


@pytest.mark.parametrize("name", ["fp8", "awq", "mxfp4", "compressed-tensors"])
def test_what_vllm_loads_is_sized_by_its_bytes(name: str) -> None:
    quantised = MODELS["7B"].model_copy(update={"quantization": name, "weights": 5 * GIB})
    assert engine_args(machine(16), quantised, NEED)


@pytest.mark.parametrize("name", ["bitsandbytes", "exl2", "unknown"])
def test_what_vllm_does_not_load_is_refused_by_name(name: str) -> None:
    with pytest.raises(EngineError, match=name) as caught:
        engine_args(MACHINES["8 x 80"], MODELS["7B"].model_copy(update={"quantization": name}), NEED)
    assert caught.value.code == "engine.quantization"


def test_a_run_longer_than_the_model_is_refused_with_both_numbers() -> None:
    with pytest.raises(EngineError, match=r"40,000.*32,768") as caught:
        engine_args(MACHINES["8 x 80"], MODELS["7B"], Need(context=40_000))
    assert caught.value.code == "engine.context"


def test_a_models_whole_context_can_be_used_though_it_is_no_multiple_of_a_block() -> None:
    shape = MODELS["0.5B"].model_copy(update={"context": 5000})
    assert engine_args(MACHINES["CPU 64"], shape, Need(context=5000)).max_model_len == 5000


def test_the_freest_gpus_are_taken_and_named() -> None:
    arguments = engine_args(machine(64, 3, 40, 1, 40), MODELS["32B"], NEED)
    assert dict(arguments.environment)["CUDA_VISIBLE_DEVICES"] == "1,3"
    assert arguments.tensor_parallel_size == 2
    first = engine_args(machine(64, 40, 40, 1), MODELS["32B"], NEED)
    assert "CUDA_VISIBLE_DEVICES" not in dict(first.environment)


def test_main_memory_is_shared_and_a_gpu_is_not() -> None:
    """On the CPU only what batching can use is taken; more memory changes nothing."""
    small, large = (engine_args(machine(size), MODELS["0.5B"], NEED) for size in (64, 640))
    assert small == large
    wide = engine_args(machine(64, 79), MODELS["0.5B"], NEED)
    assert wide.kv_cache_memory_bytes > 60 * GIB


def test_arguments_of_the_command_line_are_passed_through() -> None:
    assert engine_args(MACHINES["CPU 64"], MODELS["0.5B"], NEED, {"seed": 3}).extra == {"seed": 3}


def test_what_is_there_to_preload_is_preloaded_on_the_cpu_alone() -> None:
    found = {"preload": ("/a/libiomp5.so", "/b/libtcmalloc.so.4")}
    for hardware, expected in ((machine(64), "/a/libiomp5.so:/b/libtcmalloc.so.4"), (machine(64, 79), None)):
        arguments = engine_args(hardware.model_copy(update=found), MODELS["0.5B"], NEED)
        assert dict(arguments.environment).get("LD_PRELOAD") == expected
