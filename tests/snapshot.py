"""Prompts as readable Markdown under tests/snapshots/: a change of wording is a change that someone reads.

P2C_SNAPSHOTS=write pytest tests/stages    writes them anew
"""

from __future__ import annotations

import os
from pathlib import Path

from paper2code_local.engine.protocol import Request

FOLDER = Path(__file__).parent / "snapshots"


def same_as_snapshot(name: str, request: Request) -> None:
    """Compare what the model reads with tests/snapshots/NAME.md."""
    begun = f"\n\n---- the answer begins ----\n\n{request.prefill}" if request.prefill else ""
    text = f"---- system ----\n\n{request.system}\n\n---- user ----\n\n{request.user}{begun}".rstrip() + "\n"
    path = FOLDER / f"{name}.md"
    if os.environ.get("P2C_SNAPSHOTS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.is_file(), f"no snapshot {path.name}: P2C_SNAPSHOTS=write makes it"
    assert text == path.read_text(encoding="utf-8"), f"{path.name} changed: read it, then P2C_SNAPSHOTS=write"
