"""Repositories, gate and rewriter that the tests of repair share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from paper2code_local.artifacts.finding import Finding, errors_of
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.artifacts.repair import Fault
from paper2code_local.artifacts.repo import Repo, SourceFile, Unwritten, ValidatedRepo
from paper2code_local.artifacts.spec import FileSpec
from paper2code_local.stages.s4_code import skeleton_file
from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s6_repair import settle
from tests.stages.s7_write.small_repository import PLAN

ORDER = ImportOrder(files=tuple(OrderedFile(path=f.path, needs=f.needs) for f in PLAN.files))
SPECS = {f.path: FileSpec(path=f.path, definitions=(), steps=(), config_keys=(), edge_cases=()) for f in PLAN.files}
LOADER = "import numpy as np\n\n\ndef load(path: str) -> np.ndarray:\n    return np.load(path)\n"
MODEL = "from data.loader import load\n\n\nclass Smoother:\n    def forward(self, x):\n        return load(x)\n\n\nclass HalfSmoother(Smoother):\n    size = 2\n"  # noqa: E501
MAIN = "from data.loader import load\nfrom model import Smoother\n\n\ndef main(config):\n    return Smoother().forward(load('x'))\n"  # noqa: E501
GOOD = {"data/loader.py": LOADER, "model.py": MODEL, "main.py": MAIN}


async def gate(texts: Mapping[str, str]) -> tuple[Finding, ...]:
    return validate({path: text.encode("utf-8", "replace") for path, text in texts.items()}, ORDER)


@cache
def skeleton(path: str, reason: str) -> SourceFile:
    return skeleton_file(path, PLAN, SPECS, reason)


def plain_skeleton(path: str, _reason: str) -> SourceFile:
    """Be quick where many files are broken in many ways."""
    return skeleton(path, "P2C101: broken")


def repo(**changed: str | None) -> Repo:
    """Return the good repository with some files changed; None is a file that could not be had."""
    texts: dict[str, str | None] = {**GOOD, **{name.replace("__", "/") + ".py": text for name, text in changed.items()}}
    return Repo(
        files=tuple(
            Unwritten(path=path, reason="the answer is empty") if text is None else SourceFile(path=path, text=text)
            for path, text in texts.items()
        )
    )


async def settled(given: Repo, make: Callable[[str, str], SourceFile] = skeleton) -> ValidatedRepo:
    """Settle, and look again at what came out."""
    made = await settle(given, PLAN, gate, make)
    again = await gate({f.path: f.text for f in made.files})
    assert again == made.findings
    assert not [f for f in errors_of(again) if f.code.startswith(("P2C1", "P2C2"))]
    for file in made.files:
        compile(file.text, file.path, "exec", dont_inherit=True)
    return made


class Rewriter:
    """Gives back what `texts` has, and remembers what it was asked."""

    def __init__(self, texts: Mapping[str, list[str | None]]) -> None:
        self.texts = {path: list(left) for path, left in texts.items()}
        self.asked: list[tuple[str, str, str | None]] = []
        self.faults: list[Fault] = []
        self.read: list[Repo] = []

    async def __call__(self, fault: Fault, label: str, repo: Repo) -> SourceFile | Unwritten:
        self.asked.append((label, fault.path, fault.unit))
        self.faults.append(fault)
        self.read.append(repo)
        left = self.texts.get(fault.path, [])
        text = left.pop(0) if left else None
        if text is None:
            return Unwritten(path=fault.path, reason="empty")
        return SourceFile(path=fault.path, text=text)
