"""Every event as a line of a file, and back.

In: events; or a file of such lines, which may be hostile or torn. Out: the other. Must not know what events mean.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from pydantic import TypeAdapter, ValidationError

from paper2code_local.durable import writing
from paper2code_local.errors import InputError
from paper2code_local.events import Event

LARGEST_FILE = 256 << 20
"""Bytes. A run of an hour writes about 2 MB."""
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)


class JsonLines:
    """Appends each event to a file with a time stamp: `{"t": "2025-01-31T12:00:00.123Z", "event": "tokens", …}`."""

    def __init__(self, path: Path) -> None:
        """Open `path` to append to it. Raises WriteError, as every event may."""
        self._path = path
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            torn = not _ends_a_line(path)
            self._file = path.open("ab", buffering=0)
            if torn:  # a kill cut the last line of the run before: it must not swallow our first
                self._file.write(b"\n")

    def __call__(self, event: Event) -> None:
        """Append one event; it is there when this returns."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00")
        line = f'{{"t":"{now}Z",{_EVENT.dump_json(event).decode()[1:]}\n'
        with writing(self._path):
            self._file.write(line.encode())

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_events(path: Path) -> tuple[Event, ...]:
    """Read the events of a file in their order; lines that hold none (torn, or of another version) are left out.

    Raises InputError: `no_events` when there is no such file or it cannot be read, `too_large` above 256 MB.
    """
    try:
        if not path.is_file():
            raise InputError("no_events", f"{path} is no file of events", "Name a file that --events wrote.")
        if path.stat().st_size > LARGEST_FILE:
            raise InputError("too_large", f"{path} has more than 256 MB", "No run writes so much; look what it is.")
        lines = path.read_bytes().splitlines()
    except OSError as error:
        hint = "Make the file readable."
        raise InputError("no_events", f"{path} cannot be read: {error.strerror or error}", hint) from error
    return tuple(event for line in lines if (event := _event(line)) is not None)


def _event(line: bytes) -> Event | None:
    try:
        stamped = _STAMPED.validate_json(line)
        stamped.pop("t", None)
        return _EVENT.validate_python(stamped)
    except ValidationError:
        return None


_STAMPED: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])


def _ends_a_line(path: Path) -> bool:
    """Tell whether what is appended to `path` begins a line."""
    if not path.is_file() or not path.stat().st_size:
        return True
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read() == b"\n"
