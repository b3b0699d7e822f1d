"""What a setting of the engine is worth for a whole paper: our pipeline with it and without it, in turns.

    python benchmarks/setting.py --against block_size=32 [--sizes 2000 10000] [--repeats 2] [--share .25]

The workload is that of throughput.py: the same prompts, the same length of each answer. Ours and the other engine are
started in turns, in one go on this machine; medians of the repeats are told. decoding.py does so for decoding alone.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from measured import heading, markdown_table
from pydantic import JsonValue
from throughput import Bench
from timed import Measure

from paper2code_local.cli.generate import engine_arg
from paper2code_local.engine import vllm
from paper2code_local.modelstore.folder import ModelFolder, model_folder
from paper2code_local.modelstore.store import default_store


def main() -> None:
    """Print the table, and append it to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="K=V", required=True, help="an engine argument that the other one has")
    parser.add_argument("--sizes", type=int, nargs="+", default=[2_000, 10_000], help="tokens of the papers")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--share", type=float, default=0.25, help="of the full length of answers")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "setting.md")
    asked = parser.parse_args()
    os.environ.update(vllm.ENVIRONMENT)
    folder = model_folder(asked.model, default_store(os.environ))
    found: dict[int, dict[str, list[Measure]]] = defaultdict(lambda: defaultdict(list))
    starts: dict[str, list[float]] = defaultdict(list)
    for _ in range(asked.repeats):
        for who, extra in (("ours", {}), ("other", dict([engine_arg(asked.against)]))):
            start, measures = asyncio.run(timed(folder, asked.share, asked.sizes, extra))
            starts[who].append(start)
            for size, measure in zip(asked.sizes, measures, strict=True):
                found[size][who].append(measure)
            print(who, f"{start:.1f}", *(f"{m.seconds:.1f} s" for m in measures), file=sys.stderr, flush=True)
    title = f"{folder.id}, ours against {asked.against}, answers at {asked.share:g}, {asked.repeats} repeats"
    said = heading(title) + markdown_table([start_row(starts), *(row(size, **by) for size, by in found.items())])
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def start_row(starts: dict[str, list[float]]) -> dict[str, object]:
    """Return the row of the engine's start."""
    return {"what": "engine start"} | compared(starts["ours"], starts["other"])


def row(size: int, ours: list[Measure], other: list[Measure]) -> dict[str, object]:
    """Return the row of one paper."""
    times = compared([m.seconds for m in ours], [m.seconds for m in other])
    tokens = {"ours, prompt tokens computed": computed(ours[-1]), "other, prompt tokens computed": computed(other[-1])}
    return {"what": f"paper of {size:,} tokens", **times, **tokens}


def compared(ours: list[float], other: list[float]) -> dict[str, object]:
    """Return medians and spreads of seconds; the ratio is above 1 where ours is faster."""
    said = {
        f"{who}, seconds": f"{median(some):.1f} ({min(some):.1f} to {max(some):.1f})"
        for who, some in (("ours", ours), ("other", other))
    }
    return {**said, "ratio": f"{median(other) / median(ours):.2f}"}


def computed(measure: Measure) -> int:
    """Return how many prompt tokens were not in the KV cache."""
    return sum(len(each.prompt) - each.cached for each in measure.sent)


async def timed(
    folder: ModelFolder, share: float, sizes: list[int], extra: dict[str, JsonValue]
) -> tuple[float, list[Measure]]:
    """Start an engine; return the seconds that took, and the measure of one paper of each size."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as work:
        bench = Bench(folder, share, Path(work), extra)
        start = await bench.start()
        measures = [await bench.ours([(size, seed)]) for seed, size in enumerate(sizes)]
        assert bench.engine is not None
        await bench.engine.close()
    return start, measures


if __name__ == "__main__":
    main()
