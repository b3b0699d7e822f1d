"""Undefined names and missing attributes: tricky code that is right, and the same with one thing wrong."""

from __future__ import annotations

import pytest

from paper2code_local.artifacts.finding import errors_of
from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate

MODULE = "import torch.nn as nn\n"
CALLED = "\nC().f()\n"

RIGHT = {
    "global in a function": "def f():\n    global x\n    x = 1\ndef g(): return x\n",
    "declared and set elsewhere": "def f():\n    global x\n    return x\n",
    "class scope": "class A:\n    x = 1\n    y = x\n    z = [v for v in (x, y)]\n",
    "comprehensions": "y = {a: b for a, b in zip('ab', 'cd') if (c := a)}\nprint(c)\n",
    "comprehension in a class": "class A:\n    x = (1, 2)\n    y = [i for i in x]\n",
    "patterns": "def f(v):\n    match v:\n        case {'a': a, **rest}: return a, rest\n"
    "        case [b, *c]: return b, c\n",
    "exception name": "try:\n    pass\nexcept ValueError as error:\n    print(error)\n",
    "nonlocal": "def f():\n    n = 0\n    def g():\n        nonlocal n\n        n += 1\n        return n\n"
    "    return g\n",
    "deleted": "x = 1\nprint(x)\ndel x\n",
    "conditional": "import sys\nif sys.argv:\n    x = 1\nelse:\n    y = 1\nprint(x, y)\n",
    "except NameError": "try:\n    text = unicode\nexcept NameError:\n    text = str\n",
    "lazy builtin": "import builtins\nbuiltins.tr = str\nprint(tr('a'))\n",
    "own namespace": "globals()['x'] = 1\nprint(x)\n",
    "update of the namespace": "globals().update(x=1)\nprint(x)\n",
    "asked for": "if 'x' in globals():\n    print(x)\n",
    "exec": "exec(open('conf.py').read())\nprint(batch_size)\n",
    "star of another package": "from numpy import *\nprint(array([1]))\n",
    "string annotation": "def f(x: 'Thing') -> 'Other': return x\n",
    "class cell": "class A:\n    def f(self): return __class__\n",
    "names of a class body": "class A:\n    name = __qualname__ + __module__\n",
    "notebook": "get_ipython().run_line_magic('matplotlib', 'inline')\n",
    "own decorator argument": "def d(f): return f\n@d\ndef g(n=lambda x: x): return n\n",
    "dict of attributes": "class C:\n    def __init__(self, d): self.__dict__.update(d)\n"
    "    def f(self): return self.x\nC({}).f()\n",
    "setattr": "class C:\n    def __init__(self, **k):\n        for n, v in k.items(): setattr(self, n, v)\n"
    "    def f(self): return self.x\nC().f()\n",
    "setattr of a literal": "class C:\n    def g(self): setattr(self, 'x', 1)\n    def f(self): return self.x\n"
    + CALLED,
    "__getattr__": "class C:\n    def __getattr__(self, name): return 1\n    def f(self): return self.x\n" + CALLED,
    "__getattr__ of a base": "class B:\n    __getattr__ = dict.get\nclass C(B):\n    def f(self): return self.x\n"
    + CALLED,
    "slots": "class C:\n    __slots__ = ('x',)\n    def f(self): return self.x\n" + CALLED,
    "annotated": "class C:\n    x: int\n    def f(self): return self.x\n" + CALLED,
    "property": "class C:\n    @property\n    def x(self): return 1\n    def f(self): return self.x\n" + CALLED,
    "unpacked": "class C:\n    def g(self):\n        (self.x, *self.y), self.z = (1, 2), 3\n"
    "        for self.i in range(3): pass\n"
    "        with open('f') as self.h: pass\n    def f(self): return self.x, self.y, self.z, self.i, self.h\n" + CALLED,
    "closure": "class C:\n    def g(self):\n        def h(): self.x = 1\n        return h\n"
    "    def f(self): return self.x\n" + CALLED,
    "set from outside": "class C:\n    def f(self): return self.x\nc = C()\nc.x = 1\nc.f()\n",
    "hasattr": "class C:\n    def f(self): return self.x if hasattr(self, 'x') else 0\n" + CALLED,
    "except AttributeError": "class C:\n    def f(self):\n        try: return self.x\n"
    "        except AttributeError: return 0\n" + CALLED,
    "base of another package": "from lib import Base\nclass C(Base):\n    def f(self): return self.x\n" + CALLED,
    "mixin": "class M:\n    def f(self): return self.x\nclass C(M):\n    def __init__(self): self.x = 1\n" + CALLED,
    "sibling": "class M:\n    def f(self): return self.x\nclass N:\n    def __init__(self): self.x = 1\n"
    "class C(M, N): pass\n" + CALLED,
    "mixin for others": "class TextMixin:\n    def f(self): return self.x\n",
    "metaclass": "class T(type): pass\nclass C(metaclass=T):\n    def f(self): return self.x\n" + CALLED,
    "named tuple base": "from collections import namedtuple\nclass C(namedtuple('C', 'x y')):\n"
    "    def f(self): return self.x\n"
    "C(1, 2).f()\n",
    "static method": "class C:\n    @staticmethod\n    def f(self): return self.x\nC().f(print)\n",
    "rebound self": "class C:\n    def f(self):\n        self = object()\n        return self.x\n" + CALLED,
    "buffers": MODULE + "class C(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    "        self.register_buffer('mask', None)\n        self.add_module('inner', nn.ReLU())\n"
    "    def f(self): return self.mask, self.inner, self.training, self._modules\n" + CALLED,
    "module methods": MODULE
    + "class C(nn.Module):\n    def f(self): return self\nc = C().to('cpu').eval()\nc.f()\nc.cuda()\n"
    "c.load_state_dict({})\n",
    "reassigned": "class A:\n    def f(self): return 1\nimport lib\nm = A()\nm = lib.wrap(m)\nm.other()\n",
    "shadowed by a parameter": "class A: pass\nm = A()\ndef f(m): return m.other()\n",
    "class attribute set later": "class A: pass\nA.x = 1\nprint(A.x, A().x)\n",
    "dynamic key": "import json\nclass A:\n    def load(self, path):\n        vars(self).update(json.load(path))\n"
    "    def f(self): return self.rate\nA().f()\n",
    "isinstance": "class A:\n    def f(self):\n        if isinstance(self, B): return self.b\nclass B(A):\n"
    "    b = 1\nB().f()\nA().f()\n",
    "enumeration": "import enum\nclass K(enum.Enum):\n    A = 1\n    def f(self): return self.value\nK(1).f()\n",
    "exception": "class E(Exception):\n    def f(self): return self.args\nE().f()\n",
    "set by a helper": "import lib\nclass C:\n    def g(self): lib.replace(self, 'x', 1)\n"
    "    def f(self): return self.x\n" + CALLED,
    "class decorator": "import lib\n@lib.with_state\nclass C:\n    def f(self): return self.state\n" + CALLED,
    "first parameter of a function": "class C:\n    def f(x): return x.name\n" + "C.f(open)\n",
    "package beside itself": "from m import C as B\nclass C:\n    def f(self): return self.x\n"
    "class D(B): x = 1\n" + CALLED,
    "partial class": "class C:\n    def g(self, names):\n        for n in names: self.__setattr__(n, 1)\n"
    "    def f(self): return self.x\n" + CALLED,
}

WRONG = {
    "name in a function": ("def f(): return nothing\n", "P2C601", "error"),
    "name of another function": ("def f(): x = 1\ndef g(): return x\n", "P2C601", "error"),
    "class scope is not seen below": ("class A:\n    x = 1\n    def f(self): return x\n", "P2C601", "error"),
    "import that is missing": ("class A(nn.Module): pass\n", "P2C601", "error"),
    "after return": ("def f():\n    return 1\n    nothing\n", "P2C601", "warning"),
    "python 2": ("def f(): return unicode(1)\n", "P2C601", "warning"),
    "annotation never evaluated": ("from __future__ import annotations\nx: Thing = 1\n", "P2C601", "warning"),
    "annotation": ("def f(x: Thing): return x\n", "P2C601", "error"),
    "kernel": ("import triton\n@triton.jit\ndef f(): HERE\n", "P2C601", "warning"),
    "registered class": (
        "from lib import MODELS\n@MODELS.register_module()\nclass C:\n    def f(self): return self.rate\n" + CALLED,
        "P2C603",
        "warning",
    ),
    "in a try": ("try:\n    nothing()\nexcept Exception: pass\n", "P2C601", "warning"),
    "reading of globals": ("def f(n): return globals()[n]\nprint(nothing)\n", "P2C601", "error"),
    "self": (
        "class C:\n    def __init__(self): self.rate = 1\n    def f(self): return self.rte\n" + CALLED,
        "P2C603",
        "error",
    ),
    "self of a module": (
        MODULE
        + "class C(nn.Module):\n    def __init__(self): self.layer = 1\n    def f(self): return self.lyer\n"
        + CALLED,
        "P2C603",
        "error",
    ),
    "self of a derived class": (
        "class B:\n    def __init__(self): self.a = 1\nclass C(B):\n    def f(self): return self.a + self.b\n" + CALLED,
        "P2C603",
        "error",
    ),
    "slip below an unknown base": (
        "from lib import B\nclass C(B):\n    def g(self): self.encoder = 1\n    def f(self): return self.encodr\n",
        "P2C603",
        "warning",
    ),
    "set by name somewhere": (
        "def fill(o, d):\n    for k in d: setattr(o, k, 1)\nclass C:\n    def f(self): return self.rate\n" + CALLED,
        "P2C603",
        "warning",
    ),
    "method": ("class C:\n    def f(self): return self.g()\n" + CALLED, "P2C603", "error"),
    "method of an object": ("class C:\n    def f(self): return 1\nc = C()\nc.g()\n", "P2C604", "error"),
    "method of a member": (
        "class A:\n    def f(self): return 1\nclass C:\n    def __init__(self): self.a = A()\n"
        "    def f(self): return self.a.g()\n" + CALLED,
        "P2C604",
        "error",
    ),
    "attribute of a class": ("class C:\n    x = 1\nprint(C.y)\n", "P2C604", "error"),
    "method after to": (
        MODULE + "class C(nn.Module):\n    def f(self): return 1\nc = C().to('cpu')\nc.g()\n",
        "P2C604",
        "error",
    ),
}


def _found(text: str) -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in validate({"m.py": text.encode()}) if f.code.startswith("P2C6")]


@pytest.mark.parametrize("case", RIGHT)
def test_right_code_has_no_finding(case: str) -> None:
    compile(RIGHT[case], "m.py", "exec")
    assert _found(RIGHT[case]) == []


@pytest.mark.parametrize("case", WRONG)
def test_wrong_code_has_one(case: str) -> None:
    text, code, severity = WRONG[case]
    assert _found(text) == [(code, severity)]


NET = {"net/__init__.py": "", "net/loss.py": "def mse(): return 0\n", "net/opt.py": "RATE = 1\n"}
MODULES_RIGHT = {
    "module": {"m.py": "import net.loss\nprint(net.loss.mse())\n"},
    "alias": {"m.py": "import net.loss as L\nprint(L.mse())\n"},
    "from the package": {"m.py": "from net import loss\nprint(loss.mse())\n"},
    "two imports of a package": {"m.py": "import net.loss\nimport net.opt\nprint(net.loss.mse(), net.opt.RATE)\n"},
    "set elsewhere": {"m.py": "import net.opt\nprint(net.opt.steps)\n", "n.py": "import net.opt\nnet.opt.steps = 1\n"},
    "set by name": {"m.py": "import net.opt\nsetattr(net.opt, 'steps', 1)\nprint(net.opt.steps)\n"},
    "attributes of modules": {"m.py": "import net.opt\nprint(net.opt.__file__, net.opt.__dict__)\n"},
    "one of two": {
        "m.py": "try:\n    import lib as opt\nexcept ImportError:\n    import net.opt as opt\nprint(opt.steps)\n"
    },
    "asked for": {"m.py": "import net.opt\nif hasattr(net.opt, 'steps'): print(net.opt.steps)\n"},
    "shadowed": {"m.py": "import net.opt as opt\ndef f(opt): return opt.steps\n"},
    "submodule that a package imports": {"net/__init__.py": "from .opt import *\nprint(opt.RATE)\n"},
    "two of a name": {"a/tools.py": "X = 1\n", "a/run.py": "import tools\nprint(tools.X)\n", "tools.py": "Y = 1\n"},
}


@pytest.mark.parametrize("case", MODULES_RIGHT)
def test_attributes_of_modules_that_may_be_there(case: str) -> None:
    files = NET | MODULES_RIGHT[case]
    assert [f for f in validate({path: text.encode() for path, text in files.items()}) if "P2C6" in f.code] == []


@pytest.mark.parametrize(
    "text",
    [
        "import net.loss\nprint(net.loss.mae())\n",
        "import net.loss as L\ndef f(): return L.mae\n",
        "from net import loss\nprint(loss.mae())\n",
        "import net\nprint(net.losses)\n",
    ],
)
def test_attributes_of_modules_that_are_not(text: str) -> None:
    found = validate({path: t.encode() for path, t in (NET | {"m.py": text}).items()})
    assert [(f.code, f.severity, f.path) for f in found] == [("P2C602", "error", "m.py")]


PLANNED = ImportOrder(files=(OrderedFile(path="m.py", needs=()),))


def test_of_what_was_planned_nobody_else_makes_objects() -> None:
    text = b"class C:\n    def __init__(self):\n        self.a = 1\n\n    def f(self):\n        return self.b\n"
    assert not errors_of(validate({"m.py": text}))
    assert [f.code for f in errors_of(validate({"m.py": text}, PLANNED))] == ["P2C603"]


@pytest.mark.parametrize(
    ("head", "body", "found"),
    [
        ("", "", True),
        (MODULE, "(nn.Module)", True),
        ("from dataclasses import dataclass\n@dataclass\n", "", False),
        ("from typing import NamedTuple\n", "(NamedTuple)", False),
        ("class B:\n    x: int\n\n\n", "(B)", True),
        ("class B:\n    x: int = 1\n\n\n", "(B)", False),
        ("class B:\n    def g(self):\n        self.x = 1\n\n\n", "(B)", False),
        ("from lib import B\n", "(B)", False),
        (MODULE + "class B(nn.Module):\n    training: bool\n    x: int = 0\n\n\n", "(B)", False),
    ],
)
def test_of_what_was_planned_an_annotation_makes_no_attribute(head: str, body: str, found: bool) -> None:
    text = f"{head}class C{body}:\n    x: int\n\n    def f(self):\n        return self.x\n"
    assert not errors_of(validate({"m.py": text.encode()}))
    assert ("P2C603" in [f.code for f in errors_of(validate({"m.py": text.encode()}, PLANNED))]) == found


def test_the_hint_offers_what_was_meant() -> None:
    text = "class C:\n    def encode(self): return 1\n    def f(self): return self.encod()\n" + CALLED
    assert "`encode`" in validate({"m.py": text.encode()})[0].hint
