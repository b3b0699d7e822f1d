"""Weights as 8-bit integers: close to what they were, and what the engine really computes with."""

from __future__ import annotations

import pytest

from paper2code_local.engine import sizing, vllm
from paper2code_local.engine.hardware import hardware
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import shape_of, tokenizer_of
from tests.engine.test_contract import ask

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("default", ["float32", "bfloat16"])
def test_each_output_is_kept_to_half_a_step(default: str) -> None:
    import torch

    from paper2code_local.engine.int8 import LARGEST, ROWS, quantised

    for kind in (torch.bfloat16, torch.float32):
        weight = torch.randn(3 * ROWS + 5, 64, dtype=kind)
        weight[1] *= 1000
        weight[2] = 0
        weight[-3, 7] = 50.0
        before = weight.clone()
        torch.set_default_dtype(getattr(torch, default))  # as vLLM does while it loads
        integers, scales = quantised(weight)
        torch.set_default_dtype(torch.float32)
        assert scales.dtype == torch.float32
        assert bool((weight == before).all())
        assert (integers.dtype, scales.shape) == (torch.int8, (len(weight), 1))
        largest = integers.abs().amax(dim=1)
        assert int(largest[2]) == 0
        assert set(largest[[n for n in range(len(weight)) if n != 2]].tolist()) == {LARGEST}
        assert bool(((integers * scales - weight.float()).abs() <= scales * 0.51).all())


@pytest.mark.asyncio(loop_scope="session")
async def test_the_engine_answers_alike_with_plain_weights_and_with_8_bits(
    small_model: ModelFolder, tmp_path_factory: pytest.TempPathFactory
) -> None:
    here = hardware()
    if here.gpus or not here.int8:
        assert sizing.engine_args(here, shape_of(small_model), sizing.Need(context=1024)).quantization is None
        return
    text = "The mean of a list of numbers is their sum divided by how many there are."
    asked = ask(f"Repeat this sentence and add nothing: {text}", max_tokens=40, scored=True)
    said: dict[str, float] = {}
    for name, extra in (("8 bits", {}), ("plain", {"quantization": None})):
        log = tmp_path_factory.mktemp("engine") / "log"
        arguments = sizing.engine_args(here, shape_of(small_model), sizing.Need(context=1024), extra)
        engine = await vllm.start(small_model.path, small_model.identity, tokenizer_of(small_model), arguments, log)
        completion = await engine.complete(asked)
        await engine.close()
        assert text[:30] in completion.text
        assert completion.logprob is not None
        said[name] = completion.logprob / completion.completion_tokens
        assert ("for Int8OnLoad" in log.read_text(encoding="utf-8")) == (name == "8 bits")
    assert said["8 bits"] == pytest.approx(said["plain"], abs=0.2)
