"""The errors that a user can meet, and the exit code of each.

In: nothing. Out: exception types that carry a message, a hint and a stable code. Must not know who raises them.

    P2CError                exit  code
    ├── UsageError             2  usage.*
    ├── InputError             3  input.*     the paper cannot be read
    ├── GrobidError            4  grobid.*    the GROBID server cannot be used
    ├── EngineError            5  engine.*    vLLM or its memory
    ├── ModelError             5  model.*     model folder, download, digest
    ├── SandboxError           5  sandbox.*   no sandbox to run generated code in
    ├── AnswerError            6  answer.*    the model gave nothing that can be used
    └── WriteError             7  write.*     disk, permissions, a folder that is not ours

Anything else that escapes is a bug: exit 70. Interrupts are 130 (SIGINT) and 143 (SIGTERM).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

CLEAN, FINDINGS, BUG, INTERRUPTED, TERMINATED = 0, 1, 70, 130, 143


@dataclass(frozen=True)
class Failure:
    """What a user is told of an error, and the exit code."""

    code: str
    message: str
    hint: str
    exit_code: int


class P2CError(Exception):
    """What the user can act on: `message` says what happened, `hint` what to do next.

    `code` is stable and dotted ("input.not_pdf"): scripts may compare it.
    """

    exit_code: ClassVar[int] = BUG
    family: ClassVar[str] = "bug"

    def __init__(self, reason: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.code = f"{self.family}.{reason}"
        self.message = message
        self.hint = hint

    def __reduce__(self) -> tuple[type[P2CError], tuple[str, str, str]]:
        """Survive the way back from a worker process."""
        return type(self), (self.code.split(".", 1)[1], self.message, self.hint)


class UsageError(P2CError):
    """The command line or a settings file asks for something that does not exist."""

    exit_code, family = 2, "usage"


class InputError(P2CError):
    """The paper cannot be read."""

    exit_code, family = 3, "input"


class GrobidError(P2CError):
    """The GROBID server is down, busy or answers nonsense."""

    exit_code, family = 4, "grobid"


class EngineError(P2CError):
    """The engine cannot start, or was lost and could not be restarted."""

    exit_code, family = 5, "engine"


class ModelError(P2CError):
    """The model is unknown, incomplete, unsafe or not what its digest says."""

    exit_code, family = 5, "model"


class SandboxError(P2CError):
    """There is no sandbox on this machine, or it cannot be started."""

    exit_code, family = 5, "sandbox"


class AnswerError(P2CError):
    """The model gave no usable answer to a question that the run cannot do without."""

    exit_code, family = 6, "answer"


class WriteError(P2CError):
    """The result cannot be written, or would replace something that is not ours."""

    exit_code, family = 7, "write"
