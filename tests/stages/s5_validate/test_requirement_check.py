"""Requirements: what is imported and not required, and what must be left alone."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate import validate

TORCH = b"torch\n"


def found(files: dict[str, str]) -> list[tuple[str, str, str, int]]:
    return [
        (f.code, f.severity, f.path, f.line)
        for f in validate({path: text.encode() for path, text in files.items()})
        if f.code.startswith("P2C9")
    ]


COVERED = {
    "other name": ("import cv2, yaml, sklearn, PIL", "opencv-python-headless\nPyYAML>=5\nscikit_learn\npillow[x]==9\n"),
    "evident variant": ("import strange_lib, magic", "strange-lib\npython-magic; sys_platform == 'linux'\n"),
    "address": ("import clip, taming", "git+https://x.org/o/CLIP.git\n-e git+https://x.org/a/b.git@main#egg=taming\n"),
    "direct": ("import timm", "timm @ https://x.org/timm-1.0-py3-none-any.whl\n"),
    "wheel": ("import torch", "--find-links https://x.org/f.html\nhttps://x.org/torch-1.9.0%2Bcu111-cp38-linux.whl\n"),
    "continued and commented": ("import numpy", "# a\nnumpy \\\n  >=1.0  # why\n"),
    "submodule": ("from google.protobuf import text_format\nimport mpl_toolkits.mplot3d", "protobuf\nmatplotlib\n"),
    "standard library": ("import os, __future__, xml.dom", "-e .\n"),
    "other Python": ("import cPickle, urllib2, distutils.core", ""),
    "guarded": ("try:\n    import wandb\nexcept ImportError:\n    wandb = None", ""),
    "below if": ("import sys\nif sys.argv:\n    import wandb", ""),
    "types": ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jax", ""),
    "local": ("import wandb\nimport net.sizes", ""),
    "relative": ("from . import wandb", ""),
    "notebook": ("from google.colab import drive", ""),
}


@pytest.mark.parametrize("name", COVERED)
def test_what_is_covered_is_silent(name: str) -> None:
    text, required = COVERED[name]
    files = {"main.py": text, "requirements.txt": required}
    if name in ("local", "relative"):
        files |= {"wandb.py": "", "net/sizes.py": "", "__init__.py": ""}
    assert [f for f in found(files) if f[0] == "P2C901"] == []


def test_an_empty_list_of_a_package_declares_nothing() -> None:
    files = {"setup.py": "from setuptools import setup\nsetup(install_requires=[])\n"}
    files |= {"net/__init__.py": "import numpy\n"}
    assert [f[:2] for f in found(files)] == [("P2C903", "warning")]


def test_requirements_below_are_for_what_stands_below() -> None:
    files = {"net/__init__.py": "import numpy\n", "net/task/requirements.txt": "torch\n"}
    files |= {"net/task/__init__.py": "import torch\nimport einops\n"}
    assert [(f[0], f[2]) for f in found(files)] == [("P2C901", "net/task/__init__.py")]
    files["net/task/__init__.py"] = ""
    assert [f[0] for f in found(files)] == ["P2C903", "P2C902"]


FORMATS = {
    "requirements/base.txt": "einops\n",
    "requirements-dev.txt": "einops\n",
    "pyproject.toml": '[project]\nname = "x"\ndependencies = ["einops>=0.6"]\n',
    "setup.cfg": "[options]\ninstall_requires =\n    einops>=0.6\n",
    "setup.py": "from setuptools import setup\nR = ['einops']\nsetup(install_requires=R + ['numpy'])\n",
    "environment.yml": "dependencies:\n  - python=3.9\n  - pip:\n    - einops==0.6\n",
    "Pipfile": '[packages]\neinops = "*"\n',
}


@pytest.mark.parametrize("path", FORMATS)
def test_each_format_is_read(path: str) -> None:
    files = {"net/__init__.py": "import einops\n", path: FORMATS[path]}
    assert found(files) == []
    files[path] = files[path].replace("einops", "click")
    assert ("P2C901", "error", "net/__init__.py", 1) in found(files)


def test_all_tables_of_a_pyproject_count() -> None:
    text = """
    [project]\n    name = "x"\n    dependencies = []
    [project.optional-dependencies]\n    a = ["einops"]
    [dependency-groups]\n    b = ["timm"]
    [tool.poetry.dependencies]\n    python = "^3.9"\n    wandb = "*"
    [tool.poetry.group.c.dependencies]\n    peft = "*"
    """
    files = {"net/__init__.py": "import einops, timm, wandb, peft\n", "pyproject.toml": text}
    assert not [f for f in found(files) if f[0] == "P2C901"]


READ_BY_SETUP = [
    "from pathlib import Path\nsetup(install_requires=Path('requirements.txt').read_text().splitlines())\n",
    "with open('requirements.txt') as f:\n    needed = f.read().splitlines()\nsetup(install_requires=needed)\n",
    "import os\nR = os.path.join(HERE, 'requirements.txt')\nsetup(install_requires=[x for x in open(R)])\n",
]


@pytest.mark.parametrize("setup", READ_BY_SETUP)
def test_the_file_that_setup_reads_is_all(setup: str) -> None:
    files = {"net/__init__.py": "import click, einops\n", "requirements.txt": "click\n", "setup.py": setup}
    assert found(files) == [("P2C901", "error", "net/__init__.py", 1)]


DOUBTFUL = {
    "brought along": {"main.py": "import numpy\n", "requirements.txt": "pandas\n"},
    "perhaps brought along": {"main.py": "import einops\n", "requirements.txt": "our-own-lib\n"},
    "a build for the machine": {"main.py": "import torch\n", "requirements.txt": "click\n"},
    "lazy": {"main.py": "def f():\n    import einops\n", "requirements.txt": "click\n"},
    "computed": {"main.py": "import einops\n", "setup.py": "setup(install_requires=read())\n"},
    "missing include": {"main.py": "import einops\n", "requirements.txt": "-r other.txt\nclick\n"},
    "not imported for sure": {
        "net/__init__.py": "",
        "net/plugin.py": "import einops\n",
        "setup.py": "setup(install_requires=['click'])\n",
    },
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_what_may_work_is_a_warning(name: str) -> None:
    assert [severity for code, severity, _, _ in found(DOUBTFUL[name]) if code == "P2C901"] == ["warning"]


@pytest.mark.parametrize("path", ["tests/t.py", "docs/conf.py", "examples/run.py", "conftest.py", "pkg/tests/t.py"])
def test_what_stands_aside_is_left_alone(path: str) -> None:
    assert found({path: "import einops\n", "main.py": "import click\n", "requirements.txt": "click\n"}) == []


def test_a_missing_requirement_is_said_once_where_it_is_certain() -> None:
    files = {"a.py": "def f():\n    import einops\n", "b.py": "\nimport einops\n", "requirements.txt": "click\n"}
    assert [f for f in found(files) if f[0] == "P2C901"] == [("P2C901", "error", "b.py", 2)]


def test_what_the_reader_is_told_to_install_is_required() -> None:
    files = {"main.py": "import einops, click\n", "requirements.txt": "click\n"}
    assert found(files | {"README.md": "Run `pip install einops`, then…\n"}) == []


def test_without_any_file_there_is_one_warning() -> None:
    files = {"main.py": "import torch\nimport numpy\n", "net.py": "import einops\n"}
    assert found(files) == [("P2C903", "warning", "main.py", 1)]
    assert found({"main.py": "import os\n"}) == []


UNUSED_BUT_SILENT = {
    "tool": "black\npytest\nwheel\n",
    "used unseen": "tensorboard\nprotobuf\n",
    "unknown": "our-own-lib\n",
    "brought along too": "pandas\nnumpy==1.20\n",
    "mentioned": "gym\n",
    "frozen": "".join(f"lib{n}==1.0\n" for n in range(50)) + "wandb==1\n",
}


@pytest.mark.parametrize("name", UNUSED_BUT_SILENT)
def test_requirements_that_nobody_has_to_import(name: str) -> None:
    text = "import pandas\nENVIRONMENT = 'gym:CartPole'\n"
    assert not [f for f in found({"main.py": text, "requirements.txt": UNUSED_BUT_SILENT[name]}) if f[0] == "P2C902"]


def test_a_requirement_that_nobody_imports_is_a_warning_at_its_line() -> None:
    files = {"main.py": "import torch\n", "requirements.txt": "torch\n# x\nwandb\n"}
    assert found(files) == [("P2C902", "warning", "requirements.txt", 3)]


@pytest.mark.parametrize("data", [b"\xff\xfet\x00o\x00r\x00c\x00h\x00", b"\xef\xbb\xbftorch\r\n"])
def test_other_encodings_are_read(data: bytes) -> None:
    assert not [f for f in validate({"main.py": b"import torch\n", "requirements.txt": data}) if f.code == "P2C901"]


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml", "setup.cfg", "environment.yml", "Pipfile"])
@pytest.mark.parametrize(
    "data", [b"\0\xff\xfe[[[{{", b"[" * 5000, b"- &a [*a]\n", b"x: !!python/object:os.system {}\n"]
)
def test_any_bytes_are_survived(name: str, data: bytes) -> None:
    validate({"main.py": b"import torch\n", name: data})
