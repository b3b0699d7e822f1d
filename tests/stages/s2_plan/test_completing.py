"""What the code turned out to need: settings that it reads, files that it imports."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from paper2code_local.engine.protocol import Request
from paper2code_local.stages.s2_plan import with_need, with_settings
from paper2code_local.stages.s2_plan.completing import TOKENS_EACH, TOKENS_MORE, answer_type
from tests import cooling
from tests.engines import Answering, in_turn
from tests.stages.s7_write.small_repository import PAPER, PLAN

USES = {
    "momentum": '    m = config["momentum"]',
    "epochs": '    for e in range(config["epochs"]):',
    "2x": "",
    "class": "",
}


async def test_keys_that_the_code_reads_get_values_and_those_that_are_there_stay() -> None:
    engine = Answering(lambda _: json.dumps({"momentum": "0.9"}))
    plan = await with_settings(PLAN, PAPER, USES, cooling.asker(engine))
    assert plan.config[: len(PLAN.config)] == PLAN.config
    (added,) = plan.config[len(PLAN.config) :]
    assert (added.key, added.value, added.origin, added.section) == ("momentum", 0.9, "assumed", "")
    (asked,) = engine.asked
    assert 'read in: m = config["momentum"]' in asked.user
    assert "epochs" not in asked.user


async def test_a_value_that_the_paper_states_is_traced_to_its_section() -> None:
    uses = {"learning_speed": 'config["learning_speed"]', "learning_steps": "x", "mixing": 'config["mixing"]'}
    answer = {"learning_speed": "1e-5", "learning_steps": "77", "mixing": "1e-5"}
    plan = await with_settings(PLAN, PAPER, uses, cooling.asker(Answering(lambda _: json.dumps(answer))))
    origins = {v.key: (v.origin, v.section) for v in plan.config[len(PLAN.config) :]}
    assert origins == {
        "learning_speed": ("traced", "s2"),
        "learning_steps": ("assumed", ""),
        "mixing": ("assumed", ""),
    }


async def test_a_symbol_is_no_number_and_is_asked_for_again() -> None:
    engine = Answering(
        in_turn('{"num_classes": "k", "optimizer": "adam"}', '{"num_classes": "3", "optimizer": "adam"}')
    )
    plan = await with_settings(PLAN, PAPER, {"num_classes": "x", "optimizer": "y"}, cooling.asker(engine))
    assert {v.key: v.value for v in plan.config[len(PLAN.config) :]} == {"num_classes": 3, "optimizer": "adam"}
    schema: Any = engine.asked[0].answer_schema
    words = [key for key, of in schema["properties"].items() if "A-Za-z" in of["pattern"]]
    assert words == ["optimizer"], "a grammar leaves no room for a symbol where a number is due"


async def test_without_an_answer_the_plan_stays() -> None:
    engine = Answering(lambda _: "{}")
    assert await with_settings(PLAN, PAPER, USES, cooling.asker(engine)) == PLAN


def accepts(key: str, value: str) -> bool:
    """Tell whether the answer to one key may be `value`."""
    try:
        answer_type((key,)).model_validate({key: value})
    except ValidationError:
        return False
    return True


@given(st.lists(st.from_regex(r"[a-z][a-z0-9_]{1,30}", fullmatch=True), min_size=1, max_size=12, unique=True))
def test_the_longest_answer_fits_and_every_key_is_under_its_own_name(keys: list[str]) -> None:
    kind = answer_type(tuple(keys))
    longest = {key: "A" * 40 if accepts(key, "A" * 40) else "-" + "9" * 9 + "." + "9" * 9 + "e-99" for key in keys}
    assert kind.model_validate(longest).model_dump(by_alias=True) == longest
    assert len(json.dumps(longest)) / 2 <= TOKENS_MORE + TOKENS_EACH * len(keys)


def test_a_need_that_makes_no_circle_is_allowed_and_the_order_fits() -> None:
    loader, model, main = (file.path for file in PLAN.files)
    plan = with_need(PLAN, loader, model)
    if model in PLAN.file(loader).needs or loader in PLAN.file(model).needs:
        assert plan is None
    free = PLAN.model_copy(
        update={"files": tuple(f.model_copy(update={"needs": ()}) if f.path != main else f for f in PLAN.files)}
    )
    turned = with_need(free, loader, model)
    assert turned is not None
    assert [file.path for file in turned.files] == [model, loader, main]
    assert turned.model_validate(turned.model_dump()) == turned
    assert with_need(turned, model, loader) is None
    assert with_need(PLAN, loader, main) is None, "nothing may need the entry point"
    assert with_need(PLAN, "nowhere.py", model) is None


def _unused(_: Request) -> str:
    raise AssertionError("nothing is asked")


async def test_nothing_is_asked_when_nothing_lacks() -> None:
    assert await with_settings(PLAN, PAPER, {"epochs": "x"}, cooling.asker(Answering(_unused))) == PLAN
