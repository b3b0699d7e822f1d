"""config.yaml gives back exactly the planned values, and says of each where it comes from."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.artifacts.plan import ConfigValue
from paper2code_local.stages.s7_write.config_file import config_yaml
from tests.stages.s7_write.small_repository import PAPER, PLAN

keys = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True) | st.sampled_from(["on", "no", "null", "y", "_1", "e5"])
values = (
    st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.sampled_from(["1e-05", "~", "012", "a\x85b"])
)


def planned(key: str, value: bool | int | float | str) -> ConfigValue:
    return ConfigValue(key=key, value=value, section="", origin="assumed")


@given(st.dictionaries(keys, values, max_size=5))
def test_values_and_types_survive(config: dict[str, bool | int | float | str]) -> None:
    text = config_yaml(tuple(planned(k, v) for k, v in config.items()), PAPER)
    loaded = yaml.safe_load(text.encode())
    assert loaded == config
    assert {k: type(v) for k, v in loaded.items()} == {k: type(v) for k, v in config.items()}


@pytest.mark.parametrize("value", [1e-5, 3e20, 5e-324, 1.0, -0.0, math.inf])
def test_a_float_is_loaded_as_a_float(value: float) -> None:
    loaded = yaml.safe_load(config_yaml((planned("x", value),), PAPER))["x"]
    assert isinstance(loaded, float)
    assert loaded == value


def test_each_key_stands_under_its_origin() -> None:
    lines = config_yaml(PLAN.config, PAPER).splitlines()
    for key, origin in {
        "learning_rate": "# section 4.1 Training: found there",
        "epochs": "# section 4.1 Training: not found there",
        "'on'": "# our assumption",
    }.items():
        place = next(i for i, line in enumerate(lines) if line.startswith(f"{key}:"))
        assert lines[place - 1] == origin


@given(st.text())
def test_no_heading_gets_out_of_its_comment(heading: str) -> None:
    first = PAPER.sections[0].model_copy(update={"id": "s2", "number": "", "heading": heading})
    text = config_yaml(PLAN.config, PAPER.model_copy(update={"sections": (first,)}))
    assert yaml.safe_load(text.encode()) == {v.key: v.value for v in PLAN.config}


def test_no_values_are_an_empty_mapping() -> None:
    assert yaml.safe_load(config_yaml((), PAPER)) == {}
