"""What differs between OpenAI-compatible servers, as data: `Server`; and requests in each dialect.

In: a `Server` and a `Request`. Out: the path and the body to send. Sends nothing. Which dialect a server speaks is
found out by `discovery`, by asking; no server is known by name.
"""

from __future__ import annotations

import json
import re
from typing import Any, Literal, get_args

from pydantic import JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.engine.avoiding import spellings
from paper2code_local.engine.chat import WORD_JOINER
from paper2code_local.engine.protocol import Request
from paper2code_local.engine.vllm import constraints

SchemaDialect = Literal["json_schema", "structured_outputs", "guided_json", "json_object", "bare", "words"]
"""How a JSON schema is given: OpenAI's response_format, vLLM's two fields (new, old), llama.cpp's two, or in words."""
SCHEMA_DIALECTS: tuple[SchemaDialect, ...] = get_args(SchemaDialect)
PrefillDialect = Literal["last_message", "continue_final_message", "none"]
"""How a chat is told to go on with its last message: it does so unasked, by vLLM's and SGLang's flag, or not at all."""
PREFILL_DIALECTS: tuple[PrefillDialect, ...] = get_args(PrefillDialect)
MOST_STOPS = 4
"""OpenAI's bound on stop strings, which vLLM 0.32 holds; the engine looks for the others itself."""
FOR_TOP_K = 0.95
"""The top_p for servers that may not know top_k."""
SPECIAL = re.compile(
    r"<[|｜][^<>\s]{1,60}[|｜]>|\[/?[A-Z][A-Z_]{2,30}\]|<</?SYS>>|</?s>|</?think>|<(?:bos|eos|pad|unk|sop|eop)>"
    r"|<(?:start|end)_of_\w{1,20}>|\[g?MASK\]"
)
"""Forms of special tokens in the tokenizers of open models, for servers whose own we cannot see."""
PIECE = re.compile(r"[A-Za-z]{1,7}|\d|[^\x00-\x7f]|[^\w\s]|_|\n+")
"""About what a tokenizer of today makes one token of: over papers they make 1.0 to 1.2 for each (SmolLM2, Qwen2.5)."""
TOKENS_PER_PIECE = 1.3
"""Where the server counts for nobody: above what was measured, as a prompt that is too long is refused."""


class Server(Frozen):
    """What was found out about a server: run.json keeps it, so that a finished run replays with no server."""

    url: str
    model: str
    """What the server calls it."""
    identity: str
    """sha256 of what the server says about its weights; where it answers is no part of it."""
    context: int
    """In tokens."""
    tokens: bool
    """Prompts go as token ids, by the model's own tokenizer and template, to /completions; else as a chat."""
    schema_as: SchemaDialect = "words"
    prefill_as: PrefillDialect = "none"
    extended: bool = False
    """Takes the fields that vLLM adds to OpenAI's."""
    system: bool = True
    """The template has a system role."""
    tokens_per_piece: float = TOKENS_PER_PIECE
    counted: bool = False
    """The server counted for the estimate of `tokens_per_piece`."""
    tokenizer: str = ""
    """The folder of the model's own tokenizer, where the user has it."""

    @property
    def can_prefill(self) -> bool:
        return self.tokens or self.prefill_as != "none"


class EstimatingTokenizer:
    """Counts about as a server's tokenizer does, a little above. Satisfies `Tokenizer`.

    The server itself is not asked for each text: prompts are fitted by counting, and must come out the same when a run
    is replayed with no server.
    """

    def __init__(self, tokens_per_piece: float) -> None:
        self._tokens_per_piece = tokens_per_piece

    def count(self, text: str) -> int:
        """Return about the number of tokens of `text`."""
        return int(pieces(text) * self._tokens_per_piece) + 1


def pieces(text: str) -> int:
    """Return the number of pieces in `text`."""
    return sum(1 for _ in PIECE.finditer(text))


def plain(text: str) -> str:
    """Return `text` with everything that looks like a special token broken up: a paper is data."""
    while SPECIAL.search(text):  # a break may complete another form
        text = SPECIAL.sub(lambda found: f"{found.group()[:2]}{WORD_JOINER}{found.group()[2:]}", text)
    return text


def in_tokens(server: Server, request: Request, tokens: list[int]) -> tuple[str, dict[str, Any]]:
    """Return path and body of a completion that continues `tokens`, which hold the prefill."""
    return "/completions", {"prompt": tokens} | _drawing(server, request)


def as_chat(server: Server, request: Request) -> tuple[str, dict[str, Any]]:
    """Return path and body of a chat."""
    system, user, opening = plain(request.system), plain(request.user), plain(request.prefill)
    if request.answer_schema is not None and server.schema_as == "words":
        user += (
            f"\n\nAnswer with one JSON object and nothing else. It looks like this:\n{sketch(request.answer_schema)}"
        )
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    if not server.system:
        messages = [{"role": "user", "content": f"{system}\n\n{user}"}]
    more: dict[str, Any] = {"chat_template_kwargs": {"enable_thinking": False}} if server.extended else {}
    if opening:
        messages.append({"role": "assistant", "content": opening})
        if server.prefill_as == "continue_final_message":
            more |= {"continue_final_message": True, "add_generation_prompt": False}
    return "/chat/completions", {"messages": messages} | _drawing(server, request) | more


def _drawing(server: Server, request: Request) -> dict[str, Any]:
    """Return the fields that both kinds of request share."""
    top_p = request.sampling.top_p
    if request.sampling.top_k and not server.extended:
        top_p = min(top_p, FOR_TOP_K)
    body: dict[str, Any] = {
        "model": server.model,
        "max_tokens": request.max_tokens,
        "temperature": request.sampling.temperature,
        "top_p": top_p,
        "seed": request.seed,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if request.stop:
        body["stop"] = list(request.stop[:MOST_STOPS])
    if server.extended and request.avoid:
        body["bad_words"] = spellings(request.avoid)
    if server.extended and request.sampling.top_k:
        body["top_k"] = request.sampling.top_k
    if server.extended and request.sampling.repetition_penalty != 1:
        body["repetition_penalty"] = request.sampling.repetition_penalty
    if request.answer_schema is not None:
        body |= _constrained(server.schema_as, constraints(request.answer_schema))
    return body


def _constrained(dialect: SchemaDialect, schema: dict[str, Any]) -> dict[str, Any]:
    match dialect:
        case "json_schema":
            told = {"name": "answer", "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": told}}
        case "structured_outputs":
            return {"structured_outputs": {"json": schema}}
        case "guided_json":
            return {"guided_json": schema}
        case "json_object":
            return {"response_format": {"type": "json_object", "schema": schema}}
        case "bare":
            return {"json_schema": schema}
        case "words":
            return {}


def sketch(schema: dict[str, JsonValue]) -> str:
    """Return a schema as a model reads it best: the JSON with a description in place of each value."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)

    def drawn(node: JsonValue) -> str:
        assert isinstance(node, dict)
        match node:
            case {"$ref": str(ref)}:
                return drawn(definitions[ref.rsplit("/", 1)[1]])
            case {"const": value}:
                return json.dumps(value)
            case {"enum": list(values)}:
                return " | ".join(json.dumps(value, ensure_ascii=False) for value in values)
            case {"anyOf": list(ways)}:
                return " | ".join(map(drawn, ways))
            case {"type": "object"}:
                fields = node.get("properties", {})
                assert isinstance(fields, dict)
                return "{" + ", ".join(f'"{name}": {drawn(part)}' for name, part in fields.items()) + "}"
            case {"type": "array"}:
                most = f", at most {node['maxItems']}" if "maxItems" in node else ""
                return f"[{drawn(node.get('items', {}))}, ...{most}]"
            case {"type": "string"}:
                bound = f" of at most {node['maxLength']} characters" if "maxLength" in node else ""
                form = f" that matches {node['pattern']}" if "pattern" in node else ""
                return f"<text{bound}{form}>"
            case {"type": str(kind)}:
                return f"<{kind}>"
        return "<anything>"

    return drawn(schema)
