"""Repair with no model: what each fix does, and that it keeps its hands off where it is not beyond doubt."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.finding import Finding
from paper2code_local.artifacts.repo import Repo, SourceFile
from paper2code_local.source import compile_error
from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s6_repair import look, repair
from paper2code_local.stages.s6_repair.looking import weight
from tests.stages.s6_repair.small_faults import Rewriter

NET = "class Net:\n    def run(self, x):\n        return x\n"
LOSS = "def loss(x):\n    return x\n"

MENDED = {
    "a name is imported from the one file that has it": (
        {"net.py": NET, "loss.py": LOSS, "main.py": "from net import Net, loss\n\nprint(Net, loss)\n"},
        {"main.py": "from net import Net\nfrom loss import loss\n\nprint(Net, loss)\n"},
    ),
    "in a package too, under its new name": (
        {
            "p/__init__.py": "",
            "p/net.py": NET,
            "p/loss.py": LOSS,
            "main.py": "from p.net import loss as f\n\nprint(f)\n",
        },
        {"main.py": "from p.loss import loss as f\n\nprint(f)\n"},
    ),
    "a relative import stays one": (
        {"p/__init__.py": "", "p/net.py": NET, "p/loss.py": LOSS, "p/run.py": "from .net import loss\n\nprint(loss)\n"},
        {"p/run.py": "from .loss import loss\n\nprint(loss)\n"},
    ),
    "a parenthesised import over lines": (
        {"net.py": NET, "loss.py": LOSS, "main.py": "from net import (\n    Net,\n    loss,\n)\n\nprint(Net, loss)\n"},
        {"main.py": "from net import Net\nfrom loss import loss\n\nprint(Net, loss)\n"},
    ),
    "a wrong prefix": (
        {"p/__init__.py": "", "p/net.py": NET, "main.py": "import p\nfrom p.models.net import Net\n\nprint(p, Net)\n"},
        {"main.py": "import p\nfrom p.net import Net\n\nprint(p, Net)\n"},
    ),
    "a relative import outside of any package": (
        {"net.py": NET, "main.py": "from .net import Net\n\nprint(Net)\n"},
        {"main.py": "from net import Net\n\nprint(Net)\n"},
    ),
    "a name of custom, after the imports": (
        {"main.py": '"""Doc."""\n\nimport os\n\nprint(os.sep, np.pi)\n'},
        {"main.py": '"""Doc."""\n\nimport os\nimport numpy as np\n\nprint(os.sep, np.pi)\n'},
    ),
    "a name of custom in a file that imports nothing": (
        {"main.py": "# A licence.\ndef f(x):\n    return math.sqrt(x)\n"},
        {"main.py": "# A licence.\nimport math\n\ndef f(x):\n    return math.sqrt(x)\n"},
    ),
    "after the docstring and the future": (
        {"main.py": '"""D."""\nfrom __future__ import annotations\n\n\ndef f():\n    json.x()\n'},
        {"main.py": '"""D."""\nfrom __future__ import annotations\nimport json\n\n\ndef f():\n    json.x()\n'},
    ),
    "a variable that hides what it is made of": (
        {
            "data.py": "def load():\n    return 1\n",
            "main.py": "import data\n\n\ndef main(n):\n    print(n)\n    data = data.load()\n    if data:\n"
            "        data = data + n\n    return [data for _ in range(n)]\n",
        },
        {
            "main.py": "import data\n\n\ndef main(n):\n    print(n)\n    data_ = data.load()\n    if data_:\n"
            "        data_ = data_ + n\n    return [data_ for _ in range(n)]\n"
        },
    ),
    "a variable that hides a class of its file": (
        {
            "net.py": "class Net:\n    pass\n\n\nNet_ = 1\n\n\ndef make():\n    Net = Net()\n    return lambda: Net\n",
        },
        {
            "net.py": "class Net:\n    pass\n\n\nNet_ = 1\n\n\ndef make():\n"
            "    Net__ = Net()\n    return lambda: Net__\n",
        },
    ),
    "an attribute that hides a method": (
        {
            "net.py": "class Net:\n    def __init__(self, config):\n        self.audit: bool = config['audit']\n"
            "        self.audit_ = 1\n\n    def audit(self, x):\n        return x\n\n    def run(self, x):\n"
            "        return self.audit(x) if self.audit else self.fit(self.audit)\n\n"
            "    def fit(self, x):\n        return x\n",
        },
        {
            "net.py": "class Net:\n    def __init__(self, config):\n        self.audit__: bool = config['audit']\n"
            "        self.audit_ = 1\n\n    def audit(self, x):\n        return x\n\n    def run(self, x):\n"
            "        return self.audit(x) if self.audit__ else self.fit(self.audit__)\n\n"
            "    def fit(self, x):\n        return x\n",
        },
    ),
    "a name that one other file defines": (
        {"net.py": NET, "main.py": "def main():\n    return Net().run(1)\n"},
        {"main.py": "from net import Net\n\ndef main():\n    return Net().run(1)\n"},
    ),
    "a requirement": (
        {
            "main.py": "import yaml\n\nprint(yaml)\n",
            "requirements.txt": "numpy\n",
            "a.py": "import numpy\n\nprint(numpy)\n",
        },
        {"requirements.txt": "numpy\nPyYAML\n"},
    ),
    "an import that nothing uses and that closes a circle": (
        {"a.py": "from b import B\n\nA = 1\n", "b.py": "from a import A\n\nB = A\n\n\ndef f():\n    return B\n"},
        {"a.py": "\nA = 1\n"},
    ),
    "a fence": (
        {"main.py": "Here is the code:\n\n```python\ndef main():\n    return 1\n```\n\nIt returns one.\n"},
        {"main.py": "def main():\n    return 1\n"},
    ),
    "a fence that never closes": (
        {"main.py": "```python\ndef main():\n    return 1\n"},
        {"main.py": "def main():\n    return 1\n"},
    ),
    "sentences around code": (
        {"main.py": "Here it is.\n\nimport os\n\n\ndef main():\n    return os.sep\n\nIt returns a sign.\n"},
        {"main.py": "import os\n\n\ndef main():\n    return os.sep\n"},
    ),
}
SETTINGS = (
    "import yaml\n\nwith open('config.yaml') as stream:\n    CONFIG = yaml.safe_load(stream)\nprint(CONFIG['rate'])\n"
)
LEFT = {
    "two files define the name": {
        "a.py": LOSS,
        "b.py": LOSS,
        "net.py": NET,
        "main.py": "from net import loss\nloss(1)\n",
    },
    "a name that is nowhere": {"main.py": "print(result)\n"},
    "a word that is also a module, not used as one": {"main.py": "print(queue)\n"},
    "a variable that hides nothing": {"main.py": "def f():\n    rows = [row for row in rows]\n    return rows\n"},
    "a name that a with binds": {"main.py": "import data\n\n\ndef f():\n    with data.open() as data:\n        pass\n"},
    "one name of two": {"main.py": "import data\n\n\ndef f():\n    data, n = data.load()\n    return data, n\n"},
    "a file of prose": {"main.py": "I am sorry, but I cannot write this file.\n\nAsk somebody else.\n"},
    "no requirements.txt to add to": {
        "main.py": "import yaml\n\nprint(yaml)\n",
        "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = ["numpy"]\n',
    },
}


async def gate(texts: dict[str, str]) -> tuple[Finding, ...]:
    return validate({path: text.encode() for path, text in texts.items()})


def repository(texts: dict[str, str]) -> Repo:
    return Repo(files=tuple(SourceFile.model_construct(path=p, text=t, stubbed=()) for p, t in texts.items()))


async def mended(texts: dict[str, str]) -> dict[str, str]:
    """Repair with no rounds, and see that nothing got worse."""
    given = repository(texts)
    repaired = await repair(given, gate, Rewriter({}), 0)  # type: ignore[arg-type]
    assert weight(repaired.report.after) <= weight(repaired.report.before)
    assert repaired.report.after == await look(repaired.repo, gate)  # type: ignore[arg-type]
    return {f.path: f.text for f in repaired.repo.files if isinstance(f, SourceFile)}


@pytest.mark.parametrize("name", MENDED)
async def test_what_is_beyond_doubt_is_mended_and_all_else_stays(name: str) -> None:
    before, after = MENDED[name]
    result = await mended(before)
    assert result == before | after
    for path, text in result.items():
        assert not path.endswith(".py") or compile_error(text, path) is None
    assert await mended(result) == result


@pytest.mark.parametrize("name", LEFT)
async def test_what_is_not_is_left(name: str) -> None:
    assert await mended(LEFT[name]) == LEFT[name]


@pytest.mark.parametrize(
    ("written", "better"),
    [
        ("rate: 1e-5", "rate: 1.0e-5"),
        ("rate: 1e5  # fast", "rate: 1.0e+5  # fast"),
        ("rate: 2.5e3", "rate: 2.5e+3"),
        ("rate: -3E-4", "rate: -3.0e-4"),
    ],
)
async def test_a_number_of_the_settings_is_spelled_as_yaml_wants_it(written: str, better: str) -> None:
    texts = {"main.py": SETTINGS, "config.yaml": f"{written}\n"}
    assert (await mended(texts))["config.yaml"] == f"{better}\n"
