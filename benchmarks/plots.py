"""Plots of a throughput run: requests as a Gantt chart, and how many were in flight. Needs matplotlib.

python benchmarks/plots.py results/throughput-DATE.json FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COLOURS = {"plan": "tab:blue", "analyse": "tab:orange", "code": "tab:green"}


def draw(data: dict[str, Any], folder: Path) -> None:
    """Draw each measure of `data` once, as PNG files in `folder`."""
    import matplotlib as mpl

    mpl.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    drawn: set[str] = set()
    for measure in data["measures"]:
        name = f"{measure['what']}-{'-'.join(map(str, sorted(set(measure['papers']))))}x{len(measure['papers'])}"
        if measure["requests"] and name not in drawn:
            drawn.add(name)
            _measure(measure, folder / f"{name.replace(' ', '_').replace(',', '')}.png")


def _measure(measure: dict[str, Any], path: Path) -> None:
    from matplotlib import pyplot

    figure, (chart, load) = pyplot.subplots(2, 1, sharex=True, figsize=(10, 8), height_ratios=(3, 1))
    requests = sorted(measure["requests"], key=lambda request: request[1])
    for row, (label, began, ended, *_) in enumerate(requests):
        chart.barh(row, ended - began, left=began, color=COLOURS[label.partition(".")[0]])
    chart.invert_yaxis()
    chart.set_ylabel("request")
    chart.set_title(f"{measure['what']}: {len(measure['papers'])} paper(s), {measure['seconds']} s")
    steps = sorted([(request[1], 1) for request in requests] + [(request[2], -1) for request in requests])
    times, counts, now = [0.0], [0], 0
    for at, change in steps:
        now += change
        times.append(at)
        counts.append(now)
    load.step(times, counts, where="post")
    load.set_ylabel("in flight")
    load.set_xlabel("seconds")
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


if __name__ == "__main__":
    draw(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
