"""requirements.txt holds what is imported, under the name that it is installed by."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s7_write.requirements import requirements


def names(**files: str) -> list[str]:
    return [r.distribution for r in requirements({f"{name}.py": text for name, text in files.items()})]


def test_only_what_is_imported_from_outside_is_required_in_order() -> None:
    main = "import os, sys\nimport torch.nn as nn\n"
    main += "from data import loader\nfrom model import Model\nfrom PIL import Image\n"
    found = requirements({"main.py": main, "model.py": "import torch\n", "data/loader.py": "from . import x\n"})
    assert [r.distribution for r in found] == ["Pillow", "PyYAML", "torch"]
    assert all(r.known for r in found)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("import cv2", "opencv-python"),
        ("from sklearn.metrics import f1_score", "scikit-learn"),
        ("import skimage.io", "scikit-image"),
        ("from bs4 import BeautifulSoup", "beautifulsoup4"),
        ("from mpl_toolkits import mplot3d", "matplotlib"),
        ("def f():\n    import einops", "einops"),
        ("try:\n    import timm\nexcept ImportError:\n    timm = None", "timm"),
    ],
)
def test_an_import_is_installed_by_its_distributions_name(line: str, name: str) -> None:
    assert name in names(main=line)


def test_what_only_a_type_checker_imports_is_not_required() -> None:
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import jax\n"
    assert names(main=text) == ["PyYAML"]


def test_a_name_that_we_do_not_know_is_marked() -> None:
    (unknown,) = (r for r in requirements({"main.py": "import torchsmoothx\nimport torch\n"}) if not r.known)
    assert unknown.distribution == "torchsmoothx"


def test_main_needs_yaml_even_when_it_does_not_say_so() -> None:
    assert names(main="") == ["PyYAML"]
    assert names(main="import yaml") == ["PyYAML"]
