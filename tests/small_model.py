"""The smallest folder in Hugging Face layout that is accepted, for tests that need one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from paper2code_local.modelstore.card import GgufCard, HubSource, WheelSource, load_card

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 3,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "hidden_size": 64,
    "max_position_embeddings": 4096,
    "eos_token_id": 7,
}


def write_model(folder: Path) -> Path:
    """Write the smallest folder that is accepted."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "tokenizer_config.json").write_text('{"bos_token": {"content": "<s>"}, "eos_token": "<|im_end|>"}')
    (folder / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def imitate_conversion(gguf: Path, folder: Path) -> dict[str, str]:
    """Convert as `pull` expects it, with the GGUF's bytes as weights."""
    write_model(folder)
    (folder / "model.safetensors").write_bytes(gguf.read_bytes())
    return {"transformers": "0"}


def card_for(content: bytes, *sources: HubSource | WheelSource) -> GgufCard:
    """Describe a model whose GGUF is `content`."""
    card = load_card("smollm2-135m-instruct")
    gguf = {"filename": "tiny.gguf", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    converted = {"precision": "bf16", "gib": 1e-6, "memory_gib": 1}
    fields: dict[str, Any] = {**card.model_dump(), "id": "tiny", "converted": converted, "gguf": gguf}
    return GgufCard.model_validate({**fields, "sources": [source.model_dump() for source in sources]})
