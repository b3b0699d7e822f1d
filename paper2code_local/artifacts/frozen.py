"""The one configuration that every artifact shares."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """An immutable noun: unknown fields are refused, sequences are tuples."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
