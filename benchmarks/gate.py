"""Plant faults in correct repositories, one at a time, and report which of them the gate finds.

    python benchmarks/gate.py [FOLDER...] [--seed N] [--faults N] [--out FILE]

First every repository is checked untouched: its errors are listed, with how many there are for 1,000 lines. Then each
planter of `faults.py` plants `--faults` faults in each repository; a fault counts as found when a finding that was not
there before, of the right family, stands in the right file. Without folders, some installed pure-Python packages are
taken. Results are appended with date, machine and commit.
"""

from __future__ import annotations

import argparse
import importlib.util
import platform
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from beside import change_signature, forget_definition, promises_of, remove_requirement, remove_setting
from faults import PLANTERS as IN_CODE
from faults import Fault
from measured import heading
from planting import Needs, Repository, parsed

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import read_repository, validate
from paper2code_local.stages.s5_validate.gate import Cache
from paper2code_local.stages.s5_validate.imports import imported_files
from paper2code_local.stages.s5_validate.modules import Modules

INSTALLED = ("click", "jinja2", "rich", "httpx", "starlette", "lark", "einops", "markdown_it")
PLANTERS = {
    **IN_CODE,
    "remove a setting": ("config", remove_setting),
    "remove a requirement": ("requirements", remove_requirement),
    "forget a definition": ("promises", forget_definition),
    "change a signature": ("promises", change_signature),
}
GOALS = {"cut": 0.95, "syntax": 0.95, "imports": 0.95, "symbols": 0.85, "signatures": 0.85}
GOALS |= {"config": 0.85, "requirements": 0.95, "promises": 0.95}
TRIES = 12
"""How often a planter may find no place before the repository is left."""


@dataclass
class Tally:
    """What came of everything."""

    files: int = 0
    lines: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)
    warnings: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    as_error: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)


def main() -> None:
    """Run, print, and append to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=int, default=5, help="for each planter and repository")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "gate.md")
    parser.add_argument("--missed", action="store_true", help="list the faults that are not found")
    asked = parser.parse_args()
    tally = Tally()
    folders = asked.folders or [installed(name) for name in INSTALLED]
    for folder in folders:
        check(folder, asked.seed, asked.faults, tally)
    told = report([folder.name for folder in folders], asked.seed, tally)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with asked.out.open("a", encoding="utf-8") as out:
        out.write(told)
    print(told)
    if asked.missed:
        print("\n".join(tally.missed))


def installed(name: str) -> Path:
    """Return the folder of an installed package."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        sys.exit(f"{name} is not installed: name folders.")
    return Path(spec.origin).parent


def check(folder: Path, seed: int, faults: int, tally: Tally) -> None:
    """Check one repository untouched, and with each fault."""
    files = read_repository(folder)
    if "__init__.py" in files:
        files = {f"{folder.name}/{path}": data for path, data in files.items()}
    cache: Cache = {}
    began = time.process_time()
    before = validate(files, honour_ignores=True, cache=cache)
    tally.seconds += time.process_time() - began
    tally.files += sum(path.endswith(".py") for path in files)
    tally.lines += sum(data.count(b"\n") for path, data in files.items() if path.endswith(".py"))
    tally.errors += [f"{f.code} {f.path}:{f.line} {f.message}" for f in before if f.severity == "error"]
    tally.warnings += sum(f.severity == "warning" for f in before)
    needs = order_of(files, cache)
    repository = Repository(files, needs, random.Random(f"{seed} {folder.name}"))
    if not repository.parsed:
        return
    print(f"{folder.name}: {len(repository.parsed)} files to plant in", file=sys.stderr)
    ordered = validate(files, as_order(needs, files), honour_ignores=True, cache=cache)
    for planter, (_, plant) in PLANTERS.items():
        planted = tries = 0
        while planted < faults and tries < TRIES * faults:
            tries += 1
            fault = plant(repository)
            if fault is not None:
                planted += 1
                count(planter, fault, files, ordered if fault.needs is not None else before, cache, tally)


def count(
    planter: str, fault: Fault, files: Mapping[str, bytes], before: tuple[Finding, ...], cache: Cache, tally: Tally
) -> None:
    """Check with one fault, and count what is new."""
    order = as_order(fault.needs, files) if fault.needs is not None else None
    kept = dict(cache)
    after = validate({**files, **fault.files}, order, honour_ignores=True, cache=kept)
    old = Counter((f.code, f.path, f.message) for f in before)
    new = [f for f in after if not _taken(old, (f.code, f.path, f.message))]
    right = [f for f in new if f.path in fault.where and f.code[3] in fault.families]
    tally.planted[planter] += 1
    tally.found[planter] += bool(right)
    tally.as_error[planter] += any(f.severity == "error" for f in right)
    if not right:
        tally.missed.append(f"{planter}: {fault.what}, {', '.join(fault.files)} → {', '.join(sorted(fault.where))}")


def _taken(old: Counter[tuple[str, str, str]], key: tuple[str, str, str]) -> bool:
    old[key] -= 1
    return old[key] >= 0


def order_of(files: Mapping[str, bytes], cache: Cache) -> Needs:
    """Return each file after the files that it imports, as a logic design has it; circles are cut somewhere."""
    outlines = {path: read.outline for (path, _), read in cache.items() if read.outline is not None}
    modules = Modules(files, outlines)
    needs: dict[str, set[str]] = defaultdict(set)
    for path, outline in outlines.items():
        needs[path] |= {
            target
            for imported in outline.imports
            if not imported.for_types
            for target in imported_files(modules, imported, path)
            if target != path
        }
    order: dict[str, tuple[str, ...]] = {}
    while len(order) < len(needs):
        left = [path for path in sorted(needs) if path not in order]
        ready = [path for path in left if needs[path] <= order.keys()] or left[:1]
        order.update((path, tuple(sorted(needs[path] & order.keys()))) for path in ready)
    return order


def as_order(needs: Needs, files: Mapping[str, bytes]) -> ImportOrder:
    """Return the order as the artifact that the gate takes; what the untouched files define counts as planned."""
    return ImportOrder(
        files=tuple(
            OrderedFile(path=path, needs=each, promises=promises_of(p) if (p := parsed(path, files[path])) else ())
            for path, each in needs.items()
        )
    )


def report(names: list[str], seed: int, tally: Tally) -> str:
    """Return a dated section of Markdown."""
    thousands = max(tally.lines, 1) / 1000
    rows = "".join(_row(planter, family, tally, [planter]) for planter, (family, _) in PLANTERS.items())
    for family, goal in GOALS.items():
        members = [planter for planter, (of, _) in PLANTERS.items() if of == family]
        rows += _row(f"**{family}** (goal {goal})", "", tally, members)
    errors = "".join(f"\n- {error}" for error in tally.errors) or " none"
    return (
        f"{heading(f'Python {platform.python_version()}, seed {seed}')}{', '.join(names)}: "
        f"{tally.files} files, {tally.lines:,} lines; untouched: {len(tally.errors)} errors "
        f"({len(tally.errors) / thousands:.3f} for 1,000 lines), {tally.warnings} warnings; "
        f"{tally.seconds / max(tally.files, 1) * 1000:.1f} s of processor time for 1,000 files.\n\n"
        f"| planted | family | faults | found | recall | as error |\n|---|---|---|---|---|---|\n{rows}\n"
        f"Errors on the untouched code:{errors}\n"
    )


def _row(name: str, family: str, tally: Tally, planters: list[str]) -> str:
    planted = sum(tally.planted[p] for p in planters)
    found = sum(tally.found[p] for p in planters)
    errors = sum(tally.as_error[p] for p in planters)
    recall = f"{found / planted:.2f}" if planted else "-"
    return f"| {name} | {family} | {planted} | {found} | {recall} | {errors} |\n"


if __name__ == "__main__":
    main()
