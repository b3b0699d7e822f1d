from __future__ import annotations

import pytest
from pydantic import ValidationError

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate


def _codes(files: dict[str, str], order: ImportOrder | None = None) -> list[tuple[str, str]]:
    data = {path: text.encode() for path, text in files.items()}
    return [(f.code, f.path) for f in errors_of(validate(data, order))]


NET = {"net/__init__.py": "", "net/loss.py": "def mse(): return 0\n"}

RIGHT = {
    "third party": {"m.py": "import torch.nn\nfrom numpy import array\n"},
    "module": NET | {"m.py": "import net.loss as loss\nfrom net.loss import mse\nfrom net import loss as l\n"},
    "src": {"src/net/__init__.py": "", "src/net/a.py": "X = 1\n", "m.py": "from net.a import X\n"},
    "sibling of a script": {"scripts/run.py": "from tools import go\n", "scripts/tools.py": "def go(): return 1\n"},
    "root from a script": NET | {"scripts/run.py": "from net.loss import mse\n"},
    "root from a test": NET | {"tests/__init__.py": "", "tests/test_a.py": "from net.loss import mse\n"},
    "helper above": {"a/help.py": "X = 1\n", "a/b/run.py": "from help import X\n"},
    "namespace package": {"net/a.py": "X = 1\n", "m.py": "from net.a import X\nfrom net import a\nimport net.a\n"},
    "folder named like an installed package": {"datasets/x.py": "", "m.py": "from datasets import load_dataset\n"},
    "package below named like an installed one": {
        "pkg/__init__.py": "",
        "pkg/yaml/__init__.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/m.py": "from yaml import load\n",
    },
    "folder without __init__.py in a package": {
        "pkg/__init__.py": "from . import envs\n",
        "pkg/envs/crafter.py": "import crafter\nimport atari.wrappers\nENV = crafter.Env()\n",
        "pkg/envs/atari.py": "from crafter import Recorder\n",
    },
    "wrapper named like what it wraps": {"envs/crafter.py": "from crafter import Env\nimport crafter.engine\n"},
    "parts of a namespace elsewhere": {
        "org/here/a.py": "from org import there\nimport org.there.b\nfrom org.here import a\n",
        "setup.py": "from setuptools import find_namespace_packages, setup\n",
    },
    "namespace of many": {"hydra_plugins/mine/a.py": "import hydra_plugins.mine.a\nimport hydra_plugins.optuna\n"},
    "namespace portions": {
        "org/proto/grpc/__init__.py": "",
        "org/proto/grpc/a.py": "from grpc import Channel\n",
        "m.py": "import org.proto.grpc.a\n",
    },
    "standard module with a file of its name": {"queue.py": "", "m.py": "from queue import Queue\n"},
    "re-export": {"net/__init__.py": "from .a import X\n", "net/a.py": "X = 1\n", "m.py": "from net import X\n"},
    "star": {"net/__init__.py": "from .a import *\n", "net/a.py": "X = 1\n", "m.py": "from net import X\n"},
    "star from elsewhere": {"a.py": "from numpy import *\n", "m.py": "from a import array\n"},
    "stars in a circle": {"a.py": "from b import *\n", "b.py": "from a import *\n", "m.py": "from a import x\n"},
    "__getattr__": {"a.py": "def __getattr__(name): return 1\n", "m.py": "from a import x\n"},
    "lazy module": {"a.py": "import sys\nsys.modules[__name__] = make()\n", "m.py": "from a import x\n"},
    "conditional": {"a.py": "if __debug__:\n    y = 1\nelse:\n    z = 1\n", "m.py": "from a import y, z\n"},
    "guarded": NET | {"m.py": "try:\n    from net.gone import x\nexcept ImportError:\n    x = None\n"},
    "for types": NET | {"m.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from net.gone import x\n"},
    "compiled": NET | {"net/fast.cpython-311-x86_64-linux-gnu.so": "", "m.py": "from net.fast import x\n"},
    "cython": NET | {"net/fast.pyx": "", "m.py": "from .net.fast import x\n", "__init__.py": ""},
    "template": NET | {"net/conf.py.in": "", "m.py": "import net.conf\n"},
    "made by the build": NET | {"m.py": "from net._version import version\nfrom net.data_pb2 import Row\n"},
    "rust": NET | {"Cargo.toml": "", "m.py": "from net._core import x\n"},
    "data folder": NET | {"net/data/rows.csv": "", "m.py": "from net import data\n"},
    "attributes of modules": NET | {"m.py": "from net.loss import __doc__, __name__\n"},
    "sys.path": NET
    | {
        "lib/net/extra.py": "X = 1\n",
        "m.py": "import sys\nsys.path.insert(0, 'lib')\nfrom net.extra import X\n",
    },
    "root is the package": {"__init__.py": "", "a.py": "from . import b\nfrom ..other import x\n", "b.py": ""},
    "path of another package": {
        "net/__init__.py": "import net.a\nnet.__path__.append('x')\n",
        "net/a.py": "",
        "m.py": "import net.more\n",
    },
    "package path": {"net/__init__.py": "__path__.append('x')\n", "m.py": "import net.more\n"},
}

WRONG = {
    "submodule": (NET | {"m.py": "import net.lose\n"}, "P2C201"),
    "own package by its full name": ({"net/__init__.py": "from net.a import X\n", "net/a.py": ""}, "P2C202"),
    "beside a look at the folder of another package": (
        {"a.py": "import yaml\nFOLDER = yaml.__path__[0]\n", "m.py": "from a import X\n"},
        "P2C202",
    ),
    "submodule of src": ({"src/net/__init__.py": "", "m.py": "import net.a\n"}, "P2C201"),
    "relative module": (NET | {"net/a.py": "from .lose import mse\n"}, "P2C201"),
    "module of a module": (NET | {"m.py": "import net.loss.mse\n"}, "P2C201"),
    "in a function": (NET | {"m.py": "def f():\n    import net.lose\n"}, "P2C201"),
    "as a script": (NET | {"m.py": 'if __name__ == "__main__":\n    import net.lose\n'}, "P2C201"),
    "namespace in use": ({"net/a.py": "", "m.py": "import net.a\nimport net.b\n"}, "P2C201"),
    "name": (NET | {"m.py": "from net.loss import mae\n"}, "P2C202"),
    "name in a package": (NET | {"m.py": "from net import mse\n"}, "P2C202"),
    "relative name": (NET | {"net/a.py": "from . import lose\n"}, "P2C202"),
    "private name by star": (
        {"a.py": "from b import *\n", "b.py": "_x = 1\n", "m.py": "from a import _x\n"},
        "P2C202",
    ),
    "name not listed by star": (
        {"a.py": "from b import *\n", "b.py": "__all__ = ['x']\nx = y = 1\n", "m.py": "from a import y\n"},
        "P2C202",
    ),
    "name local to a function": ({"a.py": "def f():\n    x = 1\n", "m.py": "from a import x\n"}, "P2C202"),
    "deleted name": ({"a.py": "x = 1\ndel x\n", "m.py": "from a import x\n"}, "P2C202"),
    "name in a sibling of a script": ({"scripts/run.py": "from tools import go\n", "scripts/tools.py": ""}, "P2C202"),
    "no package": ({"m.py": "from .a import x\n", "a.py": "x = 1\n"}, "P2C205"),
    "beyond the top": (NET | {"net/a.py": "from ..loss import mse\n"}, "P2C205"),
}


@pytest.mark.parametrize("case", RIGHT)
def test_right_code_has_no_error(case: str) -> None:
    assert _codes(RIGHT[case]) == []


@pytest.mark.parametrize("case", WRONG)
def test_wrong_imports_are_errors(case: str) -> None:
    files, code = WRONG[case]
    assert [found for found, _ in _codes(files)] == [code]


def test_the_hint_says_where_the_name_is() -> None:
    files = {"a.py": b"", "b.py": b"class Net:\n    x = 1\n", "m.py": b"from a import Net\n"}
    assert "b.py" in validate(files)[0].hint


def test_the_hint_offers_the_name_that_was_meant() -> None:
    files = {"a.py": b"class Transformer:\n    x = 1\n", "m.py": b"from a import Transfomer\n"}
    assert "`Transformer`" in validate(files)[0].hint


def _order(*files: tuple[str, tuple[str, ...]]) -> ImportOrder:
    return ImportOrder(files=tuple(OrderedFile(path=path, needs=needs) for path, needs in files))


THREE = _order(("a.py", ()), ("b.py", ("a.py",)), ("c.py", ("b.py",)))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.py": "x = 1\n", "b.py": "from a import x\n", "c.py": "import b\n"}, []),
        ({"a.py": "", "b.py": "", "c.py": "import a\n"}, [("P2C204", "c.py")]),
        ({"a.py": "def f():\n    import c\n", "b.py": "", "c.py": ""}, [("P2C204", "a.py")]),
        ({"a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import c\n", "b.py": "", "c.py": ""}, []),
        ({"a.py": "import b\n", "b.py": "import a\n", "c.py": ""}, [("P2C203", "a.py"), ("P2C204", "a.py")]),
        ({"a.py": "", "b.py": "", "c.py": "", "main.py": "import a, c\n"}, []),
    ],
)
def test_the_logic_design_is_respected(files: dict[str, str], expected: list[tuple[str, str]]) -> None:
    assert _codes(files, THREE) == expected


def test_a_planned_folder_is_no_installed_package() -> None:
    order = _order(("net/a.py", ()), ("m.py", ("net/a.py",)))
    assert _codes({"net/a.py": "", "m.py": "from net.b import x\n"}, order) == [("P2C201", "m.py")]


@pytest.mark.parametrize(
    "files", [[("a.py", ("b.py",)), ("b.py", ())], [("a.py", ("a.py",))], [("a.py", ()), ("a.py", ())]]
)
def test_an_order_that_is_none_is_refused(files: list[tuple[str, tuple[str, ...]]]) -> None:
    with pytest.raises(ValidationError):
        _order(*files)
