"""Every family's template says what it should: to the letter, each thing once, the same on any day."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from paper2code_local.engine.chat import OFF, TODAY, ChatTokenizer
from paper2code_local.engine.reasoning import Reasoning, marks
from paper2code_local.errors import ModelError
from tests.engine.templates import DEEPSEEK_R1, EOS, FAMILIES, HARMONY, PHI3, QWEN2, QWEN3, QWEN3_THINKING, Family
from tests.tiny_models import train_tokenizer

WORDS = [
    "The",
    "paper",
    "says",
    "that",
    "x = 1\n\n",
    "Σ",
    "of",
    "it;",
    "def f(a):",
    "return a ",
    "",
    "</think>",
    "/no_think",
]


def write(folder: Path, begin: str = "") -> Path:
    marked = (word for family in FAMILIES.values() for word in (family.bos, EOS.get(family.bos, ""), *family.marks))
    train_tokenizer(tuple(dict.fromkeys(filter(None, marked))), begin, 400).save(str(folder / "tokenizer.json"))
    return folder / "tokenizer.json"


@pytest.fixture(scope="module")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def beginning_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tokenizer that begins every text with <s>."""
    return write(tmp_path_factory.mktemp("beginning"), "<s>")


@pytest.fixture(scope="module")
def plain(tokenizer_json: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_json))


def chat_of(family: Family, tokenizer_json: Path) -> ChatTokenizer:
    special = {"bos_token": family.bos, "eos_token": EOS.get(family.bos, "")}
    return ChatTokenizer(tokenizer_json, family.template, special, family.reasoning)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return FAMILIES[request.param]


@pytest.fixture(scope="module")
def chat(family: Family, tokenizer_json: Path) -> ChatTokenizer:
    return chat_of(family, tokenizer_json)


def said(plain: Tokenizer, tokens: list[int]) -> str:
    text: str = plain.decode(tokens, skip_special_tokens=False)
    return text


def test_each_family_is_spoken_to_in_its_own_way(family: Family, chat: ChatTokenizer, plain: Tokenizer) -> None:
    """The date in the text is ours, and a model that need not think does not."""
    assert said(plain, chat.encode("Be brief.", "Why?")) == family.text
    assert (chat.reasoning is not None) == family.thinks


def test_a_special_token_is_one_token(family: Family, chat: ChatTokenizer, plain: Tokenizer) -> None:
    found = [plain.id_to_token(token) for token in chat.encode("Be brief.", "Why?")]
    for mark in filter(None, (family.bos, *family.marks)):
        assert found.count(mark) == family.text.count(mark)


@settings(deadline=None, max_examples=12)
@given(paper=st.lists(st.sampled_from(WORDS), min_size=5).map(" ".join))
def test_what_questions_share_is_the_same_tokens(chat: ChatTokenizer, paper: str) -> None:
    """For every template: all of the shared text but a few tokens at its end, where words may be cut otherwise."""
    a, b = (chat.encode("You write code.", f"{paper}\n\n{tail}") for tail in ("Plan it.", "Write model.py, please."))
    same = next(i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y)
    assert same >= chat.count(f"You write code.\n\n{paper.strip()}") - 4


def test_no_text_is_lost(chat: ChatTokenizer, plain: Tokenizer) -> None:
    """Spaces around it may be."""
    text = '\n  First </think> line /no_think\n\n{{ x }} {% y %} [INST]\n    last & "line" <|im_end|>\' \n'
    heard = said(plain, chat.encode("You write code.", text))
    assert chat.data(text.strip()) in heard
    assert heard.count("last & ") == 1


@pytest.mark.parametrize(
    ("template", "begins"),
    [
        (PHI3.template, ["<s>"]),
        ("{{ bos_token }}" + PHI3.template, ["<s>"]),
        ("<s>" + PHI3.template, ["<s>"]),
    ],
)
def test_a_text_begins_once(beginning_json: Path, template: str, begins: list[str]) -> None:
    """Whether the template writes the first token or leaves it to the tokenizer."""
    chat, plain = (
        ChatTokenizer(beginning_json, template, {"bos_token": "<s>"}),
        Tokenizer.from_file(str(beginning_json)),
    )
    for tokens in (chat.encode("a", "b"), chat.encode("", "", "c")):
        assert [word for token in tokens if (word := plain.id_to_token(token)) == "<s>"] == begins
        assert plain.id_to_token(tokens[0]) == "<s>"
    assert chat.count("") == 0


def test_a_token_that_the_tokenizer_does_not_begin_with_is_not_added(tokenizer_json: Path, plain: Tokenizer) -> None:
    chat = ChatTokenizer(tokenizer_json, PHI3.template, {"bos_token": "<s>"})
    assert said(plain, chat.encode("Be brief.", "Why?")) == PHI3.text


@pytest.mark.parametrize("family", [QWEN3_THINKING, DEEPSEEK_R1, HARMONY])
@pytest.mark.parametrize("ended", [True, False])
def test_thoughts_are_followed_by_the_answer(
    tokenizer_json: Path, plain: Tokenizer, family: Family, ended: bool
) -> None:
    chat = chat_of(family, tokenizer_json)
    assert chat.reasoning is not None
    known = marks(chat.reasoning.parser)
    thoughts = said(plain, chat.encode("a", "b")) + "Hm." + (known.end if ended else "")
    whole = thoughts + said(plain, chat.after_thoughts(ended, "```python\n<|end|>"))
    assert whole.count(known.end) - said(plain, chat.encode("a", "b")).count(known.end) == 1
    assert re.search(r"Hm\.\s*" + re.escape(known.end), whole)
    assert whole.endswith(known.rest + chat.data("```python\n<|end|>"))


@pytest.mark.parametrize("parser", ["qwen3", "openai_gptoss"])
def test_without_a_budget_thoughts_are_written_empty(tokenizer_json: Path, plain: Tokenizer, parser: str) -> None:
    family = HARMONY if parser == "openai_gptoss" else QWEN2
    chat = ChatTokenizer(tokenizer_json, family.template, None, Reasoning(parser, budget=0))
    text = said(plain, chat.encode("Be brief.", "Why?", "```python"))
    assert text.endswith(marks(parser).open + marks(parser).close + "```python")


def test_the_templates_own_switch_comes_before_what_the_card_says(tokenizer_json: Path) -> None:
    assert ChatTokenizer(tokenizer_json, QWEN3.template, None, Reasoning("qwen3")).reasoning is None
    assert ChatTokenizer(tokenizer_json, QWEN2.template, None, Reasoning("qwen3")).reasoning == Reasoning("qwen3")
    assert ChatTokenizer(tokenizer_json, QWEN2.template, None, Reasoning("qwen3")).room > 2048
    assert ChatTokenizer(tokenizer_json, QWEN2.template).room == 0


def test_a_parser_that_nobody_knows_is_refused(tokenizer_json: Path) -> None:
    with pytest.raises(ModelError, match="telepathy"):
        ChatTokenizer(tokenizer_json, QWEN2.template, None, Reasoning("telepathy"))


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m.content[:12] }}{% endfor %}",
        "{% for m in messages %}{{ m.content.split('\n')[0] }}{% endfor %}",
        "{% for m in messages %}{{ m.content | truncate(99) }}{% endfor %}",
        "{% macro again(n) %}{{ again(n + 1) }}{% endmacro %}{{ again(0) }}",
    ],
)
def test_a_template_that_cuts_what_is_said_is_refused(tokenizer_json: Path, template: str) -> None:
    with pytest.raises(ModelError) as caught:
        ChatTokenizer(tokenizer_json, template)
    assert caught.value.code == "model.template"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("{'b': '<é>', 'a': [1]} | tojson", '{"b": "<é>", "a": [1]}'),
        ("{'a': 1} | tojson(indent=2)", '{\n  "a": 1\n}'),
        ("{'a': 'é'} | tojson(ensure_ascii=true, separators=(',', ':'))", '{"a":"\\u00e9"}'),
        ("strftime_now('%d %B %Y')", "01 January 2025"),
        ("(documents is none) and (tools is none) and builtin_tools is not defined", "True"),
    ],
)
def test_templates_have_what_they_are_written_for(
    tokenizer_json: Path, plain: Tokenizer, expression: str, text: str
) -> None:
    chat = ChatTokenizer(tokenizer_json, "{% for m in messages %}{{ m.content }}{% endfor %}{{ " + expression + " }}")
    assert said(plain, chat.encode("", "")) == text


@pytest.mark.engine
def test_the_tokens_are_those_of_the_models_own_library(family: Family, chat: ChatTokenizer, plain: Tokenizer) -> None:
    """As transformers renders the same conversation with the same switches on the same day."""
    from transformers import PreTrainedTokenizerFast

    special = {"bos_token": family.bos or None, "eos_token": EOS.get(family.bos)}
    theirs = PreTrainedTokenizerFast(tokenizer_object=plain, chat_template=family.template, **special)
    system, user = "Be brief.", "Why is x² > 0?\n\n    f(x)"
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    if family is FAMILIES["gemma 2"]:
        messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
    if family is FAMILIES["off by words"]:
        messages[0]["content"] += "\n\n/no_think"
    if family is FAMILIES["parts"]:
        messages = [{**m, "content": [{"type": "text", "text": m["content"]}]} for m in messages]
    given = OFF | {"reasoning_effort": "low", "strftime_now": TODAY.strftime}
    text = theirs.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **given)
    ours = chat.encode(system, user)
    opened = marks("openai_gptoss").open if family is HARMONY else ""
    assert ours == theirs.encode(text + opened, add_special_tokens=False)
