"""Run `p2c-local generate` on papers, one after the other, and report what each took and what was found.

    python benchmarks/generate.py PAPER... [--model ID] [--work DIR] [--results FILE]

For each paper: exit code, seconds, calls, answers asked again, tokens, share of cached prompt tokens, findings by code
before repair and at the end, stubs; and a proof made here again, with nothing of ours: every `.py` compiles, and every
name imported from a module of the repository is defined there. Results are kept with date, machine and commit; a
run folder that is there already is replayed, so times count for fresh folders only.
"""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from measured import heading, markdown_table


def main() -> None:
    """Run the papers and append a dated table to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("papers", nargs="+", type=Path)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b-instruct")
    parser.add_argument("--work", type=Path, default=Path("bench-out"))
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "generate.md")
    asked = parser.parse_args()
    rows = []
    for paper in asked.papers:
        row = run(paper, asked.model, asked.work)
        rows.append(row)
        print(row, file=sys.stderr)
    asked.results.parent.mkdir(parents=True, exist_ok=True)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(heading(asked.model) + markdown_table(rows))
    print(markdown_table(rows))


def run(paper: Path, model: str, work: Path) -> dict[str, Any]:
    """Generate from one paper and return its row."""
    name = paper.name.replace(".", "_")
    out = work / name
    command = [sys.executable, "-m", "paper2code_local", "generate", str(paper), "-o", str(out), "--model", model]
    started = time.monotonic()
    done = subprocess.run([*command, "--run", str(work / "runs" / name), "--json"], stdout=subprocess.PIPE, check=False)
    seconds = time.monotonic() - started
    said = json.loads(done.stdout)
    if "error" in said:
        return {"paper": paper.name, "exit": done.returncode, "seconds": f"{seconds:.0f}", "end": said["error"]["code"]}
    tokens = said["tokens"]
    return {
        "paper": paper.name,
        "exit": done.returncode,
        "seconds": f"{seconds:.0f}",
        "calls": said["calls"],
        "asked again": said["reasked"],
        "written": tokens["completion"],
        "cached": f"{tokens['cached'] / max(1, tokens['prompt']):.0%}",
        "before repair": counted(said["before_repair"]),
        "end": counted(said["findings"]),
        "stubs (files, names)": f"{said['stubbed']['files']}, {said['stubbed']['names']}",
        "config (traced, untraced, assumed)": ", ".join(str(v) for v in said["config"].values()),
        "proof": proof(out),
    }


def counted(findings: list[dict[str, Any]]) -> str:
    """Return findings by code, e.g. "P2C401×2"."""
    return ", ".join(f"{code}×{n}" for code, n in sorted(Counter(f["code"] for f in findings).items())) or "none"


def proof(repo: Path) -> str:
    """Compile every file and look up every local import, knowing nothing of our gate."""
    files = sorted(repo.rglob("*.py"))
    broken = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        try:
            compile(text, str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError):
            broken.append(f"{path.name} does not compile")
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                target = repo / (node.module.replace(".", "/") + ".py")
                if target.is_file():
                    bound = {n.name for n in ast.parse(target.read_text()).body if hasattr(n, "name")}
                    broken += [f"{path.name}: {a.name} not in {node.module}" for a in node.names if a.name not in bound]
    return "; ".join(broken) or f"{len(files)} files, all compile, all local imports resolve"


if __name__ == "__main__":
    main()
