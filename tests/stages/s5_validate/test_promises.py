"""Promises: what a plan says must be there, and the ways in which it may be."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile, Promise
from paper2code_local.stages.s5_validate import validate

LOSS = Promise(name="loss", signature="def loss(x: float, y: float, *, power: int = 2) -> float", measured=True)
NET = (
    Promise(name="Net", signature=""),
    Promise(name="Net.__init__", signature="def __init__(self, width: int, depth: int = 2) -> None"),
    Promise(name="Net.forward", signature="def forward(self, x: Tensor) -> Tensor"),
)
GOOD_NET = "class Net:\n    def __init__(self, width, depth=2):\n        self.w = width * depth\n"
FORWARD = "    def forward(self, x):\n        return x * self.w\n"


def found(text: str | None, *promises: Promise, entry: bool = False) -> list[tuple[str, str]]:
    order = ImportOrder(files=(OrderedFile(path="m.py", needs=(), promises=promises, is_entry=entry),))
    files = {"m.py": text.encode()} if text is not None else {"other.py": b"X = 1\n"}
    return [(f.code, f.severity) for f in validate(files, order) if f.code.startswith("P2C3")]


KEPT = {
    "as planned": "def loss(x, y, *, power=2): return (x - y) ** power\n",
    "other annotations": "def loss(x: int, y: 'Any', *, power: str = '2') -> None: return x - y\n",
    "more with defaults": "def loss(x, y, z=0, *, power=2, w=1): return x - y\n",
    "any arguments": "def loss(*args, **kwargs): return sum(args)\n",
    "imported": "from statistics import mean as loss\n",
    "assigned": "loss = max\n",
    "one of two": "import sys\nif sys.argv:\n    def loss(x): return x\nelse:\n    def loss(x, y): return y\n",
    "unknown decorator": "import lib\n@lib.d\ndef loss(model): return model\n",
    "made at run time": "globals()['loss'] = max\n",
    "asynchronous": "async def loss(x, y, *, power=2): return x\n",
    "constant among others": "def loss(x, y, *, power=2):\n    if x: return 0.0\n    return x - y\n",
    "does not compile": "def loss(x\n",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_promise_is_silent(name: str) -> None:
    assert found(KEPT[name], LOSS) == []


@pytest.mark.parametrize(
    "text",
    [
        GOOD_NET + FORWARD,
        "from torch import nn\nclass Net(nn.Module):\n" + GOOD_NET.split("\n", 1)[1] + FORWARD,
        "class Base:\n    def forward(self, x): return x\nclass Net(Base):\n" + GOOD_NET.split("\n", 1)[1],
        GOOD_NET + "        self.forward = lambda x: x\n",
        "from dataclasses import dataclass\n@dataclass\nclass Net:\n    width: int\n    depth: int = 2\n" + FORWARD,
        "from lib import Net\n",
    ],
)
def test_a_class_may_have_its_methods_in_many_ways(text: str) -> None:
    assert found(text, *NET) == []


BROKEN = {
    "missing": ("def cost(x, y): return x\n", "P2C303"),
    "other name": ("def loss(a, y, *, power=2): return a - y\n", "P2C304"),
    "other order": ("def loss(y, x, *, power=2): return x - y\n", "P2C304"),
    "fewer": ("def loss(x, *, power=2): return x\n", "P2C304"),
    "more": ("def loss(x, y, z, *, power=2): return x\n", "P2C304"),
    "no keyword": ("def loss(x, y): return x - y\n", "P2C304"),
    "needed keyword": ("def loss(x, y, *, power=2, mask): return x\n", "P2C304"),
    "empty": ("def loss(x, y, *, power=2):\n    pass\n", "P2C301"),
    "to do": ("def loss(x, y, *, power=2):\n    raise NotImplementedError\n", "P2C301"),
    "empty file": ("", "P2C302"),
    "no file": (None, "P2C302"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_an_error(name: str) -> None:
    text, code = BROKEN[name]
    assert found(text, LOSS) == [(code, "error")]


@pytest.mark.parametrize("result", ["0.95", "-1", "(0.1, 0.2)", "{'accuracy': 0.9}", "float(3)", "torch.tensor(0.5)"])
def test_a_constant_that_should_be_measured_is_a_warning(result: str) -> None:
    text = f'import torch\ndef loss(x, y, *, power=2):\n    """The loss."""\n    return {result}\n'
    assert found(text, LOSS) == [("P2C305", "warning")]
    assert found(text, LOSS.model_copy(update={"measured": False})) == []


def test_a_missing_class_is_said_once_and_a_missing_method_at_its_class() -> None:
    assert found("x = 1\n", *NET) == [("P2C303", "error")]
    assert found(GOOD_NET, *NET) == [("P2C303", "error")]
    assert found("from torch import nn\nclass Net(nn.Module):\n    pass\n", *NET) == [("P2C303", "error")] * 2
    assert found("from lib import Base\nclass Net(Base):\n    pass\n", *NET) == [("P2C303", "warning")] * 2


def test_a_parameter_that_lost_its_default() -> None:
    assert found(GOOD_NET.replace("depth=2", "depth") + FORWARD, *NET) == [("P2C304", "error")]


@pytest.mark.parametrize(
    ("end", "runs"),
    [
        ("", False),
        ("if __name__ == '__main__':\n    pass\n", False),
        ("X = main\n", False),
        ("if __name__ == '__main__':\n    main()\n", True),
        ("if '__main__' == __name__:\n    raise SystemExit(main())\n", True),
        ("main()\n", True),
    ],
)
def test_the_entry_point_runs(end: str, runs: bool) -> None:
    assert found(f"def main(): print(1)\n{end}", entry=True) == ([] if runs else [("P2C306", "error")])


def test_without_a_design_nothing_is_promised() -> None:
    assert validate({"m.py": b"", "main.py": b"def main(): print(1)\n"}) == ()
