"""What config.json says about a model's size: context, heads, KV cache, quantization.

In: the parsed JSON of somebody else's config.json. Out: a `Shape`, or pydantic's ValidationError. Must not know the
folder. The KV cache is what vLLM 0.32 allocates (v1/kv_cache_interface.py), with 16-bit elements.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

_LATENT = frozenset(
    {
        "deepseek_v2",
        "deepseek_v3",
        "deepseek_v32",
        "glm4_moe_lite",
        "glm_moe_dsa",
        "kimi_k2",
        "longcat_flash",
        "pangu_ultra_moe",
    }
)
"""Types whose cache is one latent vector per token and layer (MLA), from vLLM's model_arch_config_convertor.py."""
_BITS = {"awq": 4, "compressed-tensors": 4, "fp8": 8, "gptq": 4, "modelopt": 8, "mxfp4": 4}
"""Of each weight where quantization_config does not say it; only a guess of how large the model is depends on it."""


class _Foreign(BaseModel):
    """What we read of somebody else's JSON; the rest is theirs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Text(_Foreign):
    """The language model's part."""

    model_type: str = ""
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    num_key_value_heads: PositiveInt | None = None
    num_global_key_value_heads: PositiveInt | None = None
    hidden_size: PositiveInt
    head_dim: PositiveInt | None = None
    global_head_dim: PositiveInt | None = None
    max_position_embeddings: PositiveInt
    layer_types: tuple[str, ...] | None = None
    kv_lora_rank: PositiveInt | None = None
    qk_rope_head_dim: PositiveInt | None = None

    @property
    def latent(self) -> int | None:
        """Elements of the one vector that a token leaves in each layer, where attention is latent."""
        if self.model_type not in _LATENT or not self.kv_lora_rank or not self.qk_rope_head_dim:
            return None
        return self.kv_lora_rank + self.qk_rope_head_dim

    @property
    def kv_heads(self) -> int:
        """The fewest in any layer."""
        local = self.num_key_value_heads or self.num_attention_heads
        return 1 if self.latent else min(local, self.num_global_key_value_heads or local)

    @property
    def kv_bytes_per_token(self) -> int:
        if self.latent:
            return self.num_hidden_layers * self.latent * 2
        types = (self.layer_types or ())[: self.num_hidden_layers]
        own = sum(kind == "sliding_attention" for kind in types) if self.global_head_dim else self.num_hidden_layers
        return 2 * 2 * (own * self._local + (self.num_hidden_layers - own) * self._global)

    @property
    def _local(self) -> int:
        """Elements of a key in an ordinary layer; of a value too."""
        return (self.num_key_value_heads or self.num_attention_heads) * (
            self.head_dim or max(1, self.hidden_size // self.num_attention_heads)
        )

    @property
    def _global(self) -> int:
        """The same in the full-attention layers of a model whose sliding ones are built otherwise (Gemma 4)."""
        heads = self.num_global_key_value_heads or self.num_key_value_heads or self.num_attention_heads
        return heads * (self.global_head_dim or self.head_dim or 1)


class _Quantization(_Foreign):
    bits: PositiveInt | None = None
    quant_method: str = ""


class Shape(_Foreign):
    """What sizing must know of a model."""

    context: int
    """In tokens."""
    attention_heads: int
    """Tensor parallelism must divide it."""
    kv_heads: int
    """Tensor parallelism beyond it copies the KV cache; 1 for a latent one, which every GPU holds whole."""
    kv_bytes_per_token: int
    """As if every layer had full attention. For layers with a sliding window that is what vLLM asks for when a prompt
    is prefilled in one step; for layers with a state of fixed size it stands for the state."""
    quantization: str
    """`quant_method` of quantization_config; empty for plain weights."""
    bits: int
    """Of each weight, roughly."""


def shape(config: dict[str, Any]) -> Shape:
    """Return what config.json says. Raises ValidationError when it does not say enough, or nonsense."""
    text = _Text.model_validate(config.get("text_config", config))
    found = config.get("quantization_config") or (config.get("text_config") or {}).get("quantization_config")
    quantization = _Quantization.model_validate(found or {})
    bits = quantization.bits or _BITS.get(quantization.quant_method, 4 if found else 16)
    return Shape(
        context=text.max_position_embeddings,
        attention_heads=text.num_attention_heads,
        kv_heads=text.kv_heads,
        kv_bytes_per_token=text.kv_bytes_per_token,
        quantization=quantization.quant_method or ("unknown" if found else ""),
        bits=bits,
    )
