"""The one place where errors become messages and exit codes.

In: a command about to run. Out: its exit code; on standard error one message and one hint, or with --json one object on
standard output. Must not know what any command does. Whatever a command prints on standard output goes through `say`.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from paper2code_local.errors import BUG, CLEAN, INTERRUPTED, TERMINATED, Failure, P2CError, UsageError, WriteError
from paper2code_local.listeners.printable import printable

T = TypeVar("T")
PIPE_CLOSED = 128 + signal.SIGPIPE
"""What a shell says of a program whose reader went away: `p2c-local … | head`."""
TRUE = frozenset({"1", "true", "t", "yes", "y", "on"})
_GO_ON = "Run the same command again to go on."


class Boundary:
    """One command between the user and us. `run` is the run folder as soon as the command knows it."""

    def __init__(self, args: Sequence[str], environ: Mapping[str, str]) -> None:
        """Look for --json in the command line itself: errors of the command line are JSON too."""
        options = args[: args.index("--")] if "--" in args else args
        asked = "--json" in options or "--format=json" in options or ("--format", "json") in pairwise(options)
        self.json = asked or environ.get("P2C_JSON", "").lower() in TRUE
        self.run: Path | None = None

    def exit_code(self, command: Callable[[], object]) -> int:
        """Run `command`, tell its failure if it fails, and return the exit code: the int that it returns, or 0."""
        _accept_any_text()
        try:
            with _terminable():
                code = command()
        except NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            return error.exit_code
        except click.ClickException as error:
            return self._fail(_usage(error))
        except P2CError as error:
            return self._fail(error)
        except click.Abort as abort:  # click's name for what cannot be read on: ^C, but also the end of some input
            if isinstance(abort.__cause__, EOFError):
                return self._bug(abort.__cause__)
            return self._interrupted("sigint", INTERRUPTED)
        except KeyboardInterrupt:
            return self._interrupted("sigint", INTERRUPTED)
        except _Terminated:
            return self._interrupted("sigterm", TERMINATED)
        except BaseExceptionGroup as group:
            known, bugs = group.split(P2CError)
            return self._bug(group) if bugs or known is None else self._fail(_leaf(known))
        except Exception as error:  # noqa: BLE001 (this is the boundary)
            return self._bug(error)
        return code if isinstance(code, int) else CLEAN

    async def guarded(self, work: Awaitable[T], run: Path | None) -> T | Failure:
        """Wait for `work` on one of many papers: what it raises is a failure of that one. Interrupts go through."""
        try:
            return await work
        except P2CError as error:
            return _failure(error)
        except ExceptionGroup as group:
            known, bugs = group.split(P2CError)
            return _bug(group, run) if bugs or known is None else _failure(_leaf(known))
        except Exception as error:  # noqa: BLE001 (this is the boundary)
            return _bug(error, run)

    def _fail(self, error: P2CError) -> int:
        return self._tell(_failure(error))

    def _interrupted(self, how: str, code: int) -> int:
        return self._tell(Failure(f"interrupted.{how}", "interrupted", _GO_ON, code))

    def _bug(self, error: BaseException) -> int:
        return self._tell(_bug(error, self.run))

    def _tell(self, failure: Failure) -> int:
        if self.json:
            with suppress(WriteError):
                say_json({"schema_version": 1, "ok": False, "error": failed(failure)})
        else:
            with suppress(OSError):
                click.echo(printable(f"error: {failure.message}\n  hint: {failure.hint}"), err=True)
        return failure.exit_code


def failed(failure: Failure) -> dict[str, str]:
    """Return a failure for --json."""
    return {"code": failure.code, "message": failure.message, "hint": failure.hint}


def _failure(error: P2CError) -> Failure:
    return Failure(error.code, error.message, error.hint, error.exit_code)


def _bug(error: BaseException, run: Path | None) -> Failure:
    """Keep the traceback in the folder `run`, or where there is room, and say where."""
    trace = "".join(traceback.format_exception(error))
    place = _kept(trace, run)
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    if place is None:
        sys.stderr.write(printable(trace))
    where = f"The traceback is in {place}" if place else "The traceback stands above"
    folder = f" and the run folder {run}" if run else ""
    hint = f"{where}: please report it with that text{folder}, on the tracker of the project. {_GO_ON}"
    return Failure("bug.unexpected", f"this is a bug in paper2code_local: {said}", hint, BUG)


def boundary() -> Boundary:
    """Return the boundary of the command that is running."""
    found = click.get_current_context().find_object(Boundary)
    assert found is not None, "commands run inside the group `main`"
    return found


def say(text: str) -> None:
    """Print on standard output; end quietly when nobody reads it. Raises WriteError (`stdout`) when it is full."""
    try:
        click.echo(printable(text))
    except BrokenPipeError:
        _silence(sys.stdout)
        raise SystemExit(PIPE_CLOSED) from None
    except OSError as error:
        _silence(sys.stdout)
        message = f"standard output cannot be written: {error.strerror or error}"
        raise WriteError("stdout", message, "Send it to a place with room, and run the same command again.") from error


def say_json(value: Mapping[str, object]) -> None:
    """Print one JSON object on standard output, in ASCII: it is the same under every locale."""
    say(json.dumps(value, indent=2))


class _Terminated(SystemExit):
    """SIGTERM as an exception; a SystemExit, so that event loops let it through."""


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM unwind the stack like ^C does; a second one ends the process at once."""

    def unwind(_signal: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise _Terminated(TERMINATED)

    before = signal.signal(signal.SIGTERM, unwind)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _usage(error: click.ClickException) -> UsageError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "p2c-local"
    return UsageError("command_line", error.format_message(), f"See {command} --help.")


def _leaf(group: BaseExceptionGroup[P2CError]) -> P2CError:
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, BaseExceptionGroup) else first


def _kept(trace: str, run: Path | None) -> Path | None:
    """Write a traceback into the run folder, or else where temporary files go; None when neither can be written."""
    if run is not None:
        with suppress(OSError):
            place = run / "traceback.txt"
            place.write_text(trace, encoding="utf-8", errors="backslashreplace")
            return place
    with suppress(OSError):
        handle, name = tempfile.mkstemp(prefix="p2c-traceback-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(trace)
        return Path(name)
    return None


def _accept_any_text() -> None:
    """Let no character fail that a stream's encoding lacks: a paper's title may hold any."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence(stream: object) -> None:
    """Let what is still buffered go nowhere, or Python would complain about it on its way out."""
    with suppress(OSError, ValueError):
        if isinstance(stream, io.TextIOWrapper):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
