"""A workload that is the same every time: papers, a plan of 8 files in levels 3-3-1-1, answers, and their lengths.

In: a tokenizer, a seed. Out: papers in Markdown; an engine whose answers are ours while a real model writes as many
tokens as it is told; which request waits for which. Must not know how requests are scheduled: that is measured.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paper2code_local.engine.protocol import Completion, Engine, Request
from paper2code_local.engine.scripted import ScriptedEngine

EXAMPLE = Path(__file__).parent.parent / "examples" / "annealed_mixup.md"
SCALE = 1.4
"""Answer scale at which seven files beside main.py may be planned."""
LEVELS = (("data.py", "layers.py", "losses.py"), ("model.py", "sampling.py", "metrics.py"), ("training.py",))
"""main.py is the fourth."""
NEEDS = {path: before for before, level in zip(((), *LEVELS), LEVELS, strict=False) for path in level}
LENGTHS = {
    "plan.overview": 150,
    "plan.files": 110,
    "plan.needs": 10,
    "plan.names": 40,
    "plan.interface": 300,
    "plan.relations": 20,
    "plan.logic": 50,
    "plan.config": 120,
    "plan.calls": 200,
    "analyse": 300,
    "code": 80,
}
"""Tokens of an answer by the beginning of its label: what the 0.5B wrote on real papers (November 2026), rounded."""
TOKENS = 7_400
"""What all answers about a paper have together at their full length."""


def length(label: str, share: float) -> int:
    """Return how many tokens the answer to a request has; `share` shortens all of them alike."""
    return max(2, round(share * next(n for start, n in LENGTHS.items() if label.startswith(start))))


def paper(tokens: int, seed: int, count: Callable[[str], int]) -> str:
    """Return a paper of about so many tokens, in Markdown: sentences of the example in another order, numbered."""
    chance = random.Random(seed)
    sentences = [s for s in re.split(r"(?<=\.)\s+", EXAMPLE.read_text("utf-8")) if s[:1].isalpha() and "|" not in s]
    lines = [f"# Study {seed} of annealed mixing", "## Abstract", " ".join(chance.sample(sentences, 4))]
    section = 0
    while count("\n\n".join(lines)) < tokens - 60:
        if len(lines) % 6 == 3:
            section += 1
            lines.append(f"## {section} Part {chance.randrange(10**6)}")
        lines.append(f"Case {chance.randrange(10**6)}: " + " ".join(chance.sample(sentences, 3)))
    return "\n\n".join(lines) + "\n"


class Canned:
    """Satisfies `Engine`: what comes back is the fixed plan, whatever the model inside wrote."""

    def __init__(self, engine: Engine, needs: Mapping[str, Sequence[str]] = NEEDS) -> None:
        """Answer with files that need what `needs` says, in its order."""
        self._engine, self._answers, self._needs = engine, ScriptedEngine(), needs
        self.model, self.can_prefill = engine.model, True

    async def complete(self, request: Request) -> Completion:
        """Let the engine work, and answer with ours."""
        written = await self._engine.complete(request)
        text = _planned(request.label, self._needs) or (await self._answers.complete(request)).text
        return written.model_copy(update={"text": text, "finish": "stop"})

    async def close(self) -> None:
        """Leave the engine to whoever started it."""


def _planned(label: str, needs: Mapping[str, Sequence[str]]) -> str | None:
    """Return the answer to a question that decides which files there are; None for any other one."""
    files = list(needs)
    if label == "plan.files":
        return json.dumps({"files": [{"path": path, "purpose": f"Holds the {path[:-3]}."} for path in files]})
    if label == "plan.names":
        return json.dumps({path: [path[:-3].title(), f"make_{path[:-3]}"] for path in files})
    if label.startswith("plan.needs."):
        path = label.removeprefix("plan.needs.")
        return json.dumps({earlier: earlier in needs[path] for earlier in files[: files.index(path)]})
    return None


@dataclass
class Sent:
    """A request as the model got it."""

    label: str
    prompt: list[int]
    began: float
    ended: float = 0.0
    first: float = 0.0
    """When its first token was there."""
    cached: int = 0
    tokens: int = 0


class FixedLength:
    """Stands between our engine and vLLM: every answer has its length, whatever the model says. Keeps what it saw."""

    def __init__(self, llm: Any, share: float) -> None:
        self._llm, self._share = llm, share
        self.sent: list[Sent] = []

    async def generate(
        self, prompt: dict[str, list[int]], _sampling: Any, request_id: str, data_parallel_rank: int | None = None
    ) -> AsyncIterator[Any]:
        """Generate like vLLM; the text is left out, so that nobody ends it early."""
        label = request_id.partition(":")[2]
        assert data_parallel_rank is None, "one copy of the engine is measured"
        sent = Sent(label, prompt["prompt_token_ids"], time.monotonic())
        self.sent.append(sent)
        async for output in exactly(self._llm, sent.prompt, length(label, self._share), request_id):
            sent.first = sent.first or time.monotonic()
            sent.cached = output.num_cached_tokens or sent.cached
            sent.tokens = len(output.outputs[0].token_ids)
            output.outputs[0].text = ""
            yield output
        sent.ended = time.monotonic()


def exactly(llm: Any, prompt: Sequence[int], tokens: int, request_id: str) -> AsyncIterator[Any]:
    """Let vLLM write so many tokens, end of text or not."""
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    kind = RequestOutputKind.CUMULATIVE
    sampling = SamplingParams(max_tokens=tokens, ignore_eos=True, temperature=0.2, top_k=20, output_kind=kind)
    stream: AsyncIterator[Any] = llm.generate({"prompt_token_ids": list(prompt)}, sampling, request_id=request_id)
    return stream


PLANNING = (
    ("plan.overview",),
    ("plan.files",),
    ("plan.needs", "plan.names"),
    ("plan.interface",),
    ("plan.relations", "plan.logic", "plan.config", "plan.calls"),
)


def parents(labels: Sequence[str]) -> dict[str, list[str]]:
    """Return which answers each request needs before it can be asked, by what it has to read and no more."""
    steps = [[label for label in labels if label.startswith(kinds)] for kinds in PLANNING]
    specifications = [label for label in labels if label.startswith("analyse.")]
    code: dict[str, list[str]] = {}
    for label in labels:
        if label.startswith("code."):
            code.setdefault(label.removeprefix("code.").partition(":")[0], []).append(label)
    found: dict[str, list[str]] = {}
    for before, step in zip(([], *steps), (*steps, specifications), strict=True):
        found |= dict.fromkeys(step, before)
    for path, mine in code.items():
        needed = NEEDS.get(path, [other for other in code if other != path])
        before = [f"analyse.{path}", *(label for other in needed for label in code[other])]
        first = [label for label in mine if label.endswith(".__init__")]
        found |= {label: before if label in first or not first else first for label in mine}
    assert found.keys() == set(labels), sorted(set(labels) - found.keys())
    return found
