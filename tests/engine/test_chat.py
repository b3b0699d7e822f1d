"""Text is data: whatever it says, roles are told by the template alone; what requests share is the same tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from paper2code_local.engine.chat import WORD_JOINER, ChatTokenizer
from paper2code_local.errors import ModelError
from paper2code_local.modelstore.folder import ModelFolder
from paper2code_local.session import tokenizer_of

SPECIAL = ("<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]", "[/INST]", "<|im", "|>>", "§§", "<0x0A>")
SPACES = ("    ", "\n\n", "\t\t")
WITH_SYSTEM = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
DROPS_SYSTEM = (
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% endif %}"
)
DROPS_SYSTEM += "{% endfor %}"
REFUSES_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + DROPS_SYSTEM
)
TEMPLATES = {"with system": WITH_SYSTEM, "drops system": DROPS_SYSTEM, "refuses system": REFUSES_SYSTEM}
CORPUS = "The method averages the scores of many samples and calibrates them. def mean(values): return sum(values)"


@pytest.fixture(scope="session")
def tokenizer_json(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A byte-level tokenizer with role markers, markers that overlap, and runs of spaces."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator([CORPUS], trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL[:7]])
    tokenizer.add_tokens([AddedToken(t, special=False, normalized=False) for t in (*SPECIAL[7:], *SPACES)])
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tokenizer.save(str(path))
    return path


@pytest.fixture(scope="session", params=TEMPLATES)
def chat(tokenizer_json: Path, request: pytest.FixtureRequest) -> ChatTokenizer:
    return ChatTokenizer(tokenizer_json, TEMPLATES[request.param], {"bos_token": "<s>"})


@pytest.fixture(scope="session")
def plain(tokenizer_json: Path) -> Tokenizer:
    return Tokenizer.from_file(str(tokenizer_json))


def markers(tokenizer: Tokenizer, tokens: list[int]) -> list[str]:
    """Return the special tokens among `tokens`, in order."""
    return [word for token in tokens if (word := tokenizer.id_to_token(token)) in SPECIAL]


pieces = st.sampled_from([*SPECIAL, *(s[:n] for s in SPECIAL for n in (1, 2, -1)), *"<|>[]/s ", WORD_JOINER, "\n"])
hostile = st.lists(st.one_of(pieces, st.text(max_size=4)), max_size=8).map("".join)


@settings(deadline=None)
@given(system=hostile, user=hostile, prefill=hostile)
@example(system="<<|im_start|>", user="<|im_<|im_end|>end|>", prefill="<<|")
@example(system="<|", user="|>>", prefill="<")
def test_no_text_speaks_as_another_role(
    chat: ChatTokenizer, plain: Tokenizer, system: str, user: str, prefill: str
) -> None:
    assert markers(plain, chat.encode(system, user, prefill)) == markers(plain, chat.encode("a", "b", "c"))


@settings(deadline=None)
@given(text=hostile)
def test_data_changes_nothing_but_what_must_be_broken_up(chat: ChatTokenizer, text: str) -> None:
    data = chat.data(text)
    assert data.replace(WORD_JOINER, "") == text.replace(WORD_JOINER, "")
    assert chat.data(data) == data
    assert (data == text) == (not any(token in text for token in SPECIAL))
    assert chat.count(text) == chat.count(data) > 0 or not text


@pytest.mark.parametrize("spaces", SPACES)
def test_runs_of_spaces_are_no_role(chat: ChatTokenizer, spaces: str) -> None:
    assert chat.data(f"if x:{spaces}pass") == f"if x:{spaces}pass"


def test_the_break_stands_after_the_second_character(chat: ChatTokenizer) -> None:
    assert chat.data("a <|im_end|> b §§ c") == f"a <|{WORD_JOINER}im_end|> b §{WORD_JOINER}§ c"


def test_what_the_system_says_is_heard_once(chat: ChatTokenizer, plain: Tokenizer) -> None:
    text = plain.decode(chat.encode("Be brief.", "Why?", "Because"), skip_special_tokens=False)
    assert text.count("Be brief.") == text.count("Why?") == 1
    assert text.index("Be brief.") < text.index("Why?") < text.index("Because")
    assert text.endswith("Because")


def test_without_a_system_role_the_user_says_it(tokenizer_json: Path, plain: Tokenizer) -> None:
    for template in (DROPS_SYSTEM, REFUSES_SYSTEM):
        chat = ChatTokenizer(tokenizer_json, template, {"bos_token": "<s>"})
        text = plain.decode(chat.encode("Be brief.", "Why?"), skip_special_tokens=False)
        assert text == "<s>[INST] Be brief.\n\nWhy? [/INST]"


words = st.lists(st.sampled_from([*CORPUS.split(), "\n", "x=1", "Σ", "<|im_end|>"]), min_size=1).map(" ".join)


@settings(deadline=None)
@given(prefix=words, first=words, second=words)
def test_requests_that_share_a_text_share_its_tokens(chat: ChatTokenizer, prefix: str, first: str, second: str) -> None:
    """All but a few tokens before the texts part: the last word may be cut otherwise."""
    a, b = (chat.encode("You write code.", f"{prefix}\n\n{tail}") for tail in (first, second))
    whole = len(chat.encode("You write code.", prefix)) - len(chat.encode("", ""))
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    assert same >= whole - 4


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}",
        "{{ messages | nothing }}",
        "{{ raise_exception('never') }}",
        "{{ messages[7].content.x }}",
        "{{ 1 / 0 }}",
        "{{ messages + 1 }}",
        "{{ messages[0].__class__.__mro__[1] }}{{ ''.__class__.__subclasses__() }}",
        "{% for i in range(10000000) %}{{ i }}{% endfor %}",
        "{% include 'other.jinja' %}",
        "a constant",
        "",
        "{% for m in messages %}{{ m.role }}{% endfor %}",
    ],
)
def test_a_template_that_cannot_be_used_is_refused(tokenizer_json: Path, template: str) -> None:
    with pytest.raises(ModelError) as caught:
        ChatTokenizer(tokenizer_json, template)
    assert caught.value.code == "model.template"


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
        "{% for m in messages %}{% if m.tool_calls %}x{% endif %}{{ m.content }}{% endfor %}",
        "{% if tools %}x{% endif %}{{ strftime_now('%d') }}{% for m in messages %}{{ m.content | trim }}{% endfor %}",
        "{% for m in messages %}{% if loop.index > 9 %}{% break %}{% endif %}{{ m | tojson }}{% endfor %}",
    ],
)
def test_what_published_templates_do_is_understood(tokenizer_json: Path, template: str) -> None:
    assert ChatTokenizer(tokenizer_json, template).encode("a", "b")


@pytest.mark.parametrize("content", ["", "{}", "[]", "\x00", '{"model": {"type": "BPE"}}'])
def test_a_tokenizer_that_cannot_be_read_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(ModelError) as caught:
        ChatTokenizer(tmp_path / "tokenizer.json", WITH_SYSTEM)
    assert caught.value.code == "model.tokenizer"
    with pytest.raises(ModelError):
        ChatTokenizer(tmp_path / "absent.json", WITH_SYSTEM)


@pytest.mark.engine
def test_the_models_own_tokens_and_template(small_model: ModelFolder, tiny_model: ModelFolder) -> None:
    """As their library renders and encodes the same conversation."""
    from transformers import AutoTokenizer

    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is x² > 0?"}]
    for folder in (small_model, tiny_model):
        theirs = AutoTokenizer.from_pretrained(folder.path)
        rendered = theirs.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        tokens = theirs.encode(rendered, add_special_tokens=False)
        chat = tokenizer_of(folder)
        assert chat.encode("Be brief.", "Why is x² > 0?") == tokens
        hostile = "".join(theirs.all_special_tokens) + "".join(
            token.content for token in theirs.added_tokens_decoder.values()
        )
        found = chat.encode("Be brief.", hostile)
        assert sum(token in theirs.added_tokens_decoder for token in found) == sum(
            token in theirs.added_tokens_decoder for token in tokens
        )
