"""Models that think before they answer: what marks their thoughts, and how long they may last.

In: the name of vLLM's reasoning parser, texts. Out: marks, and answers without thoughts. Must not know an engine or a
tokenizer. The thoughts are one completion, ended by us when they grow too long; the answer is another, which follows
them. So the answer's schema, stop strings, limit and opening hold for the answer alone, as they do without thoughts.
"""

from __future__ import annotations

from dataclasses import dataclass

from paper2code_local.errors import ModelError

BUDGET = 2048
"""Tokens of thoughts where no card says it: chosen, not measured."""
SLACK = 32
"""Tokens that the longest marks take, generously."""


@dataclass(frozen=True)
class Reasoning:
    """How a model thinks whose template cannot switch it off."""

    parser: str
    """Name of vLLM's reasoning parser."""
    budget: int = BUDGET
    """Tokens that the thoughts may take; with 0 they are written for the model, empty."""
    off: str = ""
    """Words in the system message that switch thinking off, where the model knows some: "/no_think"."""

    @property
    def room(self) -> int:
        """Tokens of context that thoughts and marks take beside prompt and answer."""
        return self.budget + SLACK


@dataclass(frozen=True)
class Marks:
    """What stands around thoughts."""

    open: str
    end: str
    """Ends the thoughts, wherever it comes."""
    close: str
    """What leads from unfinished thoughts to the answer; holds `end`."""

    @property
    def rest(self) -> str:
        """What leads from thoughts that the model ended itself to the answer."""
        return self.close.partition(self.end)[2]


_THINK = Marks("<think>\n", "</think>", "\n</think>\n\n")
_MARKS = dict.fromkeys(
    (
        "deepseek_r1",
        "deepseek_v3",
        "deepseek_v4",
        "ernie45",
        "glm45",
        "glm47",
        "granite_thinking_parser",
        "holo2",
        "kimi_k2",
        "mimo",
        "minimax_m2",
        "nemotron_v3",
        "olmo3",
        "qwen3",
        "step3",
        "step3p5",
    ),
    _THINK,
) | {
    "cohere_command3": Marks("<|START_THINKING|>", "<|END_THINKING|>", "<|END_THINKING|><|START_RESPONSE|>"),
    "gemma4": Marks("<|channel>thought\n", "<channel|>", "\n<channel|>"),
    "granite": Marks("Here is my thought process:", "Here is my response:", "\n\nHere is my response:"),
    "minimax_m3": Marks("<mm:think>", "</mm:think>", "\n</mm:think>\n\n"),
    "mistral": Marks("[THINK]", "[/THINK]", "[/THINK]"),
    "openai_gptoss": Marks(
        "<|channel|>analysis<|message|>", "<|end|>", "<|end|><|start|>assistant<|channel|>final<|message|>"
    ),
    "seed_oss": Marks("<seed:think>", "</seed:think>", "</seed:think>"),
}
"""By the names of vLLM 0.32's reasoning parsers (vllm/reasoning and vllm/parser name the marks)."""
PARSERS = frozenset(_MARKS)


def marks(parser: str) -> Marks:
    """Return the marks of vLLM's reasoning parser of that name. Raises ModelError `reasoning` for an unknown one."""
    if parser not in _MARKS:
        raise ModelError(
            "reasoning", f"no reasoning parser is called {parser!r}", f"Known are {', '.join(sorted(PARSERS))}."
        )
    return _MARKS[parser]


def begun(ending: str) -> Reasoning | None:
    """Return how a model thinks whose prompt has this ending, after what the user says; None when it does not."""
    if ending.endswith("<|start|>assistant"):
        return Reasoning("openai_gptoss")
    for parser, known in _MARKS.items():
        if ending.rfind(known.open.rstrip()) > ending.rfind(known.end):
            return Reasoning(parser)
    return None


def without_reasoning(text: str, parser: str) -> str:
    """Return the answer in `text`, thoughts and the white space after them cut off.

    Thoughts may have been opened by the prompt: then the first end mark ends them. Thoughts without an end leave no
    answer. Marks in the answer stay. Raises ModelError `reasoning`.
    """
    known = marks(parser)
    said = text.lstrip()
    thoughts, end, answer = said.partition(known.end)
    opened = said.startswith(known.open.rstrip())
    if not end:
        return "" if opened else text
    if not opened and known.open.rstrip() in thoughts:
        return text
    return answer.removeprefix(known.rest.strip()).lstrip()
