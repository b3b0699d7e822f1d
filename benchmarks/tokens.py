"""What the short forms save, counted in tokens on real runs: paper, needed files, repairs, ends of runaway answers.

    python benchmarks/tokens.py RUN... [--s2orc FILE...] [--results FILE]

No model runs: prompts and answers are those of the run folders, counted with the tokenizer of their model. Each row
says what something took as it is sent or written, and what its longer form would take:

    paper     as it stands in every prompt, against the JSON that PaperCoder sends (S2ORC without its spans, authors
              and bibliography; ours with its bibliography and without); needs --s2orc
    needs     skeletons of the files that a file needs, against their whole code, once for each file that needs any
    repairs   answers to repairs of a function, against the whole file that holds it
    runaway   answers that were ended because they repeat themselves, against what they were allowed
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measured import heading, markdown_table

from paper2code_local.artifacts.plan import Plan
from paper2code_local.casting import read_record
from paper2code_local.engine.runaway import repeats_itself
from paper2code_local.modelstore.folder import model_folder
from paper2code_local.modelstore.store import default_store
from paper2code_local.prefix import paper_text
from paper2code_local.session import tokenizer_of
from paper2code_local.source import skeleton
from paper2code_local.stages.s1_parse.s2orc import paper_of_s2orc

Count = Callable[[str], int]
LEFT_OUT = {"authors", "bib_entries", "year", "venue", "identifiers", "_pdf_hash", "header"} | {
    f"{kind}_spans" for kind in ("cite", "ref", "eq")
}
"""What PaperCoder takes out of the JSON before a model sees it (0_pdf_process.py, 2025)."""


def main() -> None:
    """Print the table, and append it to the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--s2orc", nargs="*", type=Path, default=[])
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results" / "tokens.md")
    asked = parser.parse_args()
    record = read_record(asked.runs[0])
    if record is None:
        parser.error(f"{asked.runs[0]} is not the folder of a run")
    model = model_folder(next(iter(record.models.values())).spec, default_store(os.environ))
    count = tokenizer_of(model).count
    rows = [row for path in asked.s2orc for row in of_paper(path, count)]
    rows += [row for run in asked.runs for row in of_run(run, count)]
    said = heading(f"tokens by the tokenizer of {model.id}") + markdown_table(rows)
    with asked.results.open("a", encoding="utf-8") as out:
        out.write(said)
    print(said)


def of_paper(path: Path, count: Count) -> Iterator[dict[str, object]]:
    """Compare how a paper is sent."""
    data = path.read_bytes()
    paper, theirs = paper_of_s2orc(data), count(str(without_spans(json.loads(data))))
    for what, part in (("paper", paper), ("paper, no bibliography", paper.model_copy(update={"references": ()}))):
        yield _row(path.name, what, 1, paper_text(part, count, None).tokens, theirs)


def without_spans(value: Any) -> Any:
    """Return S2ORC JSON as PaperCoder sends it."""
    if isinstance(value, dict):
        return {key: without_spans(item) for key, item in value.items() if key not in LEFT_OUT}
    return [without_spans(item) for item in value] if isinstance(value, list) else value


def of_run(run: Path, count: Count) -> Iterator[dict[str, object]]:
    """Compare what a run asked and was answered."""
    files = {path: text for path in _paths(run) if (text := _read(run / "4-repo" / path)) is not None}
    plan = Plan.model_validate_json((run / "2-plan.json").read_bytes())
    needed = [files[need] for file in plan.files for need in file.needs if need in files]
    yield _row(run.name, "needs", len(needed), sum(count(skeleton(text)) for text in needed), sum(map(count, needed)))
    calls = [json.loads(path.read_bytes()) for path in sorted((run / "calls").glob("*.json"))]
    repairs = [(call["label"].partition(":")[0].partition(".")[2], call) for call in calls if _of_unit(call["label"])]
    whole = [(count(files[path]), call["completion"]["completion_tokens"]) for path, call in repairs if path in files]
    yield _row(run.name, "repairs", len(whole), sum(unit for _, unit in whole), sum(file for file, _ in whole))
    ended = [call for call in calls if _ran_away(call)]
    spent = sum(call["completion"]["completion_tokens"] for call in ended)
    yield _row(run.name, "runaway", len(ended), spent, sum(call["request"]["max_tokens"] for call in ended))


def _paths(run: Path) -> list[str]:
    return [path.relative_to(run / "4-repo").as_posix() for path in sorted((run / "4-repo").rglob("*.py"))]


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _of_unit(label: str) -> bool:
    return label.startswith("repair") and ":" in label


def _ran_away(call: dict[str, Any]) -> bool:
    completion = call["completion"]
    early = completion["completion_tokens"] < call["request"]["max_tokens"]
    return bool(completion["finish"] == "length" and early and repeats_itself(completion["text"]))


def _row(of: str, what: str, times: int, short: int, long: int) -> dict[str, object]:
    saved = f"{1 - short / long:.0%}" if long else "-"
    return {"of": of, "what": what, "number": times, "tokens": short, "longer form": long, "saved": saved}


if __name__ == "__main__":
    main()
