"""What we cost beside the engine: start-up of the command line, CPU time of a paper, memory with many papers.

    python benchmarks/overhead.py [--papers N] [--seconds S] [--results FILE]

The scripted engine answers at once, so all that a run takes is ours: reading, asking, parsing answers, the gate, files.
`--seconds` is what the engine takes for such a paper (`ours` in results/throughput.md); our share is told of it.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import workload
from measured import heading, markdown_table

from paper2code_local.engine.scripted import ScriptedEngine

REPEATS = 5


def main() -> None:
    """Measure and append a table to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--papers", type=int, default=16)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "overhead.md")
    asked = parser.parse_args()
    rows = [started("-c", "import click"), started("-m", "paper2code_local", "--help")]
    with tempfile.TemporaryDirectory() as work:
        rows += [run(Path(work), 1, asked.seconds), run(Path(work), asked.papers, asked.seconds)]
    said = heading(f"our own cost, {asked.papers} papers of 10,000 tokens, scripted engine") + markdown_table(rows)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def started(*words: str) -> dict[str, object]:
    """Return how long Python takes for something short: the median of some times after one that warms up."""
    seconds = []
    for _ in range(REPEATS + 1):
        began = time.monotonic()
        subprocess.run([sys.executable, *words], stdout=subprocess.DEVNULL, check=True)
        seconds.append(time.monotonic() - began)
    return {"what": f"python {' '.join(words)}", "seconds": f"{statistics.median(seconds[1:]):.2f}"}


def run(work: Path, papers: int, engine: float | None) -> dict[str, object]:
    """Return what `generate` takes for so many papers of 10,000 tokens."""
    folder = work / f"papers{papers}"
    folder.mkdir()
    for seed in range(papers):
        (folder / f"p{seed}.md").write_text(workload.paper(10_000, seed, ScriptedEngine().count), encoding="utf-8")
    words = ["generate", str(folder), "-o", str(work / f"out{papers}"), "--engine", "scripted", "--no-smoke", "-q"]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "paper2code_local", *words], stdout=subprocess.DEVNULL)
    peak, readers = watched(process)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + readers
    row: dict[str, object] = {
        "what": f"generate, {papers} papers",
        "seconds": f"{time.monotonic() - began:.1f}",
        "CPU seconds a paper": f"{cpu / papers:.2f}",
        "peak memory, MiB": f"{peak / 2**20:.0f}",
        "exit": process.returncode,
    }
    return row | ({"share of the engine's time": f"{cpu / papers / engine:.1%}"} if engine else {})


def watched(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """Wait for a process; return the most memory of its family, and the processor time of what reads its papers.

    Memory in bytes, shared pages once. The time is that of the server that readers are forked from, and of theirs, in
    seconds: nobody waits for it, so that it is not in what the kernel says of our children.
    """
    peak = readers = 0.0
    while process.poll() is None:
        family = _family(process.pid)
        peak = max(peak, sum(map(_proportional, family)))
        readers = max([readers, *(_processor_time(pid) for pid in family if _forks_readers(pid))])
        time.sleep(0.1)
    return peak, readers


def _forks_readers(pid: int) -> bool:
    try:
        return b"multiprocessing.forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _processor_time(pid: int) -> float:
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    ticks = sum(map(int, after_name[11:15]))  # utime, stime, cutime, cstime of proc(5)
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [each for child in task.read_text().split() for each in _family(int(child))]
        except OSError:
            continue
    return found


def _proportional(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    os.environ.pop("P2C_ENGINE_ARG", None)
    main()
