"""vLLM's worker on the CPU, with two faults mended that speculative decoding meets, and a short warm-up.

Without Triton, vLLM 0.32 spreads the temperature and top_p of each request over its drafted tokens with a C++ kernel
that is given a copy of its output, so that both stay what the memory held (`_expand_kernel_impl` in
vllm/utils/cpu_triton_utils.py): with a temperature above 0 answers turn to noise. And in a step in which no request has
drafts, it looks for the largest top_k of none and dies. Both go when vLLM does better.

What is compiled is compiled by a pass over as many tokens as a step may have, which is the whole context here: 18 s for
24,576 tokens with the 0.5B. Shapes are dynamic and the KV cache has the size that it was given, so a few tokens do.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.triton_utils.dispatcher import register_kernels
from vllm.v1.sample import rejection_sampler
from vllm.v1.sample.ops.topk_topp_sampler import apply_top_k_top_p
from vllm.v1.worker.cpu_worker import CPUWorker

WARM_UP = 256
"""Tokens of the pass that compiles."""
KERNEL = "vllm.v1.sample.rejection_sampler.expand_kernel"


class Worker(CPUWorker):  # type: ignore[misc, unused-ignore]
    """Named to vLLM as `worker_cls`."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Register the kernel after vLLM has registered its own."""
        register_kernels({KERNEL: expand})
        rejection_sampler.apply_top_k_top_p = constrained
        super().__init__(*arguments, **named)

    def determine_available_memory(self) -> int:
        """Compile, and return the bytes for the KV cache."""
        runner = self.model_runner
        most, runner.max_num_tokens = runner.max_num_tokens, min(WARM_UP, runner.max_num_tokens)
        try:
            room: int = super().determine_available_memory()
        finally:
            runner.max_num_tokens = most
        return room


def expand(
    output: torch.Tensor,
    values: torch.Tensor,
    ends: torch.Tensor,
    replace_from: float,
    replace_to: float,
    longest: int | None = None,
) -> None:
    """Fill `output` [tokens] with the value of each request, once for each of its tokens.

    `values` [requests]; request i has the tokens from `ends[i - 1]` to `ends[i]`. `longest` is of no use here.
    """
    counts = torch.diff(ends, prepend=ends.new_zeros(1))
    output.copy_(torch.where(values == replace_from, replace_to, values).repeat_interleave(counts))


def constrained(logits: torch.Tensor, k: torch.Tensor | None, p: torch.Tensor | None) -> torch.Tensor:
    """Return `logits` [drafted tokens, vocabulary] without what top_k and top_p exclude; there may be no token."""
    return apply_top_k_top_p(logits, k, p) if len(logits) else logits
