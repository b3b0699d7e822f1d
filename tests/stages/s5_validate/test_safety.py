"""Safety: what a reader is told, and what not."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate import validate


def found(text: str, path: str = "m.py") -> list[tuple[str, str]]:
    return [(f.code, f.severity) for f in validate({path: text.encode()}) if f.code.startswith("P2C0")]


TOLD = {
    "eval": ("def f(x): return eval(x)\n", "P2C001"),
    "exec": ("def f(x):\n    exec(open(x).read())\n", "P2C001"),
    "system by another name": ("from os import system as s\ns('ls')\n", "P2C002"),
    "shell": ("import subprocess as sp\nsp.check_output('ls', shell=True)\n", "P2C002"),
    "pickle": ("import pickle as p\nX = p.load(open('x', 'rb'))\n", "P2C003"),
    "torch": ("import torch\nX = torch.load('x.pt', map_location='cpu')\n", "P2C003"),
    "torch at will": ("import torch\nX = torch.load('x.pt', weights_only=False)\n", "P2C003"),
    "numpy": ("import numpy as np\nX = np.load('x.npy', allow_pickle=True)\n", "P2C003"),
    "yaml": ("import yaml\nX = yaml.load(open('x'), Loader=yaml.Loader)\n", "P2C003"),
    "requests": ("import requests\nX = requests.get('http://x.org')\n", "P2C004"),
    "socket": ("import socket\nX = socket.socket()\n", "P2C004"),
    "hub": ("from transformers import AutoModel\nX = AutoModel.from_pretrained('bert-base-uncased')\n", "P2C004"),
    "data set": ("from torchvision import datasets\nX = datasets.MNIST('d', download=True)\n", "P2C004"),
    "absolute": ("X = open('/etc/x', 'w')\n", "P2C005"),
    "home": ("from pathlib import Path\n(Path.home() / 'x').write_text('x')\n", "P2C005"),
    "expanded": ("import os\nos.makedirs(os.path.join(os.path.expanduser('~'), 'x'))\n", "P2C005"),
    "up": ("import shutil\nshutil.rmtree('../data')\n", "P2C005"),
    "formatted": ("def f(n):\n    return open(f'/data/{n}', mode='a')\n", "P2C005"),
    "saved": ("import torch\ntorch.save({}, '/data/x.pt')\n", "P2C005"),
}


@pytest.mark.parametrize("name", TOLD)
def test_what_is_told_is_a_warning(name: str) -> None:
    text, code = TOLD[name]
    assert found(text) == [(code, "warning")]


SILENT = {
    "method": "def f(model):\n    model.eval()\n    model.exec()\n",
    "own": "def eval(x): return x\nX = eval('1')\n",
    "literal": "X = eval('1 + 1')\n",
    "list of words": "import subprocess\nsubprocess.run(['ls'], shell=False)\n",
    "safe weights": "import torch\nX = torch.load('x.pt', weights_only=True)\n",
    "other load": "import json\nX = json.load(open('x'))\n",
    "safe yaml": "import yaml\nX = yaml.safe_load('a')\nY = yaml.load('a', Loader=yaml.CSafeLoader)\n",
    "own module": "from . import pickle\nX = pickle.load\n",
    "parameter": "def f(requests):\n    return requests.get('x')\n",
    "dictionary": "def f(config):\n    return config.get('http://x')\n",
    "local weights": "from transformers import AutoModel\nX = AutoModel.from_pretrained('./weights')\n",
    "weights by argument": "from transformers import AutoModel\ndef f(p): return AutoModel.from_pretrained(p)\n",
    "data at hand": "from torchvision import datasets\nX = datasets.MNIST('d', download=False)\n",
    "files as data": "from datasets import load_dataset\nX = load_dataset('json', data_files='x')\n",
    "reading": "X = open('/etc/hosts')\nY = open('/etc/hosts', 'rb')\n",
    "inside": "import os\nos.makedirs('out/x', exist_ok=True)\nX = open(os.path.join('out', 'x'), 'w')\n",
    "nowhere": "X = open('/dev/null', 'w')\nY = open('/tmp/x', 'w')\n",
    "replaced text": "X = 'a'.replace('/', '..')\n",
}


@pytest.mark.parametrize("name", SILENT)
def test_what_is_not_told(name: str) -> None:
    assert found(SILENT[name]) == []


@pytest.mark.parametrize("path", ["tests/x.py", "test_x.py", "pkg/tests/y.py", "conftest.py"])
def test_tests_may_do_anything(path: str) -> None:
    assert found(TOLD["socket"][0], path) == []


def test_a_line_is_told_once() -> None:
    assert found("import os\nos.system('a'); os.system('b')\n") == [("P2C002", "warning")]
