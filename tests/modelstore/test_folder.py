from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import load_card
from paper2code_local.modelstore.folder import model_folder, open_folder, read_template
from paper2code_local.modelstore.store import Record, Store, write_record
from tests.small_model import write_model


def edit(model: Path, name: str, **changes: Any) -> None:
    path = model / name
    path.write_text(json.dumps({**(json.loads(path.read_text()) if path.exists() else {}), **changes}))


def test_a_folder_says_what_asking_it_needs(model: Path, store: Store) -> None:
    opened = model_folder(str(model), store)
    assert (opened.id, opened.card, opened.context, opened.granularity) == ("my-model", None, 4096, "unit")
    assert opened.kv_bytes_per_token == 2 * 3 * 2 * (64 // 8) * 2
    assert opened.weights_bytes == len(b"weights")
    assert (opened.bos_token, opened.eos_token, opened.eos_token_ids) == ("<s>", "<|im_end|>", (7,))
    assert opened.tokenizer == model / "tokenizer.json"
    assert "m.content" in opened.chat_template


def test_the_card_has_the_first_word(model: Path) -> None:
    card = load_card("smollm2-135m-instruct")
    opened = open_folder(model, card)
    assert (opened.id, opened.sampling, opened.granularity) == (card.id, card.sampling, card.granularity)
    assert opened.context == open_folder(model, None).context < card.context, "but not more than config.json allows"


REFUSED: dict[str, Callable[[Path], object]] = {
    "no_config": lambda model: (model / "config.json").unlink(),
    "no_tokenizer": lambda model: (model / "tokenizer.json").unlink(),
    "no_weights": lambda model: (model / "model.safetensors").unlink(),
    "no_chat_template": lambda model: (model / "chat_template.jinja").unlink(),
    "remote_code": lambda model: edit(model, "config.json", auto_map={"AutoModel": "m.M"}),
    "python_files": lambda model: (model / "modeling.py").write_text(""),
    "pickled_weights": lambda model: (model / "pytorch_model.bin").write_bytes(b""),
    "bad_index": lambda model: edit(model, "model.safetensors.index.json", weight_map={"w": "absent.safetensors"}),
    "unreadable": lambda model: (model / "config.json").write_text("{"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_an_unsafe_or_incomplete_folder_is_refused_by_name(reason: str, model: Path, store: Store) -> None:
    REFUSED[reason](model)
    with pytest.raises(ModelError) as raised:
        model_folder(str(model), store)
    assert raised.value.code == f"model.{reason}"
    assert raised.value.exit_code == 5
    assert raised.value.hint


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.ckpt", "a.PKL", "original/model.00.pth", "training_args.bin"])
def test_every_kind_of_pickle_is_refused_wherever_it_lies(name: str, model: Path, store: Store) -> None:
    (model / name).parent.mkdir(exist_ok=True)
    (model / name).touch()
    with pytest.raises(ModelError, match=name):
        model_folder(str(model), store)


@pytest.mark.parametrize("config", ["config.json", "tokenizer_config.json"])
def test_code_of_its_own_is_found_however_deep(config: str, model: Path, store: Store) -> None:
    edit(model, config, experts=[{"inner": {"auto_map": {"AutoModel": "m.M"}}}])
    with pytest.raises(ModelError, match="auto_map"):
        model_folder(str(model), store)


@pytest.mark.parametrize("depth", [900, 5000, 200_000])
def test_deep_nesting_is_read_or_refused(depth: int, model: Path, store: Store) -> None:
    (model / "tokenizer_config.json").write_text('{"a":' * depth + "1" + "}" * depth)
    with contextlib.suppress(ModelError):
        assert model_folder(str(model), store).eos_token == ""


@pytest.mark.parametrize("name", ["../other/model.safetensors", "/etc/passwd", "", 3, ["a"]])
def test_an_index_may_not_name_files_outside(name: object, model: Path, store: Store) -> None:
    edit(model, "model.safetensors.index.json", weight_map={"w": name})
    with pytest.raises(ModelError) as raised:
        model_folder(str(model), store)
    assert raised.value.code == "model.bad_index"


def test_only_the_files_that_the_index_names_are_weights(model: Path, store: Store) -> None:
    (model / "part-1.safetensors").write_bytes(b"12345")
    edit(model, "model.safetensors.index.json", weight_map={"a": "part-1.safetensors", "b": "part-1.safetensors"})
    assert model_folder(str(model), store).weights_bytes == 5


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["num_hidden_layers", "num_key_value_heads", "head_dim", "text_config", "quantization_config", "eos_token_id"]
SETTINGS = ["chat_template", "bos_token", "eos_token"]


@settings(deadline=None)  # it writes files, perhaps on a busy machine
@given(
    config=st.dictionaries(st.sampled_from(FIELDS), JSON), tokenizer=st.dictionaries(st.sampled_from(SETTINGS), JSON)
)
def test_whatever_a_folder_says_it_opens_or_is_refused(
    config: dict[str, Any], tokenizer: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = write_model(tmp_path_factory.getbasetemp() / "hostile")
    edit(model, "config.json", **config)
    edit(model, "tokenizer_config.json", **tokenizer)
    with contextlib.suppress(ModelError):
        assert open_folder(model, None).kv_bytes_per_token > 0


@pytest.mark.parametrize(
    ("template", "taken"),
    [("one", "one"), ([{"name": "tool_use", "template": "t"}, {"name": "default", "template": "d"}], "d")],
)
def test_the_chat_template_may_stand_in_the_tokenizer_config(
    template: object, taken: str, model: Path, store: Store
) -> None:
    (model / "chat_template.jinja").unlink()
    edit(model, "tokenizer_config.json", chat_template=template)
    assert model_folder(str(model), store).chat_template == taken


def test_generation_config_may_end_answers_with_several_tokens(model: Path, store: Store) -> None:
    edit(model, "generation_config.json", eos_token_id=[7, 9])
    assert model_folder(str(model), store).eos_token_ids == (7, 9)


@pytest.mark.parametrize(("bits", "granularity"), [(16, "unit"), (4, "file")])
def test_a_large_model_writes_whole_files(bits: int, granularity: str, model: Path, store: Store) -> None:
    with (model / "model.safetensors").open("wb") as weights:
        weights.truncate(7 * 10**9)  # sparse: 3.5e9 parameters in bf16, 14e9 in 4 bits
    edit(model, "config.json", quantization_config={} if bits == 16 else {"quant_method": "awq", "bits": bits})
    write_record(model, Record(card="mine", imported_from="there", files=(), converter={}))  # so that it is not hashed
    assert model_folder(str(model), store).granularity == granularity


@pytest.mark.parametrize("nothing", [{}, None, []])
def test_an_auto_map_that_asks_for_nothing_is_no_code(nothing: object, model: Path, store: Store) -> None:
    edit(model, "config.json", auto_map=nothing)
    assert model_folder(str(model), store).id == "my-model"


def test_a_template_that_is_given_takes_the_place_of_the_folders_and_makes_another_model(
    model: Path, store: Store
) -> None:
    own = model_folder(str(model), store)
    (model / "chat_template.jinja").unlink()
    given = model_folder(str(model), store, "{{ messages }}")
    assert given.chat_template == "{{ messages }}"
    assert len({own.identity, given.identity, model_folder(str(model), store, "{{ other }}").identity}) == 3


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe", b"x" * (1 << 21), None])
def test_a_template_that_cannot_be_read_is_said(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "t.jinja").write_bytes(content)
    with pytest.raises(ModelError) as raised:
        read_template(tmp_path / "t.jinja")
    assert raised.value.code == "model.template"


def test_a_template_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "t.jinja").write_text("{{ messages }}\n")
    assert (read_template(tmp_path / "t.jinja"), read_template(None)) == ("{{ messages }}\n", None)


@pytest.mark.parametrize("spec", ["", "tiny.gguf"])
def test_a_gguf_is_answered_with_the_command_that_imports_it(spec: str, store: Store, tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    with pytest.raises(ModelError) as raised:
        model_folder(str(tmp_path / spec), store)
    assert raised.value.code == "model.gguf"
    assert raised.value.hint == f"p2c-local models import {tmp_path / spec}"


def test_a_model_without_hashes_is_answered_with_the_commands_that_fetch_it(store: Store) -> None:
    with pytest.raises(ModelError) as raised:
        model_folder("phi-4", store)
    assert raised.value.code == "model.not_pulled"
    assert "hf download microsoft/phi-4 " in raised.value.hint
    assert "models import phi-4 --as phi-4" in raised.value.hint


def test_quantised_weights_are_opened_and_named(model: Path, store: Store) -> None:
    edit(model, "config.json", quantization_config={"quant_method": "fp8"})
    opened = model_folder(str(model), store)
    assert (opened.quantization, opened.kv_heads) == ("fp8", 2)


def test_identity_follows_the_content_and_not_the_place(model: Path, store: Store, tmp_path: Path) -> None:
    before = model_folder(str(model), store).identity
    moved = model.rename(tmp_path / "elsewhere")
    assert model_folder(str(moved), store).identity == before
    (moved / "model.safetensors").write_bytes(b"Weights")
    assert model_folder(str(moved), store).identity != before


def test_all_of_a_large_file_counts_and_is_read_once(
    model: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights, heard, seen = model / "model.safetensors", [(0, 0)], set()

    def opened() -> str:
        return model_folder(str(model), store, hashing=lambda done, total: heard.append((done, total))).identity

    for change in (b"a", b"b"):
        with weights.open("wb") as file:
            file.truncate(8 << 20)
            file.seek(4 << 20)
            file.write(change)
        os.utime(weights, (1_700_000_000 + len(seen),) * 2)
        seen.add(opened())
        assert heard[-1] == (8 << 20, 8 << 20)
        before = len(heard)
        assert opened() in seen
        assert len(heard) == before, "nothing is read again"
    assert len(seen) == 2


def test_a_model_of_the_catalogue_must_be_pulled_first(store: Store) -> None:
    with pytest.raises(ModelError) as raised:
        model_folder("smollm2-135m-instruct", store)
    assert raised.value.code == "model.not_pulled"
    assert raised.value.hint == "p2c-local models pull smollm2-135m-instruct"


def test_what_is_neither_a_model_nor_a_folder_is_unknown(store: Store, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as raised:
        model_folder(str(tmp_path / "absent"), store)
    assert raised.value.code == "model.unknown"
