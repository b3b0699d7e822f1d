"""A folder in Hugging Face layout, checked before any engine loads it.

In: `--model`, an id of the catalogue or a path. Out: a `ModelFolder`: what is in it and how to ask it.
Must not know any engine, and imports none of the libraries that would run what a folder holds.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import FileName, Granularity, ModelCard, Sampling, cards, load_card
from paper2code_local.modelstore.store import RECORD, Record, Store, digest, missing_or_resized, read_record

_PICKLES = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"})
_INDEX = "model.safetensors.index.json"
_WHOLE_FILE_BYTES = 64 << 20
_SAMPLE_BYTES = 1 << 20
_UNIT_BELOW_PARAMETERS = 4e9
_LAYOUT = "name a folder in Hugging Face layout: config.json, tokenizer.json, *.safetensors"
_FETCH = "fetch the folder again, whole"
_Shape = TypeVar("_Shape", bound=BaseModel)
_SCALES: dict[Granularity, float] = {"unit": 1.0, "file": 2.0}
"""How long answers may be where no card says it: a large model is not held back by what suits a small one."""
_DEFAULT_SAMPLING = Sampling(temperature=0.2, top_p=0.95, repetition_penalty=1.0)


class _Foreign(BaseModel):
    """What we read of somebody else's JSON; the rest is theirs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Generation(_Foreign):
    eos_token_id: int | tuple[int, ...] | None = None


class _Text(_Generation):
    num_hidden_layers: PositiveInt
    num_attention_heads: PositiveInt
    num_key_value_heads: PositiveInt | None = None
    hidden_size: PositiveInt
    head_dim: PositiveInt | None = None
    max_position_embeddings: PositiveInt

    @property
    def kv_bytes_per_token(self) -> int:
        head_dim = self.head_dim or self.hidden_size // self.num_attention_heads
        return 2 * self.num_hidden_layers * (self.num_key_value_heads or self.num_attention_heads) * head_dim * 2


class _Quantization(_Foreign):
    bits: PositiveInt | None = None
    quant_method: str = ""


class _Token(_Foreign):
    content: str


class _NamedTemplate(_Foreign):
    name: str
    template: str


class _Tokenizer(_Foreign):
    bos_token: str | _Token | None = None
    eos_token: str | _Token | None = None
    chat_template: str | tuple[_NamedTemplate, ...] | None = None


class _Index(_Foreign):
    weight_map: dict[str, FileName] = Field(min_length=1)


@dataclass(frozen=True)
class ModelFolder:
    """A model that can be loaded: safe to read, complete, and what asking it needs."""

    path: Path
    id: str
    """The catalogue's id, or the folder's name."""
    card: ModelCard | None
    identity: str
    """sha256 over names and contents: two folders with the same one answer alike."""
    context: int
    """In tokens, prompt and answer together."""
    granularity: Granularity
    answer_scale: float
    sampling: Sampling
    weights_bytes: int
    kv_bytes_per_token: int
    """Of a 16-bit KV cache: 2 (key and value) * layers * kv_heads * head_dim * 2 bytes."""
    attention_heads: int
    """Tensor parallelism must divide it."""
    chat_template: str
    tokenizer: Path
    eos_token_ids: tuple[int, ...]
    bos_token: str
    eos_token: str


def model_folder(spec: str, store: Store) -> ModelFolder:
    """Return the model that `--model` names: an id of the catalogue, or else a folder in Hugging Face layout.

    Raises ModelError: unknown, not_pulled, damaged, no_config, no_tokenizer, no_weights, pickled_weights, remote_code,
    python_files, bad_index, no_chat_template, unreadable.
    """
    if any(spec == card.id for card in cards()):
        return _pulled(load_card(spec), store)
    path = Path(spec).expanduser().absolute()
    if not path.is_dir():
        load_card(spec)  # raises, naming the catalogue
    record = read_record(path)
    known = {card.id: card for card in cards()}
    return open_folder(path, known.get(record.card) if record else None)


def open_folder(path: Path, card: ModelCard | None) -> ModelFolder:
    """Check a folder and read what asking needs; the card, when there is one, has the first word. Raises ModelError."""
    config = _read_json(path, "config.json", "no_config")
    tokenizer = _read_json(path, "tokenizer_config.json") if (path / "tokenizer_config.json").exists() else {}
    _refuse_remote_code(path, config, tokenizer)
    _refuse_code(path)
    if not (path / "tokenizer.json").is_file():
        raise ModelError("no_tokenizer", f"{path} holds no tokenizer.json", _LAYOUT)
    record = _undamaged_record(path)
    text = _parse(_Text, path, "config.json", config.get("text_config", config))
    tokens = _parse(_Tokenizer, path, "tokenizer_config.json", tokenizer)
    weights_bytes = sum(file.stat().st_size for file in _weights(path))
    granularity = card.granularity if card else _granularity(path, weights_bytes, config)
    return ModelFolder(
        path=path,
        id=card.id if card else path.name,
        card=card,
        identity=_identity(path, record),
        context=card.context if card else text.max_position_embeddings,
        granularity=granularity,
        answer_scale=card.answer_scale if card else _SCALES[granularity],
        sampling=card.sampling if card else _DEFAULT_SAMPLING,
        weights_bytes=weights_bytes,
        kv_bytes_per_token=text.kv_bytes_per_token,
        attention_heads=text.num_attention_heads,
        chat_template=_chat_template(path, tokens),
        tokenizer=path / "tokenizer.json",
        eos_token_ids=_eos_token_ids(path, text),
        bos_token=_token(tokens.bos_token),
        eos_token=_token(tokens.eos_token),
    )


def _pulled(card: ModelCard, store: Store) -> ModelFolder:
    path = store.folder(card)
    if read_record(path) is None:
        raise ModelError("not_pulled", f"{card.title} is not on this machine", f"p2c-local models pull {card.id}")
    return open_folder(path, card)


def _refuse_code(path: Path) -> None:
    """Refuse what runs when it is loaded: pickles (their format is a program) and Python files."""
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path)
        if file.suffix.lower() in _PICKLES:
            hint = (
                "use a copy of the model with .safetensors weights only: a pickle can run any program when it is loaded"
            )
            raise ModelError("pickled_weights", f"{path} holds {name}", hint)
        if file.suffix == ".py":
            hint = "use a model that needs no code of its own, or delete the file if the model does without it"
            raise ModelError("python_files", f"{path} holds Python code: {name}", hint)


def _refuse_remote_code(path: Path, *configs: object) -> None:
    if any(key == "auto_map" for config in configs for key in _keys(config)):
        hint = "use a model whose architecture vLLM itself implements"
        raise ModelError("remote_code", f"{path} asks for code of its own (auto_map)", hint)


def _keys(value: object) -> Iterator[str]:
    """Yield every key at any depth, without recursion: the nesting is somebody else's."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as inner:
                yield from inner
                pending.extend(inner.values())
            case list() as items:
                pending.extend(items)


def _undamaged_record(path: Path) -> Record | None:
    record = read_record(path)
    if record and (problems := missing_or_resized(path, record)):
        hint = f"pull the model again: p2c-local models pull {record.card}"
        raise ModelError("damaged", f"{path} is not what was pulled: {'; '.join(problems)}", hint)
    return record


def _weights(path: Path) -> tuple[Path, ...]:
    """Return the safetensors files: those that the index names, or all of the folder's own."""
    if (path / _INDEX).exists():
        index = _parse(_Index, path, _INDEX, _read_json(path, _INDEX), "bad_index")
        named = tuple(path / name for name in sorted(set(index.weight_map.values())))
        if absent := [file.name for file in named if not file.is_file()]:
            raise ModelError("bad_index", f"{path} lacks {', '.join(absent[:3])}, which {_INDEX} names", _FETCH)
        return named
    found = tuple(sorted(path.glob("*.safetensors")))
    if not found:
        raise ModelError("no_weights", f"{path} holds no .safetensors file", _LAYOUT)
    return found


def _read_json(path: Path, name: str, missing: str = "unreadable") -> dict[str, Any]:
    try:
        value = json.loads((path / name).read_text("utf-8"))
    except FileNotFoundError as error:
        raise ModelError(missing, f"{path} holds no {name}", _LAYOUT) from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError("unreadable", f"{path / name} cannot be read: {error}", _FETCH) from error
    if not isinstance(value, dict):
        raise ModelError("unreadable", f"{path / name} is not a JSON object", _FETCH)
    return value


def _parse(shape: type[_Shape], path: Path, name: str, value: object, reason: str = "unreadable") -> _Shape:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(reason, f"{path / name}: {where}: {first['msg']}", _FETCH) from error


def _granularity(path: Path, weights_bytes: int, config: dict[str, Any]) -> Granularity:
    """Small models write a body at a time. Parameters are estimated from the bits that each takes."""
    bits = 16
    if config.get("quantization_config"):
        quantization = _parse(_Quantization, path, "config.json", config["quantization_config"])
        bits = quantization.bits or (8 if quantization.quant_method == "fp8" else 4)
    return "unit" if weights_bytes * 8 / bits < _UNIT_BELOW_PARAMETERS else "file"


def _chat_template(path: Path, tokenizer: _Tokenizer) -> str:
    if (path / "chat_template.jinja").is_file():
        return (path / "chat_template.jinja").read_text("utf-8")
    template = tokenizer.chat_template
    if isinstance(template, tuple):
        template = {entry.name: entry.template for entry in template}.get("default")
    if not template:
        hint = "name an instruction-tuned model (base models have no chat template), or add chat_template.jinja"
        raise ModelError("no_chat_template", f"{path} holds no chat template", hint)
    return template


def _eos_token_ids(path: Path, text: _Text) -> tuple[int, ...]:
    """Return the ids that end an answer; generation_config.json, which may list several, has the last word."""
    name, ids = "generation_config.json", text.eos_token_id
    if (path / name).exists():
        ids = _parse(_Generation, path, name, _read_json(path, name)).eos_token_id or ids
    return ids if isinstance(ids, tuple) else () if ids is None else (ids,)


def _token(token: str | _Token | None) -> str:
    return token.content if isinstance(token, _Token) else token or ""


def _identity(path: Path, record: Record | None) -> str:
    """Digest names and contents: those on record, or of each file, where large ones count by size and both ends."""
    if record:
        listed = sorted((file.name, file.size, file.sha256) for file in record.files)
    else:
        found = (file for file in path.iterdir() if file.is_file() and file.name != RECORD)
        listed = sorted((file.name, file.stat().st_size, _content(file)) for file in found)
    return hashlib.sha256(json.dumps(listed).encode()).hexdigest()


def _content(file: Path) -> str:
    size = file.stat().st_size
    if size <= _WHOLE_FILE_BYTES:
        return digest(file)
    with file.open("rb") as source:
        sha = hashlib.sha256(source.read(_SAMPLE_BYTES))
        source.seek(size - _SAMPLE_BYTES)
        sha.update(source.read())
    return sha.hexdigest()
