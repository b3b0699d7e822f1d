"""Text that goes in circles is told from code that is only regular."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from paper2code_local.engine.runaway import ROUNDS, repeats_itself


@settings(max_examples=40)
@given(st.text(min_size=240, max_size=600))
def test_hardly_any_text_repeats_itself(text: str) -> None:
    assert not repeats_itself(text) or len(set(text)) < 20


def test_repetition_is_told_from_code() -> None:
    assert repeats_itself("x = x + 1\n" * 60)
    assert not repeats_itself("\n".join(f"self.layer{i} = nn.Linear({i}, {i + 1})" for i in range(60)))
    assert not repeats_itself("ha " * 20)


@given(
    st.lists(st.text("abc =()", min_size=30, max_size=60), min_size=1, max_size=8, unique=True),
    st.integers(ROUNDS, 2 * ROUNDS),
)
def test_the_same_lines_over_and_over_are_found_whatever_stood_before(block: list[str], rounds: int) -> None:
    before = "\n".join(f"value_{i} = config['key_{i * i}']" for i in range(40))
    assert not repeats_itself(before)
    assert repeats_itself(before + "\n" + ("\n".join(block) + "\n") * rounds)


def test_a_stack_of_layers_is_no_repetition() -> None:
    layer = "            nn.Linear(width, width),\n            nn.ReLU(),\n"
    assert not repeats_itself("        self.layers = nn.Sequential(\n" + layer * (ROUNDS - 1) + "        )\n")


def helper(name: str) -> str:
    return f"    def {name}(points, labels, share):\n" + "".join(
        f"        {name}_{step} = points[: int({step} * share)] + labels[{step}:]\n" for step in range(7)
    )


def test_helpers_that_are_defined_again_are_a_repetition() -> None:
    once = "\n".join(helper(name) for name in ("split", "shuffle", "scale"))
    assert not repeats_itself(once)
    assert not repeats_itself(once + "\n" + helper("crop") + helper("flip"))
    assert repeats_itself(once + "\n" + once)
