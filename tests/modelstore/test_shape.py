"""Sizes that config.json gives, against those that were worked out by hand from each architecture's description."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from paper2code_local.modelstore.card import load_card
from paper2code_local.modelstore.shape import shape

SMALL: dict[str, Any] = {
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "hidden_size": 64,
    "max_position_embeddings": 4096,
}


def config(**more: Any) -> dict[str, Any]:
    return SMALL | more


LATENT = {"kv_lora_rank": 512, "qk_rope_head_dim": 64, "num_key_value_heads": 8}
GEMMA = {"layer_types": ["sliding_attention"] * 2 + ["full_attention"], "head_dim": 4, "global_head_dim": 16}
TABLE = [
    # what, config, bytes of KV cache for a token, KV heads
    ("every head has its own keys", config(), 2 * 3 * 8 * 8 * 2, 8),
    ("grouped", config(num_key_value_heads=2), 2 * 3 * 2 * 8 * 2, 2),
    ("head size of its own", config(num_key_value_heads=2, head_dim=16), 2 * 3 * 2 * 16 * 2, 2),
    ("latent", config(model_type="deepseek_v3", **LATENT), 3 * (512 + 64) * 2, 1),
    ("latent in name only", config(model_type="minicpm3", **LATENT), 2 * 3 * 8 * 8 * 2, 8),
    ("windows count in full", config(layer_types=["sliding_attention"] * 3), 2 * 3 * 8 * 8 * 2, 8),
    ("linear layers count in full", config(layer_types=["linear_attention"] * 3), 2 * 3 * 8 * 8 * 2, 8),
    (
        "full layers built otherwise",
        config(num_key_value_heads=4, num_global_key_value_heads=2, **GEMMA),
        2 * 2 * (2 * 4 * 4 + 1 * 2 * 16),
        2,
    ),
    ("the language part of several", {"text_config": config(num_key_value_heads=2)}, 2 * 3 * 2 * 8 * 2, 2),
]


@pytest.mark.parametrize(("what", "given", "kv", "heads"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(what: str, given: dict[str, Any], kv: int, heads: int) -> None:
    found = shape(given)
    assert (found.kv_bytes_per_token, found.kv_heads) == (kv, heads)
    assert (found.context, found.attention_heads, found.quantization, found.bits) == (4096, 8, "", 16)


def numbers(layers: int, heads: int, kv_heads: int, size: int, **more: Any) -> dict[str, Any]:
    return {
        **{"num_hidden_layers": layers, "num_attention_heads": heads, "num_key_value_heads": kv_heads},
        **{"head_dim": size, "hidden_size": heads * size, "max_position_embeddings": 1 << 20, **more},
    }


CATALOGUE = {
    "qwen2.5-coder-7b-instruct": numbers(28, 28, 4, 128),
    "qwen3-coder-30b-a3b-instruct": numbers(48, 32, 4, 128),
    "qwen3-coder-next": numbers(48, 16, 2, 256, layer_types=["linear_attention"] * 36 + ["full_attention"] * 12),
    "gpt-oss-20b": numbers(24, 64, 8, 64, layer_types=["sliding_attention", "full_attention"] * 12),
    "glm-4.7-flash": numbers(47, 20, 20, 64, model_type="glm4_moe_lite", kv_lora_rank=512, qk_rope_head_dim=64),
    "gemma-4-26b-a4b-it": numbers(
        *(30, 16, 8, 256),
        **{"layer_types": (["sliding_attention"] * 5 + ["full_attention"]) * 5},
        **{"global_head_dim": 512, "num_global_key_value_heads": 2},
    ),
}


@pytest.mark.parametrize("model_id", CATALOGUE)
def test_the_catalogue_says_what_would_be_computed(model_id: str) -> None:
    assert shape(CATALOGUE[model_id]).kv_bytes_per_token == load_card(model_id).kv_bytes_per_token


@pytest.mark.parametrize(
    ("quantization", "name", "bits"),
    [
        ({"quant_method": "awq", "bits": 4}, "awq", 4),
        ({"quant_method": "gptq", "bits": 8}, "gptq", 8),
        ({"quant_method": "fp8"}, "fp8", 8),
        ({"quant_method": "mxfp4"}, "mxfp4", 4),
        ({"quant_method": "compressed-tensors", "config_groups": {}}, "compressed-tensors", 4),
        ({"group_size": 64, "bits": 4, "mode": "affine"}, "unknown", 4),
    ],
)
def test_quantised_weights_are_recognised(quantization: dict[str, Any], name: str, bits: int) -> None:
    for given in (config(quantization_config=quantization), {"text_config": config(quantization_config=quantization)}):
        assert (shape(given).quantization, shape(given).bits) == (name, bits)


@pytest.mark.parametrize(
    "wrong", [{"num_hidden_layers": 0}, {"hidden_size": "x"}, {"text_config": []}, {"head_dim": -1}]
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        shape(config(**wrong))
