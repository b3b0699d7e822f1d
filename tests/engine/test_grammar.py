"""Every schema of ours goes through the pinned grammar backend: it compiles, allows what it should, and has an end."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from paper2code_local.asking import smaller
from paper2code_local.engine.protocol import Engine, Request
from paper2code_local.engine.scripted import ScriptedEngine
from paper2code_local.modelstore.folder import ModelFolder
from tests.engine.longest import LongestEngine, ask_everything

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def said() -> list[tuple[Request, str]]:
    """Every question with its longest answer, one for each schema."""
    engine = LongestEngine()
    asyncio.run(ask_everything(engine, ScriptedEngine(), 1.0))
    return list({json.dumps(request.answer_schema): (request, text) for request, text in engine.said}.values())


class Grammars:
    """The backend that `vllm.GRAMMAR` names, with the tokens of a model, as the engine uses it."""

    def __init__(self, folder: ModelFolder) -> None:
        import llguidance

        self._tokenizer = llguidance.LLTokenizer(folder.tokenizer.read_text("utf-8"))

    def allows(self, schema: dict[str, Any], text: str) -> bool:
        """Tell whether `text` is a whole answer; the schema must compile."""
        import llguidance
        from vllm.v1.structured_output.backend_guidance import serialize_guidance_grammar
        from vllm.v1.structured_output.backend_types import StructuredOutputOptions

        from paper2code_local.engine.vllm import GRAMMAR, constraints

        assert GRAMMAR["backend"] == "guidance"
        grammar = serialize_guidance_grammar(
            StructuredOutputOptions.JSON, constraints(schema), bool(GRAMMAR["disable_any_whitespace"])
        )
        matcher = llguidance.LLMatcher(self._tokenizer, grammar)
        assert not matcher.get_error()
        tokens = self._tokenizer.tokenize_str(text)
        accepted: int = matcher.validate_tokens(tokens)
        return accepted == len(tokens) and matcher.consume_tokens(tokens) and matcher.is_accepting()


@pytest.fixture(scope="module")
def grammars(small_model: ModelFolder) -> Grammars:
    return Grammars(small_model)


def test_each_schema_compiles_and_allows_its_longest_answer(
    grammars: Grammars, said: list[tuple[Request, str]]
) -> None:
    refused = [request.label for request, text in said if not grammars.allows(request.answer_schema or {}, text)]
    assert not refused


def test_each_schema_ends_where_its_bounds_say(grammars: Grammars, said: list[tuple[Request, str]]) -> None:
    """The smaller question refuses the longest answer: counts and lengths are really held by the grammar."""
    for request, text in said:
        less = smaller(request.answer_schema or {})
        assert less == request.answer_schema or not grammars.allows(less, text), request.label


@pytest.mark.parametrize("bound", [4, 12])
def test_a_pattern_and_a_length_are_both_held(grammars: Grammars, bound: int) -> None:
    schema = {"type": "string", "pattern": "^[a-z]{2,30}$", "maxLength": bound}
    assert grammars.allows(schema, json.dumps("a" * bound))
    assert not grammars.allows(schema, json.dumps("a" * (bound + 1)))
    assert not grammars.allows(schema, json.dumps("A" * bound))


@pytest.mark.asyncio(loop_scope="session")
async def test_the_engine_takes_each_schema(real_engine: Engine, said: list[tuple[Request, str]]) -> None:
    """What comes back begins as JSON of that type begins; where the limit cut it, it was not yet whole."""
    asked = [
        request.model_copy(update={"user": "Answer as JSON, in few words.", "max_tokens": 24}) for request, _ in said
    ]
    completions = await asyncio.gather(*map(real_engine.complete, asked))
    for request, completion in zip(asked, completions, strict=True):
        properties = (request.answer_schema or {})["properties"]
        assert isinstance(properties, dict)
        assert completion.text.startswith(f'{{"{next(iter(properties))}":'), request.label
