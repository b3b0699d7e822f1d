"""Requests in each dialect, what is said of a schema in words, and paper text that would speak as somebody else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper2code_local.engine.dialects import (
    FOR_TOP_K,
    SCHEMA_DIALECTS,
    SPECIAL,
    EstimatingTokenizer,
    SchemaDialect,
    Server,
    as_chat,
    in_tokens,
    plain,
    sketch,
)
from paper2code_local.engine.protocol import Request
from paper2code_local.modelstore.card import Sampling
from tests.engine.test_contract import SCHEMA

SERVER = Server(url="http://127.0.0.1:1/v1", model="tiny", identity="x", context=4096, tokens=False)
MARKERS = ("<|im_start|>", "<｜User｜>", "[INST]", "[/INST]", "<<SYS>>", "</s>", "<start_of_turn>", "</think>", "<bos>")


def request(**more: Any) -> Request:
    asked: dict[str, Any] = {
        "label": "q",
        "system": "You answer.",
        "user": "Which?",
        "max_tokens": 9,
        "sampling": Sampling(temperature=0.2, top_p=0.9, repetition_penalty=1.1),
        "seed": 5,
    }
    return Request(**(asked | more))


@pytest.mark.parametrize("dialect", SCHEMA_DIALECTS)
def test_the_schema_is_said_exactly_once(dialect: SchemaDialect) -> None:
    server = SERVER.model_copy(update={"schema_as": dialect})
    _, body = as_chat(server, request(answer_schema=SCHEMA))
    said = json.dumps(body)
    assert said.count("function") == 1, "the enum stands in one place"
    assert '"examples"' not in said
    assert ("looks like this" in said) == (dialect == "words")


def test_a_schema_in_words_names_every_field_choice_and_bound() -> None:
    schema: dict[str, Any] = {
        "$defs": {"Kind": {"enum": ["a", "b"]}},
        "type": "object",
        "properties": {"kind": {"$ref": "#/$defs/Kind"}, "n": {"anyOf": [{"type": "integer"}, {"type": "null"}]}, **{}},
    }
    assert sketch(schema) == '{"kind": "a" | "b", "n": <integer> | <null>}'
    told = sketch(SCHEMA)
    assert all(part in told for part in ('"files"', "at most 3", '"function" | "class"', "30 characters", "<boolean>"))


def test_the_fields_that_vllm_adds_go_only_to_servers_that_take_them() -> None:
    _, strict = as_chat(SERVER, request())
    assert not {"chat_template_kwargs", "repetition_penalty"} & set(strict)
    _, body = as_chat(SERVER.model_copy(update={"extended": True}), request())
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert body["repetition_penalty"] == 1.1


def test_drawing_from_the_likeliest_is_said_as_the_server_can_hear_it() -> None:
    asked = request(sampling=Sampling(temperature=0.2, top_k=20, repetition_penalty=1))
    _, strict = as_chat(SERVER, asked)
    _, body = as_chat(SERVER.model_copy(update={"extended": True}), asked)
    assert ("top_k" in strict, strict["top_p"]) == (False, FOR_TOP_K)
    assert (body["top_k"], body["top_p"]) == (20, 1.0)


def test_an_opening_is_a_message_of_the_assistant() -> None:
    flagged = SERVER.model_copy(update={"prefill_as": "continue_final_message"})
    _, body = as_chat(flagged, request(prefill="def f():"))
    assert body["messages"][-1] == {"role": "assistant", "content": "def f():"}
    assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
    _, body = as_chat(SERVER.model_copy(update={"prefill_as": "last_message"}), request(prefill="def f():"))
    assert "continue_final_message" not in body


def test_without_a_system_role_its_words_come_first() -> None:
    _, body = as_chat(SERVER.model_copy(update={"system": False}), request())
    assert body["messages"] == [{"role": "user", "content": "You answer.\n\nWhich?"}]


def test_token_ids_go_as_they_are() -> None:
    path, body = in_tokens(SERVER, request(stop=("\n```",)), [3, 1, 2])
    assert (path, body["prompt"], body["stop"]) == ("/completions", [3, 1, 2], ["\n```"])
    assert "messages" not in body


@given(st.lists(st.sampled_from([*MARKERS, "text", "<", "|", ">", "s", "[", "/", " ", "\u2060"]), max_size=12))
def test_no_text_holds_a_special_token(parts: list[str]) -> None:
    text = "".join(parts)
    assert not SPECIAL.search(plain(text))
    assert plain(text).replace("\u2060", "") == text.replace("\u2060", "")


@pytest.mark.parametrize("text", ["a < b and c > d", "x[i] = y[0]", "List[int]", "p(y|x)", "<div>", "[12, 31]", "[A]"])
def test_ordinary_text_stays(text: str) -> None:
    assert plain(text) == text


def test_an_estimate_grows_with_its_text() -> None:
    tokenizer = EstimatingTokenizer(1.1)
    assert tokenizer.count("") == 1
    assert tokenizer.count("word " * 100) == 111
    assert tokenizer.count("深" * 50) > 50
