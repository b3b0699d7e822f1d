"""Tiny models of several architectures with random weights, in Hugging Face layout: any family, nothing to fetch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tests.engine import templates
from tests.engine.templates import EOS, Family

LICENCE = Path(__file__).parent.parent / "LICENSE"
VOCABULARY = 2000
CONTEXT = 2048
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,  # the smallest that vLLM's attention takes on the CPU
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.3,  # more than in a real model: its words must differ in likelihood, or rounding chooses
}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "norm_topk_prob": True}


@dataclass(frozen=True)
class TinyModel:
    """An architecture by its name in transformers, and how its family talks."""

    architecture: str
    """ "Llama" for LlamaConfig and LlamaForCausalLM."""
    family: Family
    settings: dict[str, Any] = field(default_factory=dict)


MODELS = {
    "llama": TinyModel("Llama", templates.LLAMA),
    "qwen2": TinyModel("Qwen2", templates.QWEN2, {"tie_word_embeddings": True}),
    "gemma3": TinyModel("Gemma3", templates.GEMMA3, {"sliding_window": 256, "query_pre_attn_scalar": 32}),
    "mistral": TinyModel("Mistral", templates.TEKKEN, {"sliding_window": 256}),
    "phi3": TinyModel("Phi3", templates.PHI3),
    "mixture of experts": TinyModel("Qwen3Moe", templates.QWEN3, EXPERTS),
    "qwen3 that thinks": TinyModel("Qwen3", templates.QWEN3_THINKING),
}
"""As few as show each family: starting an engine takes half a minute."""


def train_tokenizer(special: tuple[str, ...], begin: str = "", vocabulary: int = VOCABULARY) -> Tokenizer:
    """Train a byte-level tokenizer on a text that never changes; with `begin`, every text begins with that token.

    Where the blocks of the KV cache end, and with that what a sliding window keeps of a prefix, hangs on how many
    tokens a prompt has.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([LICENCE.read_text("utf-8")], trainer)
    tokenizer.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in special])
    tokenizer.add_tokens([AddedToken(word, special=False, normalized=False) for word in ("<think>", "</think>")])
    if begin:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, tokenizer.token_to_id(begin))]
        )
    return tokenizer


def write_tiny_model(name: str, folder: Path) -> Path:
    """Write the tiny model of that name, weights and all, as its makers would publish it."""
    import torch
    import transformers

    model, family = MODELS[name], MODELS[name].family
    eos = EOS.get(family.bos, "<|endoftext|>")
    special = tuple(dict.fromkeys(word for word in (eos, family.bos, *family.marks) if word))
    tokenizer = train_tokenizer(special, family.bos)
    named = {"bos_token": family.bos or None, "eos_token": eos, "chat_template": family.template}
    transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named).save_pretrained(folder)
    ids = {
        "vocab_size": tokenizer.get_vocab_size(),
        "eos_token_id": tokenizer.token_to_id(eos),
        "bos_token_id": tokenizer.token_to_id(family.bos or eos),
        "pad_token_id": tokenizer.token_to_id(eos),
    }
    text = "Text" if model.architecture == "Gemma3" else ""
    config = getattr(transformers, f"{model.architecture}{text}Config")(**SHAPE | ids | model.settings)
    torch.manual_seed(0)
    random = getattr(transformers, f"{model.architecture}ForCausalLM")(config)
    random.to(torch.bfloat16).save_pretrained(folder)
    return folder
