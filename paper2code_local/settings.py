"""What one run of `generate` is asked to do, and what is fixed for it once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, get_args

from pydantic import Field, JsonValue

from paper2code_local.artifacts.frozen import Frozen
from paper2code_local.artifacts.paper import ParserName
from paper2code_local.engine.dialects import Server
from paper2code_local.errors import UsageError

ModelStage = Literal["plan", "analyse", "code"]
"""The stages in which a model is asked; what codes repairs too."""
MODEL_STAGES: tuple[ModelStage, ...] = get_args(ModelStage)


class Job(Frozen):
    """The command line, parsed."""

    paper: Path
    out: Path
    run: Path | None = None
    """The run folder; None for runs/STEM-DIGEST beside `out`."""
    model: str | None = None
    """An id of the catalogue or a folder, or one by stage (`by_stage`); None for the default of this machine."""
    supplements: tuple[Path, ...] = ()
    """Read like papers and joined to this one."""
    parser: Literal["auto"] | ParserName = "auto"
    grobid: str = "http://127.0.0.1:8070"
    engine: Literal["vllm", "scripted"] = "vllm"
    engine_url: str | None = None
    """An OpenAI-compatible server, or one by stage; None for an engine of our own. `model` is its name there."""
    tokenizer: Path | None = None
    """The folder of the tokenizer of a server's model."""
    chat_template: Path | None = None
    """Takes the place of a model folder's own template."""
    engine_args: dict[str, JsonValue] = Field(default_factory=dict)
    seed: int = 0
    attempts: int = 3
    repair_rounds: int = 4
    samples: int = 1
    """Drafts of each file, of which the gate picks one."""
    until: Literal["plan", "analyse", "code"] | None = None
    smoke: bool = False
    """Import the result in a sandbox, where there is one."""
    notes: Path | None = None
    git: bool = True


def by_stage(text: str | None, option: str) -> dict[ModelStage, str | None]:
    """Read "X", or "plan=X,code=Y", as what each stage uses; None stands for the default.

    A stage that is not named uses what the one before it does. Raises UsageError (`by_stage`) naming `option`.
    """
    if text is None or not re.match(r"\w+=", text):
        return dict.fromkeys(MODEL_STAGES, text)
    named = dict(part.partition("=")[::2] for part in text.split(","))
    hint = f"For example {option} plan=LARGE,code=SMALL; the stages are {', '.join(MODEL_STAGES)}."
    if unknown := [stage for stage in named if stage not in MODEL_STAGES]:
        raise UsageError("by_stage", f"{option}: {unknown[0]!r} is no stage that asks a model", hint)
    if empty := [stage for stage, value in named.items() if not value]:
        raise UsageError("by_stage", f"{option}: nothing is named for the stage {empty[0]}", hint)
    used: dict[ModelStage, str | None] = {}
    latest: str | None = None
    for stage in MODEL_STAGES:
        used[stage] = latest = named.get(stage, latest)
    return used


class ModelRecord(Frozen):
    """A model of the run, and what was fixed for it once."""

    id: str
    spec: str
    """What --model said: an id of the catalogue or a folder."""
    identity: str
    context: int
    """Tokens of prompt and answer; every prompt of the run is fitted to it."""
    paper_budget: int
    """Tokens that the paper may take of it."""
    server: Server | None = None
    """Where it is served, when that is not by us."""


class RunRecord(Frozen):
    """run.json: what the run is about. Another model or seed begins anew; the answers of the old one are kept."""

    schema_version: Literal[2] = 2
    paper: str
    paper_sha256: str
    parser: ParserName
    models: dict[ModelStage, ModelRecord]
    seed: int
    version: str
    """Of paper2code_local."""
    out: str
    """Where the repository goes."""

    @property
    def model(self) -> str:
        """Name the model, or each with its stages: "large (plan), small (analyse, code)"."""
        return _together({stage: each.id for stage, each in self.models.items()})

    @property
    def model_identity(self) -> str:
        """Tell the weights from any others, in the form of `model`."""
        return _together({stage: each.identity for stage, each in self.models.items()})

    @property
    def context(self) -> int:
        """The longest context in tokens."""
        return max(each.context for each in self.models.values())


def _together(said: Mapping[ModelStage, str]) -> str:
    stages = {each: [stage for stage in said if said[stage] == each] for each in said.values()}
    return ", ".join(f"{each} ({', '.join(where)})" if len(stages) > 1 else each for each, where in stages.items())


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
