from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from pydantic import ValidationError

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import (
    GIB,
    GgufCard,
    HubSource,
    ModelCard,
    RepositoryCard,
    WheelSource,
    cards,
    choose_default,
    find_card,
    load_card,
    read_card,
)

GGUFS = [card for card in cards() if isinstance(card, GgufCard)]
REPOSITORIES = [card for card in cards() if isinstance(card, RepositoryCard)]
BYTES = {"bf16": 2.0, "fp8": 1.0, "awq": 0.5, "mxfp4": 0.5}
"""Of one parameter."""
LIBRARIES = 2.0
"""GiB beside weights and KV cache."""
ORDINARY = 32_768
"""Tokens of context that a run with an ordinary paper needs."""


def test_there_is_one_embedded_default_and_a_smaller_one_for_short_memory() -> None:
    roles = {card.default: card for card in GGUFS if card.default}
    assert sorted(role for role in roles) == ["embedded", "short_memory"]
    assert roles["short_memory"].memory_gib < roles["embedded"].memory_gib


@pytest.mark.parametrize("card", GGUFS, ids=lambda card: card.id)
def test_the_hub_comes_first_and_mirrors_deliver_the_whole_file(card: GgufCard) -> None:
    first, last = card.sources[0], card.sources[-1]
    assert isinstance(first, HubSource)
    assert first.file == card.gguf.filename
    assert first.url == f"{first.repo}/resolve/{first.revision}/{card.gguf.filename}"
    assert isinstance(last, WheelSource)
    assert len({part.requirement for part in last.parts}) == len(last.parts)


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_the_numbers_of_a_card_agree_with_each_other(card: ModelCard) -> None:
    cache = (
        card.kv_bytes_per_token * (card.context if isinstance(card, GgufCard) else min(card.context, ORDINARY)) / GIB
    )
    for weights in card.weights:
        least = BYTES[weights.precision] * card.parameters
        # Tied embeddings are written twice in small models; in quantised ones embeddings and attention stay in 16 bits.
        assert 0.95 * least <= weights.bytes <= (1.3 if weights.precision in ("bf16", "fp8") else 1.7) * least
        assert weights.memory_gib >= weights.gib + cache + LIBRARIES
    assert card.memory_gib == min(weights.memory_gib for weights in card.weights)
    assert card.active_parameters is None or card.active_parameters < card.parameters
    assert (card.granularity == "unit") == (card.parameters < 4e9)
    assert load_card(card.id) is find_card(card.id) is card


@pytest.mark.parametrize("card", REPOSITORIES, ids=lambda card: card.id)
def test_the_memory_of_a_large_model_is_its_weights_an_ordinary_context_and_the_libraries(card: RepositoryCard) -> None:
    cache = card.kv_bytes_per_token * min(card.context, ORDINARY) / GIB
    for weights in card.weights:
        assert weights.memory_gib <= weights.gib + cache + LIBRARIES + 1


@pytest.mark.parametrize("card", REPOSITORIES, ids=lambda card: card.id)
def test_a_card_without_hashes_says_where_its_facts_are_from_and_how_to_fetch_it(card: RepositoryCard) -> None:
    assert card.facts
    fetch, take = card.commands()
    assert fetch.startswith(f"hf download {card.repositories[0].repo} ")
    assert take.endswith(f" --as {card.id}")
    assert len({repository.precision for repository in card.repositories}) == len(card.repositories)


def test_a_file_of_the_catalogue_is_named_after_its_model() -> None:
    folder = files("paper2code_local.models")
    assert {entry.name for entry in folder.iterdir() if entry.name.endswith(".toml")} == {
        f"{c.id}.toml" for c in cards()
    }


def test_the_default_is_the_embedded_one_unless_memory_is_short() -> None:
    embedded = next(card for card in GGUFS if card.default == "embedded")
    enough = round(embedded.memory_gib * GIB)
    assert choose_default(enough) == embedded
    assert choose_default(enough - 1).default == "short_memory"
    assert choose_default(0).default == "short_memory"


def test_an_unknown_model_is_answered_with_the_catalogue() -> None:
    with pytest.raises(ModelError) as raised:
        load_card("no-such-model")
    assert raised.value.code == "model.unknown"
    assert all(card.id in raised.value.hint for card in cards())


def toml(**changes: Any) -> str:
    """Write the first GGUF card again, with other top-level values."""
    text = (files("paper2code_local.models") / f"{GGUFS[0].id}.toml").read_text("utf-8")
    known = tomllib.loads(text)
    kept = [line for line in text.splitlines() if line.split(" ")[0] not in changes]
    new = [f"{key} = {value!r}" for key, value in changes.items()]
    assert all(key in known or key == "surprise" for key in changes)
    return "\n".join(new + kept)


def test_a_card_is_read_from_its_toml() -> None:
    assert read_card(toml()) == GGUFS[0]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"surprise": 1}, {"context": 0}, {"id": "../elsewhere"}, {"granularity": "line"}, {"answer_scale": 0.5}),
        *({"kind": "repository"}, {"kind": "tarball"}, {"licence": "free for all"}),
    ],
)
def test_a_card_with_a_wrong_field_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        read_card(toml(**wrong))
