"""Which planned file may import which: the part of the logic design that the gate holds a repository to."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from paper2code_local.artifacts.frozen import Frozen


class OrderedFile(Frozen):
    """One planned file and what it may import."""

    path: str
    """Relative POSIX path inside the repository."""
    needs: tuple[str, ...]
    """Paths of earlier files that it may import."""


class ImportOrder(Frozen):
    """The planned files, each after the files that it needs."""

    files: tuple[OrderedFile, ...]

    @model_validator(mode="after")
    def _needs_come_first(self) -> Self:
        seen: set[str] = set()
        for file in self.files:
            if file.path in seen:
                raise ValueError(f"{file.path} is planned twice")
            if late := [need for need in file.needs if need not in seen]:
                raise ValueError(f"{file.path} needs {late[0]}, which does not come before it")
            seen.add(file.path)
        return self

    def position(self, path: str) -> int | None:
        """Return the place of a file in the order, from 0; None when it is not planned."""
        return next((place for place, file in enumerate(self.files) if file.path == path), None)

    def needs_of(self, path: str) -> tuple[str, ...]:
        """Return what a planned file may import; nothing for a file that is not planned."""
        return next((file.needs for file in self.files if file.path == path), ())
