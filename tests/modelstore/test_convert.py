from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.convert import convert
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.modelstore.store import read_record, verify


@pytest.mark.thorough
def test_what_is_not_a_gguf_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"not one")
    with pytest.raises(ModelError) as raised:
        convert(tmp_path / "tiny.gguf", tmp_path / "out")
    assert raised.value.code == "model.convert"
    assert ("scripts/setup" in raised.value.hint) == (importlib.util.find_spec("torch") is None)


@pytest.mark.engine
def test_a_pulled_model_speaks_the_chat_format_of_its_card(tiny_model: ModelFolder) -> None:
    from tokenizers import Tokenizer

    assert verify(tiny_model.path) == ()
    tokenizer = Tokenizer.from_file(str(tiny_model.tokenizer))
    assert tiny_model.eos_token_ids == (tokenizer.token_to_id(tiny_model.eos_token),)
    text = "def f(x):\n    return {'a': [x, 1e-5]}  # naïve\n"
    encoded = tokenizer.encode(f"<|im_start|>user\n{text}<|im_end|>", add_special_tokens=False)
    assert encoded.tokens[0] == "<|im_start|>"
    assert encoded.tokens[-1] == "<|im_end|>"
    assert tokenizer.decode(encoded.ids, skip_special_tokens=True) == f"user\n{text}"
    record = read_record(tiny_model.path)
    assert record is not None
    assert set(record.converter) == {"accelerate", "gguf", "torch", "transformers"}
