"""What one run of `generate` is asked to do, and what is fixed for it once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paper import ParserName


class Job(Frozen):
    """The command line, parsed."""

    paper: Path
    out: Path
    run: Path | None = None
    """The run folder; None for runs/STEM-DIGEST beside `out`."""
    model: str | None = None
    """An id of the catalogue or a folder; None for the default of this machine."""
    parser: Literal["auto", "grobid", "pdf", "tei"] = "auto"
    grobid: str = "http://127.0.0.1:8070"
    engine: Literal["vllm", "scripted"] = "vllm"
    engine_args: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int = 0
    attempts: int = 3
    repair_rounds: int = 2
    until: Literal["plan", "analyse", "code"] | None = None
    notes: Path | None = None
    git: bool = True


class RunRecord(Frozen):
    """run.json: what the run is about. Another model or seed begins anew; the answers of the old one are kept."""

    schema_version: Literal[1] = 1
    paper: str
    paper_sha256: str
    parser: ParserName
    model: str
    model_path: str
    """What --model said: an id of the catalogue or a folder."""
    model_identity: str
    context: int
    """Tokens of prompt and answer; every prompt of the run is fitted to it."""
    paper_budget: int
    """Tokens that the paper may take of it."""
    seed: int
    version: str
    """Of paper2code_local."""
    out: str
    """Where the repository goes."""


PLAN_TOKENS = 3500
"""Room for the plan in the shared prefix."""
TAIL_TOKENS = 3500
"""Room for what is particular to one question: specification, code of the needed files."""
ANSWER_TOKENS = 2400
"""Room for the longest answer (an interface); a whole file takes more."""
FILE_ANSWER_TOKENS = 3072
SYSTEM_TOKENS = 400
"""System message, template, and what is said when an answer is asked again beyond the quotation."""
QUOTATION_TOKENS = 700


def budget(paper_tokens: int, longest: int, scale: float, whole_files: bool) -> tuple[int, int]:
    """Return (context, tokens for the paper) for a paper of `paper_tokens` and a model with a context of `longest`.

    What the plan, the tails and the answers need is reserved first, but never more than two thirds of the model's
    context: then prompts shrink instead (see `Asker`).
    """
    answer = FILE_ANSWER_TOKENS if whole_files else ANSWER_TOKENS
    reserved = int((PLAN_TOKENS + TAIL_TOKENS + answer) * scale) + SYSTEM_TOKENS + QUOTATION_TOKENS
    reserved = min(reserved, longest * 2 // 3)
    context = min(longest, paper_tokens + reserved)
    return context, context - reserved
