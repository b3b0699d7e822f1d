"""How long people wait: until the plan, the first file, the repository. From the run folders of real runs.

    python benchmarks/latency.py RUN... [--results FILE]

Seconds since the run was started, the engine's start included and told beside it; of a run in several attempts, the
last that asked the engine anything: a replay says nothing of it.
"""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from measured import heading, markdown_table


def main() -> None:
    """Print the table, and append it to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "latency.md")
    asked = parser.parse_args()
    rows = [row for run in asked.runs if (row := waits(run))]
    said = heading("time to plan, first file, repository") + markdown_table(rows)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def waits(run: Path) -> dict[str, Any] | None:
    """Return the row of a run; None where nothing was asked of an engine, or nothing was written."""
    events = [json.loads(line) for line in (run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    starts = [n for n, e in enumerate(events) if e["event"] == "stage_started" and e["stage"] == "parse"]
    attempts = [events[start:end] for start, end in zip(starts, [*starts[1:], len(events)], strict=True)]
    events = next((each for each in reversed(attempts) if any(map(_is_answer, each))), [])
    began = datetime.fromisoformat(events[0]["t"]) if events else datetime.min
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    asked = [e for e in events if _is_answer(e)]

    def at(name: str, **what: str) -> str:
        found = [e for e in events if e["event"] == name and all(e.get(key) == value for key, value in what.items())]
        return f"{(datetime.fromisoformat(found[0]['t']) - began).total_seconds():.0f}" if found else "-"

    if not asked or at("stage_finished", stage="write") == "-":
        return None
    ready = [e["seconds"] for e in events if e["event"] == "engine_ready"]
    return {
        "paper": record["paper"],
        "model": next(iter(record["models"].values()))["id"],
        "engine start": f"{sum(ready):.0f}" if ready else "shared",
        "plan": at("stage_finished", stage="plan"),
        "first file": at("file_state", state="written"),
        "all files": at("stage_finished", stage="code"),
        "repository": at("stage_finished", stage="write"),
        "calls": len(asked),
    }


def _is_answer(event: dict[str, Any]) -> bool:
    return event["event"] == "call_finished" and not event["replayed"]


if __name__ == "__main__":
    main()
