"""`generate` with several papers: which they are, where each goes, and what came of them."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from paper2code_local import casting
from paper2code_local.artifacts.finding import errors_of
from paper2code_local.cli.boundary import boundary, failed, say, say_json
from paper2code_local.cli.findings import counted, number
from paper2code_local.cli.results import kept, result
from paper2code_local.cli.watching import Shown, guard_servers, own_stderr
from paper2code_local.durable import writing
from paper2code_local.engines import Engines
from paper2code_local.errors import CLEAN, FINDINGS, Failure, InputError, P2CError, UsageError
from paper2code_local.events import Event, Listener
from paper2code_local.listeners.jsonl import JsonLines
from paper2code_local.listeners.papers import PapersView
from paper2code_local.listeners.progress import duration
from paper2code_local.listeners.summary import Totals
from paper2code_local.papers import generate_all
from paper2code_local.pipeline import Outcome
from paper2code_local.rundir import default_run, stem_of
from paper2code_local.settings import Job
from paper2code_local.stages import s1_parse

PAPERS = (".pdf", ".xml", ".json", ".md", ".zip", ".gz", ".tgz", ".tar")
"""What a file of a folder of papers ends with; in such a folder a README is none."""


def papers_in(given: Sequence[Path]) -> tuple[Path, ...]:
    """Return the papers, with a folder of papers replaced by its files. Raises InputError (`no_papers`)."""
    found = [paper for path in given for paper in (_inside(path) if _holds_papers(path) else (path,))]
    return tuple(dict.fromkeys(found))


def _holds_papers(path: Path) -> bool:
    return path.is_dir() and not any(path.rglob("*.tex"))


def _inside(folder: Path) -> list[Path]:
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and path.suffix.lower() in PAPERS)
    except OSError as error:
        raise InputError("unreadable", f"{folder} cannot be read: {error.strerror}", "Check the path.") from error
    papers = [path for path in files if not path.name.startswith((".", "README"))]
    if not papers:
        raise InputError("no_papers", f"{folder} holds no papers", f"Papers end with {', '.join(PAPERS)}, or .tex.")
    return papers


def named(papers: Sequence[Path]) -> dict[Path, str]:
    """Name the folder of each paper: its stem; its whole name, and then a number, where that is taken."""
    stems = {paper: stem_of(paper.name.split(".")[0]) for paper in papers}
    often = Counter(stems.values())
    names: dict[Path, str] = {}
    for paper, stem in stems.items():
        name = stem if often[stem] == 1 else stem_of(paper.name.replace(".", "-"))
        number_ = next(n for n in range(1, len(papers) + 2) if (f"{name}-{n}" if n > 1 else name) not in names.values())
        names[paper] = f"{name}-{number_}" if number_ > 1 else name
    return names


@dataclass
class Row:
    """What came of one paper."""

    paper: Path
    outcome: Outcome | Failure
    totals: Totals | None = None

    @property
    def exit_code(self) -> int:
        """The exit code that the paper alone would have had."""
        if isinstance(self.outcome, Failure):
            return self.outcome.exit_code
        return CLEAN if self.outcome.ok else FINDINGS

    def data(self) -> dict[str, object]:
        """Return the paper's object for --json."""
        head: dict[str, object] = {"paper": str(self.paper), "exit": self.exit_code}
        if isinstance(self.outcome, Failure):
            return head | {"ok": False, "error": failed(self.outcome)}
        assert self.totals is not None
        return head | result(self.outcome, self.totals)

    def told(self) -> str:
        """Say it in a line."""
        if isinstance(self.outcome, Failure):
            return f"exit {self.exit_code}: {self.outcome.message}"
        if self.outcome.repo is None:
            return f"stopped as asked: {self.outcome.run}"
        stubs = len(self.outcome.stubbed_files) + len(self.outcome.stubbed_names)
        found = counted(self.outcome.findings) + (f", {number(stubs, 'stub')}" if stubs else "")
        return f"{found}: {self.outcome.repo}"


def generate_many(job: Job, papers: Sequence[Path], together: int | None, shown: Shown) -> int:
    """Make a repository of each paper in the folder `job.out`; return the worst exit code.

    Raises UsageError when what belongs to one paper was asked for several.
    """
    if job.supplements:
        raise UsageError("supplement", "a supplement belongs to one paper", "Generate from that paper alone.")
    began = time.monotonic()
    base = job.run or job.out.absolute().parent / "runs"
    rows: dict[Path, Row] = {}
    totals: dict[Path, Totals] = {}
    with ExitStack() as stack:
        screen = stack.enter_context(own_stderr())
        quiet = shown.quiet or shown.json
        view = stack.enter_context(PapersView(Console(file=screen), len(papers), quiet, shown.verbose))
        files = [stack.enter_context(JsonLines(shown.events))] if shown.events else []

        def keep(outcome: Outcome) -> None:
            totals[outcome.run] = kept(outcome)

        def ended(job: Job, outcome: Outcome | Failure) -> None:
            row = Row(job.paper, outcome, None if isinstance(outcome, Failure) else totals[outcome.run])
            rows[job.paper] = row
            view.ended(job.paper.name, row.told())

        @contextmanager
        def watch(job: Job) -> Iterator[Listener]:
            assert job.run is not None
            shows = view.of(job.paper.name)
            with JsonLines(job.run / "events.jsonl") as own:
                listeners: list[Listener] = [own, *files, shows]

                def hear(event: Event) -> None:
                    for listener in listeners:
                        listener(event)

                yield hear

        jobs: list[Job] = []
        for paper, name in named(papers).items():
            each = job.model_copy(update={"paper": paper, "out": job.out / name})
            try:
                each = each.model_copy(update={"run": default_run(paper, s1_parse.digest(paper), base)})
                if same := next((other for other in jobs if other.run == each.run), None):
                    raise UsageError("same_paper", f"{paper} is {same.paper} once more", "Name each paper once.")
                guard_servers(casting.urls_of(each, casting.read_record(each.run or base)))
                jobs.append(each)
            except P2CError as error:
                ended(each, Failure(error.code, error.message, error.hint, error.exit_code))

        async def story() -> None:
            log = base / "engine.log"
            with writing(base):
                base.mkdir(parents=True, exist_ok=True)
            async with Engines(view.of(""), log) as engines:
                await generate_all(jobs, together, engines, watch, boundary().guarded, keep, ended)

        asyncio.run(story())
    code = max(row.exit_code for row in rows.values())
    ordered = [rows[paper] for paper in papers]
    if shown.json:
        data = [row.data() for row in ordered]
        say_json({"schema_version": 1, "ok": code == CLEAN, "papers": data, "exit": code})
    elif not shown.quiet:
        say("\n".join(_table(ordered, time.monotonic() - began)))
    return code


def _table(rows: Sequence[Row], seconds: float) -> list[str]:
    """Return the papers as a table for a person."""
    head = ("paper", "exit", "errors", "warnings", "stubs", "calls", "cached", "repository")
    cells = [head, *map(_cells, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in cells]
    hints = {row.outcome.message: row.outcome.hint for row in rows if isinstance(row.outcome, Failure)}
    lines += ["", *(f"{message}\n  hint: {hint}" for message, hint in hints.items())] if hints else []
    return [*lines, "", f"{number(len(rows), 'paper')} in {duration(seconds)}"]


def _cells(row: Row) -> tuple[str, ...]:
    outcome = row.outcome
    if isinstance(outcome, Failure) or row.totals is None:
        return (row.paper.name, str(row.exit_code), *("" for _ in range(5)), "none")
    errors = len(errors_of(outcome.findings))
    counts = (errors, len(outcome.findings) - errors, len(outcome.stubbed_files) + len(outcome.stubbed_names))
    share = f"{row.totals.cached_share:.0%}"
    where = str(outcome.repo or "none")
    return (row.paper.name, str(row.exit_code), *map(str, counts), str(row.totals.calls), share, where)
