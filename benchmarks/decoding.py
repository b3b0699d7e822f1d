"""What a setting of the engine is worth for decoding: requests of a real run, asked again with it and without it.

    python benchmarks/decoding.py RUN --against speculative_config=null [--repeats 2] [--calls PATTERN...]
    python benchmarks/decoding.py RUN --against-environment LD_PRELOAD=

Ours and the other one take turns, in one go on this machine; medians of the repeats are told. Prompts are computed
before the clock runs, so that only decoding is timed. RUN is a run folder that the model answered.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from collections import defaultdict
from fnmatch import fnmatch
from pathlib import Path
from statistics import median

from measured import heading, markdown_table
from pydantic import JsonValue

from paper2code_local.casting import read_record
from paper2code_local.cli.generate import engine_arg
from paper2code_local.engine import sizing, vllm
from paper2code_local.engine.hardware import hardware
from paper2code_local.engine.protocol import Request
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.session import shape_of, tokenizer_of

CALLS = ("plan.overview", "plan.logic", "analyse.*", "code.*:main", "code.*~2", "repair1.*")
"""Patterns of labels; of each, the first requests."""
EACH = 2
Speeds = dict[str, dict[str, list[float]]]
"""Label → whose engine → tokens/s of each repeat."""


def main() -> None:
    """Print the table, and append it to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--against", metavar="K=V", default="", help="an engine argument that the other one has")
    parser.add_argument("--against-environment", metavar="K=V", default="", help="a variable that the other one has")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--calls", nargs="+", default=CALLS, help="patterns of labels (default: %(default)s)")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "decoding.md")
    asked = parser.parse_args()
    record = read_record(asked.run)
    if record is None or not (asked.against or asked.against_environment):
        parser.error("a run folder and one of --against and --against-environment are wanted")
    spec = next(iter(record.models.values())).spec
    folder = model_folder(spec, default_store(os.environ))
    extra = dict([engine_arg(asked.against)]) if asked.against else {}
    variables = (tuple(asked.against_environment.split("=", 1)),) if asked.against_environment else ()
    requests = recorded(asked.run, asked.calls)
    speeds: Speeds = defaultdict(lambda: defaultdict(list))
    for _ in range(asked.repeats):
        for who, more, changed in (("ours", {}, ()), ("other", extra, variables)):
            for label, speed in asyncio.run(timed(folder, requests, more, changed)).items():
                speeds[label][who].append(speed)
    title = f"{folder.id}, ours against {asked.against or asked.against_environment}, {asked.repeats} repeats"
    said = heading(title) + markdown_table(list(rows(speeds)))
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def rows(speeds: Speeds) -> list[dict[str, object]]:
    """Return a row for each request, and the median of the ratios."""
    table: list[dict[str, object]] = []
    ratios = []
    for label, by in speeds.items():
        ours, other = median(by["ours"]), median(by["other"])
        ratios.append(ours / other)
        table.append(
            {"call": label, "ours, tokens/s": f"{ours:.1f}", "other": f"{other:.1f}", "ratio": f"{ours / other:.2f}"}
        )
    return [*table, {"call": "median", "ratio": f"{median(ratios):.2f}"}]


def recorded(run: Path, patterns: list[str]) -> list[Request]:
    """Return the first requests that the patterns name, in their order."""
    calls = [json.loads(path.read_bytes())["request"] for path in sorted((run / "calls").glob("*.json"))]
    requests = [Request.model_validate(call) for call in calls]
    found = [[r for r in requests if fnmatch(r.label, pattern)][:EACH] for pattern in patterns]
    return list({r.label: r for some in found for r in some}.values())


async def timed(
    folder: ModelFolder, requests: list[Request], extra: dict[str, JsonValue], variables: tuple[tuple[str, str], ...]
) -> dict[str, float]:
    """Start an engine, ask it the requests one by one, and return tokens/s of each."""
    context = max(len(r.system + r.user + r.prefill) // 2 + r.max_tokens for r in requests)
    arguments = sizing.engine_args(hardware(), shape_of(folder), sizing.Need(context=context), extra)
    arguments = arguments.model_copy(update={"environment": (*arguments.environment, *variables)})
    with tempfile.TemporaryDirectory() as desk:
        engine = await vllm.start(folder.path, folder.identity, tokenizer_of(folder), arguments, Path(desk) / "log")
        speeds = {}
        for request in requests:
            await engine.complete(request.model_copy(update={"max_tokens": 1, "avoid": ()}))
            began = time.monotonic()
            completion = await engine.complete(request)
            speeds[request.label] = completion.completion_tokens / (time.monotonic() - began)
        await engine.close()
    return speeds


if __name__ == "__main__":
    main()
