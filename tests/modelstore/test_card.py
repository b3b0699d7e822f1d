from __future__ import annotations

import pytest
from pydantic import ValidationError

from paper2code_local.errors import ModelError
from paper2code_local.modelstore.card import GIB, HubSource, ModelCard, WheelSource, cards, choose_default, load_card


def test_there_is_one_embedded_default_and_a_smaller_one_for_short_memory() -> None:
    roles = {card.default: card for card in cards() if card.default}
    assert sorted(role for role in roles) == ["embedded", "short_memory"]
    assert roles["short_memory"].memory_gib < roles["embedded"].memory_gib


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_the_hub_comes_first_and_mirrors_deliver_the_whole_file(card: ModelCard) -> None:
    first, last = card.sources[0], card.sources[-1]
    assert isinstance(first, HubSource)
    assert first.file == card.gguf.filename
    assert first.url == f"{first.repo}/resolve/{first.revision}/{card.gguf.filename}"
    assert isinstance(last, WheelSource)
    assert len({part.requirement for part in last.parts}) == len(last.parts)


@pytest.mark.parametrize("card", cards(), ids=lambda card: card.id)
def test_the_numbers_of_a_card_agree_with_each_other(card: ModelCard) -> None:
    assert card.weights_bytes >= 1.9 * card.parameters  # bf16
    cache = 2 * card.layers * card.kv_heads * card.head_dim * 2 * card.context
    assert card.memory_gib * GIB > card.weights_bytes + cache
    assert load_card(card.id) is card


def test_the_default_is_the_embedded_one_unless_memory_is_short() -> None:
    embedded = next(card for card in cards() if card.default == "embedded")
    enough = round(embedded.memory_gib * GIB)
    assert choose_default(enough) == embedded
    assert choose_default(enough - 1).default == "short_memory"
    assert choose_default(0).default == "short_memory"


def test_an_unknown_model_is_answered_with_the_catalogue() -> None:
    with pytest.raises(ModelError) as raised:
        load_card("no-such-model")
    assert raised.value.code == "model.unknown"
    assert all(card.id in raised.value.hint for card in cards())


@pytest.mark.parametrize(
    "wrong", [{"surprise": 1}, {"context": 0}, {"id": "../elsewhere"}, {"sources": []}, {"granularity": "line"}]
)
def test_a_card_with_a_wrong_field_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelCard.model_validate({**cards()[0].model_dump(), **wrong})
