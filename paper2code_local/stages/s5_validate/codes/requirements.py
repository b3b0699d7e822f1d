"""Requirements: P2C901 to P2C903.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

REQUIREMENTS: Mapping[str, Code] = {
    "P2C901": Code(
        "import of a package that is not required",
        "error",
        "The import is neither of the standard library nor of this repository, and no declared requirement "
        "(`requirements*.txt`, `pyproject.toml`, `setup.cfg`, `setup.py`, `environment.yml`, `Pipfile`) gives it. A "
        "warning where a required package brings it along or may do so, where the declaration cannot be read in full, "
        "where the file is not imported for sure, and for packages that people install in a build for their machine, "
        "such as `torch`. Imports that may fail in peace, tests, examples and scripts beside a package are left alone.",
        {"main.py": b"import einops\nimport numpy\n", "requirements.txt": b"numpy\n"},
        {"main.py": b"import einops\nimport numpy\n", "requirements.txt": b"einops\nnumpy\n"},
    ),
    "P2C902": Code(
        "requirement that nobody imports",
        "warning",
        "A required package whose import names we know is imported and mentioned nowhere. Tools, plugins and packages "
        "that others use unseen are left alone.",
        {"main.py": b"import numpy\n", "requirements.txt": b"gym\nnumpy\n"},
        {"main.py": b"import numpy\n", "requirements.txt": b"numpy\n"},
    ),
    "P2C903": Code(
        "no requirements",
        "warning",
        "The repository imports packages of others, and no file says which: said once, at the first such import.",
        {"main.py": b"import numpy\n"},
        {"main.py": b"import numpy\n", "requirements.txt": b"numpy\n"},
    ),
}
