"""What happens to an answer that cannot be used, and to a prompt that does not fit."""

from __future__ import annotations

import json
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from pydantic import Field

from paper2code_local.artifacts.answers import Answer
from paper2code_local.asking import (
    CONTINUATIONS,
    NOT_GIVEN,
    QUOTED_TOKENS,
    Passage,
    Prompt,
    Question,
    Refusal,
    Unanswered,
    echo,
    render,
    schema_of,
    smaller,
)
from paper2code_local.engine.protocol import Request
from tests.engines import Answering, Said, Words, asker, in_turn


class Steps(Answer):
    steps: Annotated[list[Annotated[str, Field(max_length=80)]], Field(min_length=1, max_length=6)]


GOOD = '{"steps": ["mix", "train"]}'
ASKED = Prompt("Name the steps. Answer as JSON: steps.", "Name the steps. Answer as JSON: steps.")


def question(**changes: object) -> Question[Steps]:
    return Question(**{"label": "plan.x", "prompt": ASKED, "answer": Steps, "max_tokens": 50} | changes)  # type: ignore[arg-type]


def passage(**changes: object) -> Passage:
    fields = {
        "label": "code.x",
        "tails": ("Write it.",),
        "opening": "def f():\n",
        "stop": ("\n```",),
        "max_tokens": 50,
        "refuse": lambda _: None,
    }
    return Passage(**fields | changes)  # type: ignore[arg-type]


async def test_a_good_answer_is_asked_for_once() -> None:
    engine = Answering(in_turn(GOOD))
    answer = await asker(engine).knowing("  The paper. ").ask(question())
    assert isinstance(answer, Steps)
    assert answer.steps == ["mix", "train"]
    (asked,) = engine.asked
    assert asked.user == "The paper.\n\nName the steps. Answer as JSON: steps."
    assert (asked.system, asked.label, asked.max_tokens, asked.prefill) == ("You build.", "plan.x", 50, "")
    assert asked.answer_schema == schema_of(Steps)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ('{"steps": []}', "steps: "),
        ('{"steps": ["a"], "more": 1}', "more: "),
        ('{"steps": "a"}', "steps: "),
        ("[]", "the answer: "),
        ("Sure! Here it is.", "the answer: "),
    ],
)
async def test_an_invalid_answer_is_asked_again_with_the_reason_and_itself(bad: str, reason: str) -> None:
    told: list[tuple[str, str]] = []
    engine = Answering(in_turn(bad, GOOD))
    answer = await asker(engine, told=lambda label, why: told.append((label, why))).ask(question())
    assert isinstance(answer, Steps)
    first, second = engine.asked
    assert second.label == "plan.x~2"
    assert f"refused: {reason}" in second.user
    assert bad in second.user
    assert second.user.startswith(first.user)
    assert second.answer_schema == first.answer_schema
    assert [label for label, _ in told] == ["plan.x"]


@pytest.mark.parametrize("useless", ["", "  \n", ('{"steps": ["mi', "length"), (GOOD, "length"), "the the " * 40])
async def test_an_empty_cut_or_repeating_answer_is_asked_again_without_it_and_smaller(useless: Said) -> None:
    engine = Answering(in_turn(useless, GOOD))
    assert isinstance(await asker(engine).ask(question()), Steps)
    first, second = engine.asked
    assert second.user == first.user
    assert second.seed != first.seed
    assert second.sampling.temperature > first.sampling.temperature
    assert second.answer_schema == smaller(schema_of(Steps))


async def test_what_the_question_refuses_is_told_in_its_words() -> None:
    engine = Answering(in_turn(GOOD, '{"steps": ["fit"]}'))
    answer = await asker(engine).ask(question(refuse=lambda a: "no mixing" if "mix" in a.steps else None))
    assert isinstance(answer, Steps)
    assert answer.steps == ["fit"]
    assert "refused: no mixing\n" in engine.asked[1].user


WORDING = "Say what the method does in one or two sentences with its own names."


async def test_an_answer_that_repeats_the_question_is_asked_again_without_it() -> None:
    said = json.dumps({"steps": [WORDING.lower()]})
    engine = Answering(in_turn(said, GOOD))
    assert isinstance(await asker(engine).ask(question(prompt=Prompt(WORDING, WORDING))), Steps)
    assert WORDING.lower() not in engine.asked[1].user
    assert engine.asked[1].seed != engine.asked[0].seed


async def test_when_every_answer_repeats_the_question_the_rest_of_the_last_is_used() -> None:
    said = json.dumps({"steps": ["mix", WORDING.lower()]})
    answer = await asker(Answering(in_turn(said, said, said))).ask(question(prompt=Prompt(WORDING, WORDING)))
    assert isinstance(answer, Steps)
    assert answer.steps == ["mix", NOT_GIVEN]


@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_attempts_are_bounded_and_end_as_a_value(attempts: int) -> None:
    engine = Answering(in_turn("", "[]"))
    answer = await asker(engine, attempts=attempts).ask(question())
    assert isinstance(answer, Unanswered)
    assert (answer.label, len(engine.asked)) == ("plan.x", attempts)
    assert answer.reason == ("the answer is empty" if attempts == 1 else answer.reason)
    assert len({request.seed for request in engine.asked}) == attempts


async def test_the_quotation_of_a_long_answer_is_short() -> None:
    long = json.dumps({"steps": [f"w{i} {i * i}" for i in range(3000)]})
    engine = Answering(in_turn(long, GOOD))
    await asker(engine).ask(question())
    first, second = engine.asked
    assert Words().count(second.user) - Words().count(first.user) <= QUOTED_TOKENS + 60


def seeds(run: int, label: str) -> Request:
    from asyncio import run as wait

    engine = Answering(in_turn(GOOD))
    wait(asker(engine, seed=run).ask(question(label=label)))
    return engine.asked[0]


def test_the_seed_derives_from_run_and_label_alone() -> None:
    assert seeds(1, "a") == seeds(1, "a")
    assert len({seeds(1, "a").seed, seeds(2, "a").seed, seeds(1, "b").seed}) == 3
    assert 0 <= seeds(1, "a").seed < 2**32


# -- passages ----------------------------------------------------------------------------------------------------------


async def test_a_passage_continues_its_opening() -> None:
    engine = Answering(in_turn("    return 1\n"))
    assert await asker(engine).write(passage()) == "    return 1\n"
    (asked,) = engine.asked
    assert (asked.prefill, asked.stop, asked.answer_schema) == ("def f():\n", ("\n```",), None)
    assert "def f()" not in asked.user


async def test_an_engine_that_cannot_begin_for_the_model_asks_for_the_beginning() -> None:
    engine = Answering(in_turn("    return 1\n"), can_prefill=False)
    await asker(engine).write(passage())
    assert engine.asked[0].prefill == ""
    assert engine.asked[0].user.endswith("Begin with exactly these lines:\n\ndef f():\n")


async def test_a_passage_that_was_cut_is_continued_where_it_ended() -> None:
    engine = Answering(in_turn(("    a = ", "length"), ("1\n    return", "length"), " a\n"))
    assert await asker(engine).write(passage()) == "    a = 1\n    return a\n"
    assert engine.labels() == ["code.x", "code.x+1", "code.x+2"]
    assert engine.asked[2].prefill == "def f():\n    a = 1\n    return"


async def test_continuing_is_bounded_and_then_asked_again_from_the_start() -> None:
    count = iter(range(10_000))
    engine = Answering(lambda request: ("".join(f"x{next(count)} " for _ in range(40)), "length"))
    written = await asker(engine, attempts=2).write(passage())
    assert isinstance(written, Unanswered)
    assert "cut" in written.reason
    assert len(engine.asked) == 2 * (CONTINUATIONS + 1)
    assert engine.labels()[CONTINUATIONS + 1] == "code.x~2"
    assert engine.asked[CONTINUATIONS + 1].prefill == "def f():\n"


async def test_what_repeats_itself_is_not_continued() -> None:
    engine = Answering(in_turn(("the the " * 60, "length"), "    return 1\n"))
    assert await asker(engine).write(passage()) == "    return 1\n"
    assert engine.labels() == ["code.x", "code.x~2"]


async def test_what_went_in_circles_is_left_over_for_who_can_use_its_beginning() -> None:
    circles = "    x = 1\n" + "    x = x + 1  # once more, and then again\n" * 20
    engine = Answering(in_turn(circles, (circles[:300], "stop"), ""))
    answer = await asker(engine).write(passage())
    assert isinstance(answer, Unanswered)
    assert answer.leftover == circles


async def test_a_refused_passage_is_shown_with_the_reason() -> None:
    engine = Answering(in_turn("    pass\n", "    return 1\n"))
    refuse = lambda written: Refusal("its body is pass") if "pass" in written else None  # noqa: E731
    assert await asker(engine).write(passage(refuse=refuse)) == "    return 1\n"
    assert "refused: its body is pass\nIt was:\n    pass" in engine.asked[1].user


async def test_what_should_not_be_written_is_avoided_when_asked_again_and_not_shown() -> None:
    engine = Answering(in_turn("    pass\n", "    return 1\n"))
    refuse = lambda written: Refusal("its body is pass") if "pass" in written else None  # noqa: E731
    assert await asker(engine).write(passage(refuse=refuse, avoid_again=("pass",))) == "    return 1\n"
    assert [request.avoid for request in engine.asked] == [(), ("pass",)]
    assert "refused" not in engine.asked[1].user


async def test_what_a_refusal_names_is_avoided_from_then_on_and_the_answer_is_shown_with_the_reason() -> None:
    engine = Answering(in_turn("    return lodaer\n", "    return looder\n", "    return 1\n"))

    def refuse(written: str) -> Refusal | None:
        name = written.split()[1]
        return None if name == "1" else Refusal(f"{name} is defined nowhere", (name,))

    assert await asker(engine).write(passage(refuse=refuse, avoid=("eval",))) == "    return 1\n"
    assert [request.avoid for request in engine.asked] == [
        ("eval",),
        ("eval", "lodaer"),
        ("eval", "lodaer", "looder"),
    ]
    assert "refused: lodaer is defined nowhere\nIt was:\n    return lodaer" in engine.asked[1].user


class Settings(Answer):
    settings: Annotated[list[Annotated[str, Field(pattern="^[a-z ]{1,80}$")]], Field(min_length=1)]


async def test_where_nothing_may_stand_for_a_repetition_the_item_is_left_out() -> None:
    wording = "say what the settings of the experiment are and where it says so"
    asked = Prompt(wording, wording)
    answers = {}
    for kept in (["rate"], []):
        engine = Answering(in_turn(*[json.dumps({"settings": [wording, *kept]})] * 3))
        answers[len(kept)] = await asker(engine).ask(question(prompt=asked, answer=Settings))
        assert len(engine.asked) == 3
    assert answers[1] == Settings(settings=["rate"])
    assert isinstance(answers[0], Unanswered)
    assert "repeats the question" in answers[0].reason


# -- fitting -----------------------------------------------------------------------------------------------------------


async def test_the_fullest_tail_that_fits_is_asked() -> None:
    tails = ("long " * 300 + "end.", "middling " * 100 + "end.", "short.")
    for context, begins in ((800, "long"), (300, "middling"), (140, "short")):
        engine = Answering(in_turn("    return 1\n"))
        await asker(engine, context=context).write(passage(tails=tails))
        assert engine.asked[0].user.startswith(begins)


async def test_what_does_not_fit_at_all_is_unanswered_and_never_sent() -> None:
    engine = Answering(in_turn(GOOD))
    for answer in (
        await asker(engine, context=100).ask(question()),
        await asker(engine, context=100).write(passage()),
        await asker(engine, context=1000).knowing("word " * 2000).ask(question()),
    ):
        assert isinstance(answer, Unanswered)
        assert "does not fit" in answer.reason
    assert not engine.asked


@given(
    st.integers(90, 700),
    st.lists(st.integers(1, 600), min_size=1, max_size=3),
    st.integers(0, 120),
    st.booleans(),
)
def test_no_request_is_longer_than_the_context(context: int, sizes: list[int], shared: int, prefill: bool) -> None:
    from asyncio import run

    words = Words()
    engine = Answering(in_turn("    pass and so on\n", "    return 1\n"), can_prefill=prefill)
    tails = tuple("word " * size for size in sizes)
    refuse = lambda written: Refusal("no") if "pass" in written else None  # noqa: E731
    run(asker(engine, context=context).knowing("paper " * shared).write(passage(tails=tails, refuse=refuse)))
    for asked in engine.asked:
        assert words.count(asked.system + asked.user + asked.prefill) + asked.max_tokens <= context


# -- the parts ---------------------------------------------------------------------------------------------------------


def test_an_echo_needs_length_and_overlap() -> None:
    wording = "List the settings of the experiment for the configuration: sizes, numbers of steps, names of data sets."
    assert echo({"a": [1, {"b": wording}]}, wording) == wording
    assert echo("numbers of steps", wording) == ""
    assert echo("The batch size is 32 and the numbers of steps is five hundred for every data set", wording) == ""
    assert echo(None, wording) == ""


def test_a_smaller_schema_halves_bounds_down_to_their_floor() -> None:
    schema = schema_of(Steps)
    half = smaller(schema)
    steps = half["properties"]["steps"]  # type: ignore[index, call-overload]
    assert (steps["maxItems"], steps["minItems"], steps["items"]["maxLength"]) == (3, 1, 40)  # type: ignore[index, call-overload]
    for _ in range(9):
        half = smaller(half)
    assert half["properties"]["steps"]["maxItems"] == 1  # type: ignore[index, call-overload]
    assert schema == schema_of(Steps), "the schema that is kept is not changed"


def test_a_template_is_rendered_once_and_strictly() -> None:
    rendered = render("paper2code_local.stages.s2_plan", "logic.md", path="{{ x }}", purpose="{% y %}")
    assert "Look at {{ x }}: {% y %}" in rendered
    with pytest.raises(UndefinedError):
        render("paper2code_local.stages.s2_plan", "logic.md", path="a.py")


async def test_an_asker_that_goes_on_after_attempts_asks_once_and_as_warm_and_other_answers_warmer() -> None:
    whole = Answering(lambda _request: "")
    await asker(whole).ask(question())
    warmer = [request.sampling.temperature for request in whole.asked]
    warmer += warmer[-1:] * 3
    for attempts in range(4):
        for sample in range(3):
            engine = Answering(lambda _request: "")
            assert isinstance(await asker(engine).once(attempts, sample).ask(question()), Unanswered)
            (request,) = engine.asked
            assert request.sampling.temperature == warmer[attempts + sample]
            assert request.label == ("plan.x", "plan.x#2", "plan.x#3")[sample]
