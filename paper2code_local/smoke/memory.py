"""What a smoke run once found is remembered: the same files under the same policy in the same Python.

In: what a run depends on. Out: its report, or None. Must not know how it is made. What depends on how busy the machine
was is not remembered: a limit that was reached, a trial for which no time was left.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from paper2code_local import __version__
from paper2code_local.artifacts.smoke import SmokePolicy, SmokeReport
from paper2code_local.durable import replace_file
from paper2code_local.smoke.judging import EXCEEDS, NO_TIME

_LARGEST = 32 << 20


def key(repository: str, policy: SmokePolicy, sandbox: str, python: str) -> str:
    """Return the name of a report: a sha256 of the repository's digest and whatever else the result depends on."""
    whole = json.dumps([__version__, repository, policy.model_dump(mode="json"), sandbox, python], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()


def smoke_folder(environ: Mapping[str, str]) -> Path:
    """Return where reports are remembered: `paper2code_local/smoke` in the folder for user caches (XDG)."""
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser().absolute() / "paper2code_local" / "smoke"


def remembered(folder: Path, name: str) -> SmokeReport | None:
    """Return the report of that name, from a file that is ours alone; None where there is none that can be used."""
    with suppress(OSError, ValidationError), (folder / f"{name}.json").open("rb") as stream:
        about = os.fstat(stream.fileno())
        shared = about.st_uid != os.geteuid() or about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not shared and about.st_size <= _LARGEST:
            report = SmokeReport.model_validate_json(stream.read(_LARGEST))
            return report.model_copy(update={"remembered": True})
    return None


def remember(folder: Path, name: str, report: SmokeReport) -> None:
    """Keep a report, if another run would say the same; a cache that cannot be written is no failure."""
    late = any(finding.code == EXCEEDS for finding in report.findings)
    if not late and not any(trial.reason == NO_TIME for trial in report.trials):
        with suppress(OSError):
            replace_file(folder / f"{name}.json", report.model_dump_json().encode())
