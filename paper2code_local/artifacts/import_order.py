"""Which planned file may import which, and what it must define: what the gate holds a repository to."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from paper2code_local.artifacts.frozen import Frozen


class Promise(Frozen):
    """A class, function or method that a planned file must define."""

    name: str
    """Qualified: "train", "Model", "Model.forward"."""
    signature: str
    """ "def forward(self, x: Tensor) -> Tensor"; "" for a class."""
    measured: bool = False
    """It gives a value that is measured: a loss, a score."""


class OrderedFile(Frozen):
    """One planned file, what it may import and what it must define."""

    path: str
    """Relative POSIX path inside the repository."""
    needs: tuple[str, ...]
    """Paths of earlier files that it may import."""
    promises: tuple[Promise, ...] = ()
    """Each class before its methods."""
    is_entry: bool = False
    """It is run as a script."""


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
