"""Calls: tricky ones that are right, and wrong ones that must be seen."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate import validate

F = "def f(a, b, c=0, *, d=0): return a\n"
NN = "from torch import nn\n"
DC = "from dataclasses import InitVar, KW_ONLY, dataclass, field\nfrom typing import ClassVar\n"

RIGHT = {
    "all ways": F + "f(1, 2)\nf(1, b=2, d=3)\nf(*x, **x) if (x := []) else f(a=1, b=2, c=3)\n",
    "star fills": F + "x = [1]\nf(1, *x)\nf(*x, c=1)\n",
    "double star fills": F + "x = {}\nf(1, **x)\nf(**x)\n",
    "shadowed by a parameter": F + "def g(f): return f(1)\n",
    "shadowed by a variable": F + "def g():\n    f = print\n    return f(1)\n",
    "rebound": F + "import lib\nf = lib.wrap(f)\nf(1)\n",
    "one of two fits": "import sys\nif sys.argv:\n    def f(a): return a\nelse:\n    def f(a, b): return a\nf(1)\n",
    "fallback": "try:\n    from lib import f\nexcept ImportError:\n    def f(a): return a\nf(1, 2)\n",
    "unknown decorator": "import lib\n@lib.d\ndef f(a): return a\nf(1, 2)\n",
    "local decorator": "def d(g): return lambda *a: g(1)\n@d\ndef f(a): return a\nf(1, 2)\n",
    "overloads": "from typing import overload\n@overload\ndef f(a: int): ...\n@overload\ndef f(a: str, b: int): ...\n"
    "def f(a, b=0): return a\nf(1, 2)\n",
    "except TypeError": F + "try:\n    f(1)\nexcept TypeError:\n    f(1, 2)\n",
    "expected": F + "import pytest\nwith pytest.raises(TypeError):\n    f(1)\npytest.raises(TypeError, lambda: f(1))\n",
    "partial": F + "from functools import partial\npartial(f, 1)\npartial(f, d=3)(1, 2)\n",
    "static method": "class C:\n    @staticmethod\n    def f(a): return a\n    def g(self): return self.f(1)\n"
    "C.f(1)\nC().f(1)\n",
    "class method": "class C:\n    @classmethod\n    def f(cls, a): return cls()\n"
    "    def g(self): return self.f(1)\nC.f(1)\n",
    "unbound": "class C:\n    def f(self, a): return a\nC.f(C(), 1)\n",
    "property": "class C:\n    @property\n    def f(self): return print\n    def g(self): return self.f(1, 2)\n"
    "C().g()\n",
    "set from outside": "class C:\n    def f(self, a): return a\nc = C()\nc.f = print\nc.f(1, 2)\n",
    "overridden": "class B:\n    def f(self, a): return a\n    def g(self): return self.f(1, 2)\n"
    "class C(B):\n    def f(self, a, b): return b\nC().g()\n",
    "hook": "class B:\n    def f(self): raise NotImplementedError\n    def g(self): return self.f(1)\n"
    "class C(B):\n    def f(self, a): return a\nC().g()\n",
    "inherited constructor": "class B:\n    def __init__(self, a): self.a = a\nclass C(B): pass\nC(1)\n",
    "constructor of another package": "import lib\nclass C(lib.B): pass\nC(1, 2, x=3)\n",
    "__new__": "class C:\n    def __new__(cls, *args): return object.__new__(cls)\nC(1, 2)\n",
    "metaclass": "class T(type):\n    def __call__(cls, *args): return 1\nclass C(metaclass=T): pass\nC(1)\n",
    "data class": DC
    + "@dataclass\nclass C:\n    k: ClassVar[int] = 1\n    a: int\n    b: InitVar[int]\n    c: list = field("
    "default_factory=list)\n    d: int = field(init=False, default=0)\n    _: KW_ONLY\n    e: int = 0\nC(1, 2)\n"
    "C(1, 2, [], e=3)\n",
    "data class that derives": DC
    + "@dataclass\nclass B:\n    a: int\n    b: int = 0\n@dataclass\nclass C(B):\n    c: int = 0\n"
    "C(1, 2, 3)\nC(a=1, c=2)\n",
    "data class by keyword only": DC + "@dataclass(kw_only=True)\nclass C:\n    a: int = 0\n    b: int\nC(b=1)\n",
    "data class with its own constructor": DC
    + "@dataclass(init=False)\nclass C:\n    a: int\n    def __init__(self): self.a = 1\nC()\n",
    "data class with fields of another package": DC
    + "import lib\n@dataclass\nclass C:\n    a: int = lib.arg()\nC()\nC(1)\n",
    "attrs": "import attr\n@attr.s\nclass C:\n    a = attr.ib()\nC(1)\n",
    "named tuples": "from collections import namedtuple\nfrom typing import NamedTuple\n"
    "P = namedtuple('P', 'x, y')\nP(1, y=2)\n"
    "class Q(NamedTuple):\n    x: int\n    y: int = 0\nQ(1)\nclass R(namedtuple('R', ['x'])): pass\nR(1)\n",
    "named tuple with defaults": "from collections import namedtuple\n"
    "P = namedtuple('P', 'x y', defaults=(0,))\nP(1)\n",
    "enumeration": "from enum import Enum\nclass K(Enum):\n    A = (1, 2)\n"
    "    def __init__(self, a, b): self.a = a\nK((1, 2))\n",
    "exception": "class E(Exception): pass\nE('a', 1)\n",
    "module is called": NN
    + "class N(nn.Module):\n    def forward(self, x, mask=None): return x\nn = N()\nn(1)\nn(1, mask=2)\n",
    "module without forward": NN + "class N(nn.Sequential): pass\nN(nn.ReLU())(1)\n",
    "module replaced": NN + "class N(nn.Module):\n    def forward(self, x): return x\nclass M(nn.Module):\n"
    "    def __init__(self):\n        super().__init__()\n        self.n = N()\n"
    "    def forward(self, x): return self.n(x, x)\n"
    "m = M()\nm.n = print\n",
    "super": "class B:\n    def __init__(self, a): self.a = a\nclass C(B):\n"
    "    def __init__(self): super().__init__(1)\nC()\n",
    "super among several": "class A:\n    def f(self): return 1\nclass B(A):\n    def f(self): return super().f(1)\n"
    "class M(A):\n    def f(self, a): return a\nclass C(B, M): pass\nC().f()\n",
    "class method of a base": "import lib\nclass B:\n    @classmethod\n    def f(cls): return cls(a=1)\n"
    "class C(lib.B):\n    def __init__(self, a): self.a = a\nC.f()\n",
    "stands for something else": "def f(): pass\nf(1)\n",
    "cached": "from functools import lru_cache\n@lru_cache(maxsize=None)\ndef f(a): return a\nf(1)\n",
    "conditional expression": "def f(a): return a\ndef g(a, b): return b\nimport sys\nh = f if sys.argv else g\n"
    "h(1, 2)\n",
    "alias of a method": "class C:\n    def f(self, a): return a\n    g = f\n    def h(self): return self.g(1)\n"
    "C().h()\n",
    "patched": F + "import mock\ndef test():\n    with mock.patch('m.f'):\n        f(1)\n"[:-9] + "        pass\n",
}

WRONG = {
    "missing": (F + "f(1)\n", "P2C701"),
    "missing keyword": ("def f(*, a): return a\nf()\n", "P2C701"),
    "missing after a star": ("def f(*a, b): return b\nx = []\nf(*x)\n", "P2C701"),
    "many": (F + "f(1, 2, 3, 4)\n", "P2C702"),
    "many with a star": (F + "x = []\nf(1, 2, 3, 4, *x)\n", "P2C702"),
    "unknown": (F + "f(1, 2, e=1)\n", "P2C703"),
    "positional only": ("def f(a, /): return a\nf(a=1)\n", "P2C703"),
    "twice": (F + "f(1, 2, a=3)\n", "P2C704"),
    "alias": (F + "g = f\ng(1)\n", "P2C701"),
    "nested": ("def g():\n    def f(a): return a\n    return f()\n", "P2C701"),
    "partial": (F + "from functools import partial\npartial(f, e=1)\n", "P2C703"),
    "all of several": (
        "import sys\nif sys.argv:\n    def f(a): return a\nelse:\n    def f(b): return b\nf()\n",
        "P2C701",
    ),
    "method": ("class C:\n    def f(self, a): return a\n    def g(self): return self.f()\nC().g()\n", "P2C701"),
    "method without self": ("class C:\n    def f(): return 1\n    def g(self): return self.f()\nC().g()\n", "P2C702"),
    "class method": ("class C:\n    @classmethod\n    def f(cls, a): return a\nC.f()\n", "P2C701"),
    "static method": ("class C:\n    @staticmethod\n    def f(a): return a\nC().f(1, 2)\n", "P2C702"),
    "unbound": ("class C:\n    def f(self, a): return a\nC.f(1)\n", "P2C701"),
    "constructor": ("class C:\n    def __init__(self, a): self.a = a\nC()\n", "P2C701"),
    "constructor of object": ("class C:\n    x = 1\nC(1)\n", "P2C702"),
    "inherited constructor": ("class B:\n    def __init__(self, a): self.a = a\nclass C(B): pass\nC(b=1)\n", "P2C703"),
    "super": (
        "class B:\n    def __init__(self, a): self.a = a\nclass C(B):\n    def __init__(self): super().__init__()\n",
        "P2C701",
    ),
    "old super": (
        "class B:\n    def __init__(self, a): self.a = a\nclass C(B):\n"
        "    def __init__(self): super(C, self).__init__()\n",
        "P2C701",
    ),
    "data class": (DC + "@dataclass\nclass C:\n    a: int\n    b: int = 0\nC(b=1)\n", "P2C701"),
    "data class that derives": (
        DC + "@dataclass\nclass B:\n    a: int\n@dataclass(frozen=True)\nclass C(B):\n    b: int\nC(1, 2, 3)\n",
        "P2C702",
    ),
    "field without init": (DC + "@dataclass\nclass C:\n    a: int = field(init=False)\nC(a=1)\n", "P2C703"),
    "named tuple": ("from collections import namedtuple\nP = namedtuple('P', 'x y')\nP(1)\n", "P2C701"),
    "typed named tuple": ("from typing import NamedTuple\nclass P(NamedTuple):\n    x: int\nP()\n", "P2C701"),
    "module is called": (NN + "class N(nn.Module):\n    def forward(self, x): return x\nn = N()\nn(1, 2)\n", "P2C702"),
    "member is called": (
        NN + "class N(nn.Module):\n    def forward(self, x): return x\nclass M(nn.Module):\n    def __init__(self):\n"
        "        super().__init__()\n        self.n = N()\n    def forward(self, x): return self.n(x, mask=x)\n",
        "P2C703",
    ),
    "known decorators": ("import torch\n@torch.no_grad()\ndef f(a): return a\nf()\n", "P2C701"),
}


def _found(files: dict[str, str]) -> list[tuple[str, str]]:
    found = validate({path: text.encode() for path, text in files.items()})
    return [(f.code, f.severity) for f in found if f.code.startswith("P2C7")]


@pytest.mark.parametrize("case", RIGHT)
def test_right_calls_have_no_finding(case: str) -> None:
    compile(RIGHT[case], "m.py", "exec")
    assert _found({"m.py": RIGHT[case]}) == []


@pytest.mark.parametrize("case", WRONG)
def test_wrong_calls_are_errors(case: str) -> None:
    text, code = WRONG[case]
    assert _found({"m.py": text}) == [(code, "error")]


NET = {
    "net/__init__.py": "from .model import Net as Model\n",
    "net/model.py": "class Net:\n    def __init__(self, a): self.a = a\n",
}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("from net import Model\nModel(1)\n", []),
        ("from net import Model\nModel()\n", ["P2C701"]),
        ("import net.model\nnet.model.Net(1, 2)\n", ["P2C702"]),
        ("import net as n\nn.Model(b=1)\n", ["P2C703"]),
        ("from net import *\nModel()\n", ["P2C701"]),
        ("from net.model import Net\nclass Big(Net): pass\nBig()\n", ["P2C701"]),
        ("import net.model\nnet.model.Net = print\nnet.model.Net()\n", []),
        ("try:\n    from lib import Model\nexcept ImportError:\n    from net import Model\nModel()\n", []),
    ],
)
def test_calls_across_files(text: str, codes: list[str]) -> None:
    assert [code for code, _ in _found(NET | {"train.py": text})] == codes


def test_the_hint_offers_the_parameter_that_was_meant() -> None:
    text = "def f(width): return width\nf(widht=1)\n"
    assert validate({"m.py": text.encode()})[0].hint == "Did you mean `width`?"
