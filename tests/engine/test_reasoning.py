"""Thoughts are cut off, answers are not; the marks are those of the engine's own parsers."""

from __future__ import annotations

from collections import defaultdict
from unittest.mock import MagicMock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.reasoning import PARSERS, Reasoning, begun, marks, without_reasoning
from paper2code_local.errors import ModelError

words = st.text(alphabet="abc {}\n\"'=", max_size=20)
parsers = st.sampled_from(sorted(PARSERS))


@given(parser=parsers, thoughts=words, answer=words, opened=st.booleans(), forced=st.booleans())
def test_what_was_written_as_thoughts_and_answer_is_read_so(
    parser: str, thoughts: str, answer: str, opened: bool, forced: bool
) -> None:
    """With the start mark or without, ended by the model or by us."""
    known = marks(parser)
    between = known.close if forced else known.end + known.rest
    text = ("" if opened else known.open) + thoughts + between + answer
    assert without_reasoning(text, parser) == answer.lstrip()


@given(parser=parsers, thoughts=words)
def test_thoughts_without_an_end_are_no_answer(parser: str, thoughts: str) -> None:
    assert without_reasoning(f" \n{marks(parser).open}{thoughts}", parser) == ""


@given(parser=parsers, answer=words)
def test_an_answer_without_thoughts_is_left_as_it_is(parser: str, answer: str) -> None:
    assert without_reasoning(answer, parser) == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<think>\nA tag.\n</think>\n\nSPLIT = '</think>'", "SPLIT = '</think>'"),
        ("hm</think>open, close = '<think>', '</think>'", "open, close = '<think>', '</think>'"),
        ("It writes <think> before </think>.", "It writes <think> before </think>."),
        ("<think></think>", ""),
        ("</think>{}", "{}"),
    ],
)
def test_marks_in_the_answer_stay(text: str, answer: str) -> None:
    assert without_reasoning(text, "qwen3") == answer


@pytest.mark.parametrize(
    ("prompt", "parser"),
    [
        ("<|User|>Why?<|Assistant|><think>\n", "deepseek_r1"),
        ("<|Assistant|><think>", "deepseek_r1"),
        ("user\nWhy?<seed:bos>assistant\n<seed:think>", "seed_oss"),
        ("<|message|>Why?<|end|><|start|>assistant", "openai_gptoss"),
        ("[INST] Why? [/INST][THINK]", "mistral"),
        ("<|im_start|>assistant\n<think>\n\n</think>\n\n", None),
        ("<|im_start|>assistant\n", None),
        ("", None),
    ],
)
def test_a_prompt_that_begins_thoughts_says_how_the_model_thinks(prompt: str, parser: str | None) -> None:
    found = begun(prompt)
    assert (found and marks(found.parser)) == (parser and marks(parser))


def test_room_holds_budget_and_marks() -> None:
    assert Reasoning("qwen3", budget=100).room > 100 + max(len(marks(parser).close.split()) for parser in PARSERS)


def test_an_unknown_parser_is_named() -> None:
    with pytest.raises(ModelError, match="telepathy") as caught:
        without_reasoning("x", "telepathy")
    assert caught.value.code == "model.reasoning"
    assert "qwen3" in caught.value.hint


@pytest.mark.engine
@pytest.mark.parametrize("parser", sorted(PARSERS - {"granite", "mistral", "openai_gptoss"}))
def test_the_marks_are_those_of_vllms_own_parser(parser: str) -> None:
    """Of the three left out, two name no marks and one has others for older models."""
    from vllm.reasoning import ReasoningParserManager

    tokenizer = MagicMock()
    tokenizer.get_vocab.return_value = defaultdict(int, {marks(parser).open.strip(): 1, marks(parser).end: 2})
    thinks = {"thinking": True, "enable_thinking": True}
    theirs = ReasoningParserManager.get_reasoning_parser(parser)(tokenizer, chat_template_kwargs=thinks)
    assert marks(parser).open.startswith(theirs.reasoning_start_str)
    assert marks(parser).end == theirs.reasoning_end_str
