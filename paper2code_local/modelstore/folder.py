"""A folder in Hugging Face layout, checked before any engine loads it.

In: `--model`, an id of the catalogue or a path. Out: a `ModelFolder`: what is in it and how to ask it.
Must not know any engine, and imports none of the libraries that would run what a folder holds.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import (
    FileName,
    GgufCard,
    Granularity,
    ModelCard,
    Sampling,
    find_card,
    load_card,
)
from paper2code_local.modelstore.digests import cache_folder, file_sha256, unknown_bytes
from paper2code_local.modelstore.shape import shape
from paper2code_local.modelstore.store import RECORD, Record, Store, is_id, missing_or_resized, read_record

_PICKLES = frozenset({".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth"})
_INDEX = "model.safetensors.index.json"
_LONGEST_TEMPLATE = 1 << 20
_READERS = 4
"""Files that are hashed at a time: sha256 lets other threads run."""
UNIT_BELOW_PARAMETERS = 4e9
_LAYOUT = "name a folder in Hugging Face layout: config.json, tokenizer.json, *.safetensors"
_FETCH = "fetch the folder again, whole"
_Said = TypeVar("_Said", bound=BaseModel)
Hashing = Callable[[int, int], None]
"""Hears how many bytes have been hashed (first 0, then from several threads), and how many there are; not called where
all digests are known."""
SCALES: dict[Granularity, float] = {"unit": 1.0, "file": 2.0}
"""How long answers may be where no card says it: a large model is not held back by what suits a small one."""
DEFAULT_SAMPLING = Sampling(temperature=0.2, top_k=20, repetition_penalty=1.0)


class _Foreign(BaseModel):
    """What we read of somebody else's JSON; the rest is theirs."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Generation(_Foreign):
    eos_token_id: int | tuple[int, ...] | None = None


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
    """Of a 16-bit KV cache; see `Shape`."""
    attention_heads: int
    """Tensor parallelism must divide it."""
    kv_heads: int
    """Tensor parallelism beyond it copies the KV cache."""
    quantization: str
    """How the weights are quantised ("awq", "fp8", …); empty for plain ones."""
    chat_template: str
    tokenizer: Path
    eos_token_ids: tuple[int, ...]
    bos_token: str
    eos_token: str


def model_folder(
    spec: str, store: Store, chat_template: str | None = None, hashing: Hashing = lambda done, total: None
) -> ModelFolder:
    """Return the model that `--model` names: an id of the catalogue or of an import, or else a folder of the user's.

    `chat_template` takes the place of the folder's own. The first time that a folder of the user's is named, its files
    are hashed: `hashing` hears about it. Raises ModelError: unknown, not_pulled, gguf, damaged, no_config,
    no_tokenizer, no_weights, pickled_weights, remote_code, python_files, bad_index, no_chat_template, unreadable.
    """
    card = find_card(spec)
    if place := store.find(spec) if is_id(spec) else None:
        return open_folder(place, card, chat_template, hashing)
    if card:
        raise not_here(card)
    path = Path(spec).expanduser().absolute()
    if path.suffix == ".gguf" and path.is_file():
        raise _needs_import(path)
    if not path.is_dir():
        load_card(spec)  # raises, naming the catalogue
    record = read_record(path)
    return open_folder(path, find_card(record.card) if record else None, chat_template, hashing)


def read_template(path: Path | None) -> str | None:
    """Read the chat template that the user gives. Raises ModelError (`template`)."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_TEMPLATE + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError("template", f"{path} cannot be read: {error}", "It is a Jinja template in UTF-8.") from error
    if not text.strip() or len(text) > _LONGEST_TEMPLATE:
        raise ModelError("template", f"{path} is empty or very long", "Name the chat template of the model.")
    return text


def not_here(card: ModelCard) -> ModelError:
    """Return the error that says how to get a model of the catalogue."""
    how = f"p2c-local models pull {card.id}" if isinstance(card, GgufCard) else "; then ".join(card.commands())
    return ModelError("not_pulled", f"{card.title} is not on this machine", how)


def open_folder(
    path: Path,
    card: ModelCard | None,
    chat_template: str | None = None,
    hashing: Hashing = lambda done, total: None,
) -> ModelFolder:
    """Check a folder and read what asking needs; the card, when there is one, has the first word. Raises ModelError."""
    weights_bytes = sum(file.stat().st_size for file in check_folder(path))
    config = _read_json(path, "config.json")
    tokenizer = _read_json(path, "tokenizer_config.json") if (path / "tokenizer_config.json").exists() else {}
    record = _undamaged_record(path)
    with _readable(path, "config.json"):
        size = shape(config)
    tokens = _parse(_Tokenizer, path, "tokenizer_config.json", tokenizer)
    generation = _parse(_Generation, path, "config.json", config.get("text_config", config))
    granularity = card.granularity if card else _granularity(weights_bytes, size.bits)
    return ModelFolder(
        path=path,
        id=card.id if card else path.name,
        card=card,
        identity=_identity(path, record, chat_template, hashing),
        context=min(card.context, size.context) if card else size.context,
        granularity=granularity,
        answer_scale=card.answer_scale if card else SCALES[granularity],
        sampling=card.sampling if card else DEFAULT_SAMPLING,
        weights_bytes=weights_bytes,
        kv_bytes_per_token=size.kv_bytes_per_token,
        attention_heads=size.attention_heads,
        kv_heads=size.kv_heads,
        quantization=size.quantization,
        chat_template=chat_template if chat_template is not None else _chat_template(path, tokens),
        tokenizer=path / "tokenizer.json",
        eos_token_ids=_eos_token_ids(path, generation),
        bos_token=_token(tokens.bos_token),
        eos_token=_token(tokens.eos_token),
    )


@dataclass(frozen=True)
class TokenizerFolder:
    """A tokenizer without its model: the weights are a server's."""

    tokenizer: Path
    chat_template: str | None
    bos_token: str
    eos_token: str


def tokenizer_folder(path: Path) -> TokenizerFolder:
    """Read the tokenizer of a folder, which need hold no weights. Raises ModelError: no_tokenizer, unreadable."""
    if not (path / "tokenizer.json").is_file():
        raise ModelError("no_tokenizer", f"{path} holds no tokenizer.json", "name the folder that the model came in")
    name = "tokenizer_config.json"
    tokens = _parse(_Tokenizer, path, name, _read_json(path, name) if (path / name).exists() else {})
    templated = tokens.chat_template or (path / "chat_template.jinja").is_file()
    return TokenizerFolder(
        tokenizer=path / "tokenizer.json",
        chat_template=_chat_template(path, tokens) if templated else None,
        bos_token=_token(tokens.bos_token),
        eos_token=_token(tokens.eos_token),
    )


def check_folder(path: Path) -> tuple[Path, ...]:
    """Refuse a folder that is unsafe or not whole, without reading its weights; return the files that hold them.

    Raises ModelError: gguf, no_config, no_tokenizer, no_weights, pickled_weights, remote_code, python_files, bad_index,
    unreadable.
    """
    if not (path / "config.json").exists() and any(path.glob("*.gguf")):
        raise _needs_import(path)
    configs = [_read_json(path, "config.json", "no_config")]
    if (path / "tokenizer_config.json").exists():
        configs.append(_read_json(path, "tokenizer_config.json"))
    _refuse_remote_code(path, configs)
    _refuse_code(path)
    if not (path / "tokenizer.json").is_file():
        raise ModelError("no_tokenizer", f"{path} holds no tokenizer.json", _LAYOUT)
    return _weights(path)


def _needs_import(path: Path) -> ModelError:
    return ModelError("gguf", f"{path} is in GGUF, which vLLM does not load", f"p2c-local models import {path}")


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


def _refuse_remote_code(path: Path, configs: list[dict[str, Any]]) -> None:
    if any(key == "auto_map" and value for config in configs for key, value in _items(config)):
        hint = "use a model whose architecture vLLM itself implements"
        raise ModelError("remote_code", f"{path} asks for code of its own (auto_map)", hint)


def _items(value: object) -> Iterator[tuple[str, object]]:
    """Yield every key with its value at any depth, without recursion: the nesting is somebody else's."""
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as inner:
                yield from inner.items()
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


def _parse(kind: type[_Said], path: Path, name: str, value: object, reason: str = "unreadable") -> _Said:
    with _readable(path, name, reason):
        return kind.model_validate(value)


@contextmanager
def _readable(path: Path, name: str, reason: str = "unreadable") -> Iterator[None]:
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(reason, f"{path / name}: {where}: {first['msg']}", _FETCH) from error


def _granularity(weights_bytes: int, bits: int) -> Granularity:
    """Small models write a body at a time. Parameters are estimated from the bits that each takes."""
    return "unit" if weights_bytes * 8 / bits < UNIT_BELOW_PARAMETERS else "file"


def _chat_template(path: Path, tokenizer: _Tokenizer) -> str:
    if (path / "chat_template.jinja").is_file():
        return (path / "chat_template.jinja").read_text("utf-8")
    template = tokenizer.chat_template
    if isinstance(template, tuple):
        template = {entry.name: entry.template for entry in template}.get("default")
    if not template:
        hint = "name an instruction-tuned model (base models have none), or name a template with --chat-template"
        raise ModelError("no_chat_template", f"{path} holds no chat template", hint)
    return template


def _eos_token_ids(path: Path, text: _Generation) -> tuple[int, ...]:
    """Return the ids that end an answer; generation_config.json, which may list several, has the last word."""
    name, ids = "generation_config.json", text.eos_token_id
    if (path / name).exists():
        ids = _parse(_Generation, path, name, _read_json(path, name)).eos_token_id or ids
    return ids if isinstance(ids, tuple) else () if ids is None else (ids,)


def _token(token: str | _Token | None) -> str:
    return token.content if isinstance(token, _Token) else token or ""


def _identity(path: Path, record: Record | None, chat_template: str | None, hashing: Hashing) -> str:
    """Digest names, sizes and contents, those on record or else of each file, and the template that was given."""
    if record:
        listed = sorted((file.name, file.size, file.sha256) for file in record.files)
    else:
        files = tuple(sorted(file for file in path.iterdir() if file.is_file() and file.name != RECORD))
        try:
            digests = _hashed(files, hashing)
        except OSError as error:
            raise ModelError("unreadable", f"{path} cannot be read: {error}", "Check its permissions.") from error
        listed = [(file.name, file.stat().st_size, sha256) for file, sha256 in zip(files, digests, strict=True)]
    said: object = listed if chat_template is None else [listed, chat_template]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _hashed(files: tuple[Path, ...], hashing: Hashing) -> list[str]:
    cache = cache_folder(os.environ)
    total = unknown_bytes(files, cache)
    done = dict.fromkeys(files, 0)

    def sha256(file: Path) -> str:
        def tick(read: int) -> None:
            done[file] = read
            if total:
                hashing(min(total, sum(done.values())), total)

        return file_sha256(file, cache, tick)

    if total:
        hashing(0, total)
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(sha256, files))
