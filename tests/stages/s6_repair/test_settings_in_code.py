"""Names that are settings, used as if they were variables; attributes that the constructor was given."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s6_repair.mechanical import fix_of

SETTINGS = frozenset({"rate", "steps"})


def mended(text: str, code: str = "P2C601") -> str | None:
    files = {"main.py": text.encode(), "config.yaml": b"rate: 0.1\nsteps: 3\n"}
    finding = next(f for f in validate(files) if f.code == code)
    fix = fix_of({"main.py": text}, finding, SETTINGS)
    return fix.text if fix else None


def test_a_setting_is_read_from_config_wherever_its_name_stands() -> None:
    text = "def main(config):\n    é = rate * 2; print(é, rate, rate=rate)\n    return [rate for _ in '12']\n"
    told = mended(text)
    assert told == text.replace("rate * 2", 'config["rate"] * 2').replace(
        "é, rate, rate=rate", 'é, config["rate"], rate=config["rate"]'
    ).replace("[rate for", '[config["rate"] for')
    assert not [f for f in validate({"main.py": told.encode()}) if f.severity == "error"]


def test_an_inner_function_with_a_parameter_of_that_name_keeps_it() -> None:
    inner = "    def step(x, rate, n=steps):\n        return x * rate\n"
    told = mended(f"def main(config, steps):\n{inner}    return step(1, rate)\n")
    assert told == f'def main(config, steps):\n{inner}    return step(1, config["rate"])\n'


@pytest.mark.parametrize(
    "text",
    [
        "def main(settings):\n    return rate\n",
        "print(rate)\n",
        "def main(config):\n    return f'{rate}'\n",
        "def main(config):\n    return other\n",
        "def main(config):\n    def a():\n        import rate\n        return rate.x\n    return a, rate\n",
        "def main(config):\n    def a():\n        def rate(x):\n            return x\n    return a, rate\n",
        "def main(config):\n    def a(config):\n        return rate\n    return a(1), rate\n",
        "def main(config):\n    del config\n    return [rate for rate in 'ab'] + [rate]\n",
    ],
)
def test_elsewhere_it_is_left_alone(text: str) -> None:
    assert mended(text) is None


BASE = "import torch.nn as nn\n\n\nclass C(nn.Module):\n    def __init__(self, width, config):\n"
READER = "\n    def forward(self):\n        return {}\n\n\nC(1, {{}}).forward()\n"


@pytest.mark.parametrize(
    ("body", "read", "kept"),
    [
        ("        super().__init__()\n", "self.width", "width"),
        ('        """Doc."""\n        super().__init__()\n', "self.width", "width"),
        ('        """Doc.\n\n        More."""\n        nn.Module.__init__(self)\n', "self.rate", 'config["rate"]'),
        ("        super().__init__()\n", "self.config", "config"),
    ],
)
def test_the_constructor_keeps_what_it_was_given_once_the_base_is_set_up(body: str, read: str, kept: str) -> None:
    rest = "        self.other = 1\n"
    told = mended(BASE + body + rest + READER.format(read), "P2C603")
    assert told == BASE + body + f"        {read} = {kept}\n" + rest + READER.format(read)
    assert not [f for f in validate({"main.py": told.encode()}) if f.severity == "error"]


@pytest.mark.parametrize(
    "text",
    [
        BASE + "        super().__init__()\n" + READER.format("self.height"),
        BASE.replace(", config", ", c") + "        super().__init__()\n" + READER.format("self.rate"),
        "class C:\n    def __init__(self, width): pass\n    def f(self): return self.width\n\n\nC(1).f()\n",
        "class C:\n    def f(self, width):\n        return self.width\n\n\nC().f(1)\n",
    ],
)
def test_what_it_was_not_given_it_does_not_keep(text: str) -> None:
    assert mended(text, "P2C603") is None
