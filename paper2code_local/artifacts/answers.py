"""Pieces of answer types that the questions share: bounded texts, names, choices, one-line signatures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from paper2code_local.artifacts.finding import Finding

IDENTIFIER = r"[a-z_][a-z0-9_]{0,30}"
TYPE = r"[A-Za-z][A-Za-z0-9_.]{0,30}(\[[A-Za-z][A-Za-z0-9_.]{0,20}(, [A-Za-z.][A-Za-z0-9_.]{0,20}){0,3}\])?( \| None)?"
DEFAULT = r"( = (None|True|False|-?[0-9]{1,6}(\.[0-9]{1,6})?|1e-[0-9]{1,2}))?"
PARAMETER = rf"{IDENTIFIER}: {TYPE}{DEFAULT}"
DEFINED = r"^([A-Z][A-Za-z0-9]{1,30}|[a-z][a-z0-9_]{1,30})$"
"""A class in CamelCase or a function in snake_case."""
METHOD = rf"^def {IDENTIFIER}\(self(, {PARAMETER}){{0,5}}\) -> {TYPE}$"


def function(name: str) -> str:
    """Return the pattern of a signature of the function `name`."""
    return rf"^def {name}\(({PARAMETER}(, {PARAMETER}){{0,5}})?\) -> {TYPE}$"


class Answer(BaseModel):
    """What the model is asked: small, every field required, nothing else allowed."""

    model_config = ConfigDict(extra="forbid")


_SWALLOWED = re.compile(
    r"[\x08\f](?=[A-Za-z])"
    r"|\t(?=(heta|au|imes|ilde|ext(bf|it|rm)?|frac|o|op|riangle|anh)(?![A-Za-z]))"
    r"|\r(?=(ho|ight|angle|ceil|floor|m)(?![A-Za-z]))"
    r"|\n(?=(abla|u|eq|otin|orm)(?![A-Za-z]))"
)
"""What JSON made of a LaTeX command whose backslash was not doubled: "\\frac" is read as a form feed and "rac"."""
_BEGAN = {"\b": r"\b", "\f": r"\f", "\t": r"\t", "\r": r"\r", "\n": r"\n"}


def _one_line(text: str) -> str:
    whole = _SWALLOWED.sub(lambda found: _BEGAN[found[0]], text)
    return re.sub(r"\s+", " ", whole).strip()


def text(characters: float) -> Any:
    """Return the type of a one-line text of at most so many characters."""
    return Annotated[str, Field(min_length=1, max_length=int(characters)), AfterValidator(_one_line)]


def choice(values: Sequence[str]) -> Any:
    """Return the type of one of `values`, which must not be empty."""
    return Literal[tuple(values)]  # a dynamic enum


def several(item: Any, most: float, least: int = 0) -> Any:
    """Return the type of a list of `least` to `most` items."""
    return Annotated[list[item], Field(min_length=least, max_length=max(int(most), least, 1))]


def fields(title: str, /, **types: Any) -> Any:
    """Return an answer type with one required field for each of `types`: what is asked depends on what is decided."""
    made: dict[str, Any] = {name: (kind, ...) for name, kind in types.items()}
    return create_model(title, __base__=Answer, **made)


def unique(names: Sequence[str]) -> tuple[str, ...]:
    """Return `names` without repeats, in order."""
    return tuple(dict.fromkeys(names))


def mended(path: str, message: str) -> Finding:
    """Record that an answer could be used only after it was mended."""
    hint = "Edit 2-plan.json in the run folder and run again if the plan should say something else."
    return Finding(code="P2C501", severity="warning", path=path, line=0, message=message, hint=hint)
