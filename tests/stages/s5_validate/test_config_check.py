"""Settings: the ways in which code reads them, right and wrong, and what must be left alone."""

from __future__ import annotations

import textwrap

import pytest

from paper2code_local.artifacts.import_order import ImportOrder, OrderedFile
from paper2code_local.stages.s5_validate import validate

YAML = """
steps: 3
name: run
model:
  width: 8
  depth: 2
empty:
sizes: [1, 2]
"""
LOAD = "import yaml\nwith open('config.yaml') as f:\n    config = yaml.safe_load(f)\n"


def found(main: str, yaml: str = YAML, designed: bool = False, **files: str) -> list[tuple[str, str]]:
    texts = {"main.py": textwrap.dedent(main), "config.yaml": yaml, **{f"{n}.py": t for n, t in files.items()}}
    order = ImportOrder(files=tuple(OrderedFile(path=p, needs=()) for p in texts if p.endswith(".py")))
    seen = validate({path: text.encode() for path, text in texts.items()}, order if designed else None)
    return [(f.code, f.severity) for f in seen if f.code.startswith("P2C8") and f.code != "P2C802"]


WRONG = {
    "item": LOAD + "print(config['rate'])\n",
    "nested": LOAD + "print(config['model']['heads'])\n",
    "below nothing": LOAD + "print(config['empty']['x'])\n",
    "part in a variable": LOAD + "model = config['model']\nprint(model['heads'])\n",
    "popped": LOAD + "print(config.pop('rate'))\n",
    "all at once": "import yaml\nc = yaml.load(open('./config.yaml'), Loader=yaml.SafeLoader)\nprint(c['rate'])\n",
    "read as text": "import yaml\nfrom pathlib import Path\nc = yaml.safe_load(Path('config.yaml').read_text())\n"
    "print(c['rate'])\n",
    "beside the file": "import os, yaml\nP = os.path.join(os.path.dirname(__file__), 'config.yaml')\n"
    "print(yaml.safe_load(open(P))['rate'])\n",
    "path of pathlib": "import yaml\nfrom pathlib import Path\nP = Path(__file__).parent / 'config.yaml'\n"
    "with P.open() as f:\n    c = yaml.safe_load(f)\nprint(c['rate'])\n",
    "loaded by a function": "import yaml\ndef load(path='config.yaml'):\n    with open(path) as f:\n"
    "        return yaml.safe_load(f)\nc = load()\nprint(c['rate'])\n",
    "given to a function": LOAD + "def train(c, n):\n    return c['rate']\ntrain(config, 3)\n",
    "given by name": LOAD + "def train(n, c=None):\n    return c['rate']\ntrain(3, c=config)\n",
    "kept by an object": LOAD + "class Net:\n    def __init__(self, c):\n        self.c = c['model']\n"
    "    def run(self):\n        return self.c['heads']\nNet(config).run()\n",
    "copied": LOAD + "import copy\nc = copy.deepcopy(config)\nprint(c['rate'])\n",
    "namespace": LOAD + "from types import SimpleNamespace\nc = SimpleNamespace(**config)\nprint(c.steps, c.rate)\n",
    "attributes all the way": LOAD + "from easydict import EasyDict\nc = EasyDict(config)\nprint(c.model.heads)\n",
    "data class": LOAD + "from dataclasses import dataclass\n@dataclass\nclass M:\n    width: int\n    depth: int\n"
    "    heads: int\nM(**config['model'])\n",
    "parameter that is not there": LOAD + "def net(width): return width\nnet(**config['model'])\n",
    "below the guard of a script": LOAD + "if __name__ == '__main__':\n    print(config['rate'])\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_missing_key_is_an_error(name: str) -> None:
    assert found(WRONG[name]) == [("P2C801", "error")]


def test_settings_of_another_module_are_followed() -> None:
    assert found("from net import run\nfrom conf import C\nrun(C)\n", conf=LOAD.replace("config =", "C ="),
                 net="def run(c):\n    return c['rate']\n") == [("P2C801", "error")]  # fmt: skip


LIKELY = {
    "get": LOAD + "print(config.get('rate'))\n",
    "branch": LOAD + "if config['name'] == 'x':\n    print(config['rate'])\n",
    "after a return": LOAD + "def g(c):\n    if c['steps']:\n        return 1\n    return c['rate']\ng(config)\n",
    "option": "import argparse, yaml\np = argparse.ArgumentParser()\n"
    "p.add_argument('--config', default='config.yaml')\n"
    "a = p.parse_args()\nc = yaml.safe_load(open(a.config))\nprint(c['steps'], c['rate'])\n",
    "the only file": "import sys, yaml\nc = yaml.safe_load(open(sys.argv[1]))\nprint(c['steps'], c['rate'])\n",
    "omegaconf": "from omegaconf import OmegaConf\nc = OmegaConf.load('config.yaml')\nprint(c.steps, c.model.heads)\n",
    "given to another package": LOAD + "import lib\nlib.prepare(config)\nprint(config['rate'])\n",
    "by its keys": LOAD + "def f(params):\n    return params['steps'], params['name'], params['rate']\n",
    "never called": LOAD + "print(config['steps'])\ndef unused():\n    return config['rate']\n",
}


@pytest.mark.parametrize("name", LIKELY)
def test_a_key_that_is_likely_missing_is_a_warning(name: str) -> None:
    assert found(LIKELY[name]) == [("P2C801", "warning")]


RIGHT = {
    "there": LOAD + "print(config['steps'], config['model']['width'], config['sizes'][0], config['empty'])\n",
    "default": LOAD + "print(config.get('rate', 1), config.pop('seed', None))\n",
    "asked first": LOAD + "if 'rate' in config:\n    print(config['rate'])\n",
    "asked first, as attribute": LOAD + "from types import SimpleNamespace as N\nc = N(**config)\n"
    "print(c.rate if hasattr(c, 'rate') else 1)\n",
    "expected": LOAD + "try:\n    print(config['rate'])\nexcept KeyError:\n    pass\n",
    "set": LOAD + "config['rate'] = 1\nprint(config['rate'])\n",
    "set by default": LOAD + "config.setdefault('rate', 1)\nprint(config['rate'])\n",
    "updated": LOAD + "config.update({'rate': 1})\nprint(config['rate'])\n",
    "merged": LOAD + "config = {**{'rate': 1}, **config}\nprint(config['rate'])\n",
    "changed in place": LOAD + "config |= {'rate': 1}\nprint(config['rate'])\n",
    "changed by a function": LOAD + "def fill(c):\n    for k in 'ab':\n        c[k] = 1\nfill(config)\n"
    "print(config['a'])\n",
    "other value": LOAD + "import lib\nconfig = lib.resolve(config)\nprint(config['rate'])\n",
    "other mapping": LOAD + "def g(config):\n    return config['rate']\ng({'rate': 1})\n",
    "other file": "import yaml\nc = yaml.safe_load(open('other.yaml'))\nprint(c['rate'])\n",
    "method": LOAD + "for k, v in config.items():\n    print(k, v)\n",
    "shadowed": LOAD + "def g():\n    config = {'rate': 1}\n    return config['rate']\ng()\n",
    "any keywords": LOAD + "def g(**kw): return kw\ng(**config)\n",
    "all parameters": LOAD + "def g(width, depth, heads=1): return width\ng(**config['model'])\n",
    "list": LOAD + "print(config['sizes']['x'] if isinstance(config['sizes'], dict) else 0)\n",
    "text": LOAD + "print(config['name'].upper())\n",
    "not loaded": "def f(config):\n    return config['rate']\n",
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_is_silent(name: str) -> None:
    assert found(RIGHT[name]) == []


def test_in_what_we_wrote_a_parameter_called_config_holds_the_settings() -> None:
    net = (
        "class Net:\n    def __init__(self, config):\n        self.config = config\n        self.w = config['width']\n"
    )
    net += "    def run(self):\n        return self.config['rate'] if self.w else 0\n"
    assert found("print(1)\n", designed=True, net=net) == [("P2C801", "error")] * 2
    assert found("print(1)\n", "width: 3\nrate: 1\n", designed=True, net=net) == []


def test_the_hint_names_what_is_near() -> None:
    files = {"main.py": (LOAD + "print(config['stps'])\n").encode(), "config.yaml": YAML.encode()}
    (lacking,) = (f for f in validate(files) if f.code == "P2C801")
    assert (lacking.path, lacking.line) == ("main.py", 4)
    assert "`steps`" in lacking.hint


@pytest.mark.parametrize(
    ("rest", "unread"),
    [
        ("print(config['steps'])\n", ["empty", "model", "name", "sizes"]),
        ("print(config['steps'], config['model']['width'])\n", ["empty", "model.depth", "name", "sizes"]),
        ("print(config['steps'], *config)\n", []),
        ("import lib\nlib.run(config['steps'], config)\n", []),
        ("for k in config:\n    print(config[k], config['steps'])\n", []),
        ("print(config['steps'])\nNAMES = ['empty', 'model', 'name', 'sizes']\n", []),
        ("print(1)\n", []),
    ],
)
def test_keys_that_nobody_reads(rest: str, unread: list[str]) -> None:
    files = {"main.py": (LOAD + rest).encode(), "config.yaml": YAML.encode()}
    said = [(f.severity, f.message.split("`")[1]) for f in validate(files) if f.code == "P2C802"]
    assert sorted(said) == [("warning", key) for key in unread]


@pytest.mark.parametrize(
    ("written", "spelled"),
    [("1e-4", "1.0e-4"), ("1e4", "1.0e+4"), ("2.5e5", "2.5e+5"), ("-3E-2", "-3.0e-2"), (".5e3", "0.5e+3")],
)
def test_numbers_that_are_text(written: str, spelled: str) -> None:
    files = {"main.py": (LOAD + "print(config['rate'])\n").encode(), "config.yaml": f"rate: {written}\n".encode()}
    (said,) = (f for f in validate(files) if f.code == "P2C803")
    assert (said.severity, said.line) == ("warning", 1)
    assert f"`{spelled}`" in said.hint


@pytest.mark.parametrize("written", ["1.0e-4", "'1e-4'", "1e-4x", "0.0001", "1.5e+3", "100", "e5", "!!str 1e5"])
def test_numbers_and_texts_that_are_as_they_seem(written: str) -> None:
    files = {"main.py": (LOAD + "print(config['rate'])\n").encode(), "config.yaml": f"rate: {written}\n".encode()}
    assert not [f for f in validate(files) if f.code == "P2C803"]


def test_a_number_that_the_code_converts_is_left_alone() -> None:
    assert found(LOAD + "print(float(config['rate']))\n", "rate: 1e-4\n") == []


@pytest.mark.parametrize("yaml", ["a: [1\n", "a: b: c\n", "\tx: 1\n", "- &a [*b]\n"])
def test_what_is_no_yaml_is_an_error(yaml: str) -> None:
    assert found(LOAD, yaml) == [("P2C804", "error")]


@pytest.mark.parametrize(
    "yaml",
    [
        "",
        "[1, 2]\n",
        "a: 1\n---\nb: 2\n",
        "x: !include other.yaml\n",
        "<<: 3\n",
        "? [1, 2]\n: 3\n",
        "[" * 3000,
        "a: &a [x]\n" + "".join(f"b{n}: [*a, *a, *a]\n" for n in range(200)),
        "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" if n else "a0: &a0 [1]\n" for n in range(90)),
    ],
)
def test_any_yaml_is_survived_and_what_is_not_understood_is_left_alone(yaml: str) -> None:
    found(LOAD + "print(config['rate'], config['a'])\n", yaml)
