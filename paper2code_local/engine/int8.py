"""Weights turned to 8-bit integers while vLLM loads a model: a CPU then reads half as much for each token.

W8A8: one scale for each output channel of a weight, one for each token of an activation, both symmetric and taken from
the largest value. vLLM's own kernel multiplies; vLLM 0.32 has none of its own online quantisations for dense layers on
CPUs. Embeddings and KV cache stay as they are. docs/decisions/0018-int8-on-cpus.md has the figures.
"""

from __future__ import annotations

from typing import Any

import torch
from vllm.model_executor.kernels.linear import init_int8_linear_kernel
from vllm.model_executor.layers.linear import LinearBase, UnquantizedLinearMethod
from vllm.model_executor.layers.quantization import register_quantization_config
from vllm.model_executor.layers.quantization.base_config import QuantizationConfig
from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead, UnquantizedEmbeddingMethod

from paper2code_local.engine.sizing import INT8

LARGEST = 127
ROWS = 256


@register_quantization_config(INT8)
class Int8OnLoad(QuantizationConfig):  # type: ignore[misc, unused-ignore]
    """Named to vLLM as `quantization`, for models whose weights are plain."""

    def get_name(self) -> str:
        """Return the name that it is registered under."""
        return INT8

    def get_supported_act_dtypes(self) -> list[torch.dtype]:
        """Return the types that activations may have."""
        return [torch.bfloat16]

    @classmethod
    def get_min_capability(cls) -> int:
        """Return what a GPU would have to be able to do; it is for CPUs."""
        return 0

    @staticmethod
    def get_config_filenames() -> list[str]:
        """Return no file: a model with plain weights has nothing to say."""
        return []

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Int8OnLoad:
        """Return the one there is."""
        return cls()

    def get_quant_method(self, layer: torch.nn.Module, prefix: str) -> Int8Linear | Int8Head | None:
        """Return how `layer` computes; None where it stays as it is."""
        if isinstance(layer, ParallelLMHead):
            return Int8Head()
        return Int8Linear() if isinstance(layer, LinearBase) else None


class Int8Linear(UnquantizedLinearMethod):  # type: ignore[misc, unused-ignore]
    """A linear layer that is loaded as it is in the file, and quantised then."""

    def process_weights_after_loading(self, layer: Any) -> None:
        """Replace the weight [outputs, inputs] by integers and a scale for each output."""
        if getattr(layer, "_cpu_skip_gemm_dispatch", False):  # latent attention (MLA) reads the weight itself
            super().process_weights_after_loading(layer)
            layer.kernel = None
            return
        quantise(layer, layer.weight.data)

    def apply(self, layer: Any, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Return x [tokens, inputs] times the weight, plus `bias`: [tokens, outputs]."""
        if layer.kernel is None:
            return super().apply(layer, x, bias)
        return layer.kernel.apply_weights(layer, x, bias)


class Int8Head(UnquantizedEmbeddingMethod):  # type: ignore[misc, unused-ignore]
    """The layer that scores the vocabulary: a quarter of what a small model reads for a token.

    Its weight is often that of the embedding, which rows are taken from: it stays, and the integers are beside it.
    """

    def process_weights_after_loading(self, layer: Any) -> None:
        """Put integers and scales beside the weight [vocabulary, inputs]."""
        layer.eight = torch.nn.Module()
        layer.eight.bias = None  # what scores are added to comes with each call; the kernel for AMX asks all the same
        quantise(layer.eight, layer.weight.data)

    def apply(self, layer: Any, x: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        """Return the scores of x [tokens, inputs]: [tokens, vocabulary]."""
        return layer.eight.kernel.apply_weights(layer.eight, x, bias)


def quantise(layer: Any, weight: torch.Tensor) -> None:
    """Give `layer` the integers and scales of `weight` [outputs, inputs], and the kernel that multiplies by them."""
    integers, scales = quantised(weight)
    layer.weight = torch.nn.Parameter(integers, requires_grad=False)
    layer.weight_scale = torch.nn.Parameter(scales, requires_grad=False)
    layer.input_scale = layer.input_zero_point = layer.azp_adj = None
    layer.logical_widths = [len(scales)]
    layer.kernel = init_int8_linear_kernel(
        is_channelwise=True, is_static_input_scheme=False, input_symmetric=True, module_name="Int8OnLoad"
    )
    layer.kernel.process_weights_after_loading(layer)


def quantised(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return `weight` [outputs, inputs] as 8-bit integers, and the scales [outputs, 1] that turn them back."""
    integers = torch.empty(weight.shape, dtype=torch.int8)
    scales = torch.empty(len(weight), 1, dtype=torch.float32)  # the default type is that of the model while it loads
    for first in range(0, len(weight), ROWS):  # each part stays in the processor's cache, and memory stays flat
        part = weight[first : first + ROWS].to(torch.float32, copy=True)
        scale = part.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny) / LARGEST
        scales[first : first + ROWS] = scale
        integers[first : first + ROWS] = part.div_(scale).round_().clamp_(-LARGEST, LARGEST)
    return integers, scales
