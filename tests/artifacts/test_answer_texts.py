"""Texts in answers."""

from __future__ import annotations

import json

import pytest

from paper2code_local.artifacts.answers import fields, text

Said = fields("Said", text=text(200))
COMMANDS = (
    r"\frac{a}{b} \beta \bar{x} \theta_1 \tau \times \tilde{x} \text{if} \textbf{x} \tfrac12 \to \rho \right) \rangle "
    r"\nabla \nu \neq \notin"
)


@pytest.mark.parametrize("command", COMMANDS.split())
def test_a_latex_command_survives_a_backslash_that_is_not_doubled(command: str) -> None:
    wanted = f"The value of ${command}$ counts."
    proper = Said.model_validate_json(json.dumps({"text": wanted}))
    single = f'{{"text": "The value of ${command}$ counts."}}'
    assert Said.model_validate_json(single) == proper
    assert proper.model_dump() == {"text": wanted}


@pytest.mark.parametrize("said", ["a\tb", "a\texternal of\theories", "one\nnumber", "a\r\nb", " a \t\n b\x0c"])
def test_white_space_becomes_one_blank(said: str) -> None:
    assert Said.model_validate({"text": said}).model_dump() == {"text": " ".join(said.split())}
