"""Facts about a run, as it happens. `pipeline` says them, listeners show or keep them; stages do not know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.frozen import Frozen

Stage = Literal["parse", "plan", "analyse", "code", "validate", "repair", "smoke", "write"]


class StageStarted(Frozen):
    """A stage begins."""

    event: Literal["stage_started"] = "stage_started"
    stage: Stage


class StageFinished(Frozen):
    """A stage is done."""

    event: Literal["stage_finished"] = "stage_finished"
    stage: Stage
    seconds: float
    note: str


class Notice(Frozen):
    """Something that the user should know and that is no error: a fallback, what was cut, how long a start takes."""

    event: Literal["notice"] = "notice"
    level: Literal["info", "warning"]
    message: str


class EngineStarting(Frozen):
    """An engine is being started; this takes from half a minute to several minutes."""

    event: Literal["engine_starting"] = "engine_starting"
    model: str
    context: int


class EngineReady(Frozen):
    """The engine answers."""

    event: Literal["engine_ready"] = "engine_ready"
    seconds: float


class CallStarted(Frozen):
    """A question goes to the engine."""

    event: Literal["call_started"] = "call_started"
    label: str


class CallFinished(Frozen):
    """A question is answered, by the engine or from the run folder."""

    event: Literal["call_finished"] = "call_finished"
    label: str
    replayed: bool
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    seconds: float


class AskedAgain(Frozen):
    """An answer was refused."""

    event: Literal["asked_again"] = "asked_again"
    label: str
    reason: str


class FileState(Frozen):
    """A file of the repository changes state."""

    event: Literal["file_state"] = "file_state"
    path: str
    state: Literal["planned", "coding", "written", "unwritten", "edited"]


class Tokens(Frozen):
    """New tokens arrived since the last such event."""

    event: Literal["tokens"] = "tokens"
    count: int


class Checked(Frozen):
    """What the gate found: before repair, or at the end."""

    event: Literal["checked"] = "checked"
    when: Literal["before_repair", "final"]
    findings: tuple[Finding, ...]


Event = Annotated[
    StageStarted
    | StageFinished
    | Notice
    | EngineStarting
    | EngineReady
    | CallStarted
    | CallFinished
    | AskedAgain
    | FileState
    | Tokens
    | Checked,
    Field(discriminator="event"),
]
Listener = Callable[[Event], None]
