"""Modules that hide others of the same name, and folders that are hidden."""

from __future__ import annotations

import pytest

from paper2code_local.stages.s5_validate import validate

ROWS = "ROWS = 1\n"
CASES = {
    "a file like a standard module": ({"logging.py": ROWS}, [("P2C206", "logging.py")]),
    "in src": ({"src/logging.py": ROWS}, [("P2C206", "src/logging.py")]),
    "deeper it hides nothing": ({"net/__init__.py": "", "net/logging.py": ROWS}, []),
    "a file like a requirement": (
        {"yaml.py": ROWS, "main.py": "import yaml\nprint(yaml)\n", "requirements.txt": "pyyaml\n"},
        [("P2C206", "yaml.py")],
    ),
    "a package like a requirement": (
        {"datasets/__init__.py": "", "main.py": "import datasets\nprint(datasets)\n", "requirements.txt": "datasets\n"},
        [("P2C206", "datasets/__init__.py")],
    ),
    "the package itself": (
        {
            "datasets/__init__.py": "",
            "setup.py": "from setuptools import setup\nsetup(name='datasets')\n",
            "requirements.txt": "datasets\n",
        },
        [],
    ),
    "a requirement that is not imported by that name": (
        {"image.py": ROWS, "requirements.txt": "pillow\n", "main.py": "import PIL\nprint(PIL)\n"},
        [],
    ),
    "a folder that a requirement hides": (
        {
            "datasets/rows.py": ROWS,
            "main.py": "from datasets.rows import ROWS\nprint(ROWS)\n",
            "requirements.txt": "datasets\n",
        },
        [("P2C207", "main.py")],
    ),
    "a folder that the standard library hides": (
        {"json/rows.py": ROWS, "main.py": "import json.rows\nprint(json.rows)\n"},
        [("P2C207", "main.py")],
    ),
    "a folder of data": ({"json/rows.txt": "", "main.py": "import json\nprint(json)\n"}, []),
    "a folder that nobody imports from": ({"json/rows.py": ROWS, "main.py": "import json\nprint(json)\n"}, []),
    "an import that may fail": (
        {
            "json/rows.py": ROWS,
            "main.py": "try:\n    from json.rows import ROWS\nexcept ImportError:\n    ROWS = 2\nprint(ROWS)\n",
        },
        [],
    ),
    "a folder of its own name": ({"rows/rows.py": ROWS, "main.py": "from rows.rows import ROWS\nprint(ROWS)\n"}, []),
    "tests": ({"test/rows.py": ROWS, "main.py": "from test.rows import ROWS\nprint(ROWS)\n"}, []),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_hidden_is_found_and_nothing_else(case: str) -> None:
    files, expected = CASES[case]
    found = validate({path: text.encode() for path, text in files.items()})
    assert [(f.code, f.path) for f in found if f.code in ("P2C206", "P2C207")] == expected
