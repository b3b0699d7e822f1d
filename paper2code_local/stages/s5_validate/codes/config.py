"""Settings: P2C801 to P2C804.

In: nothing. Out: the table. Must not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Mapping

from paper2code_local.stages.s5_validate.codes.code import Code

_MAIN = b"""import yaml

with open("config.yaml") as stream:
    config = yaml.safe_load(stream)
print(config["steps"] * config["rate"])
"""
_CODE = {"main.py": _MAIN, "requirements.txt": b"PyYAML\n"}

CONFIG: Mapping[str, Code] = {
    "P2C801": Code(
        "key that the settings file lacks",
        "error",
        "The code reads a key of settings that it evidently loads from a YAML file of this repository, and the file "
        'has no such key: by `config["a"]["b"]`, as an attribute where settings are read like that, or as a parameter '
        "of what is called with `**config`. A warning where another file may be meant, where the line may not run, and "
        "for `.get` without a default. Keys that the code sets or asks for first are left alone.",
        {**_CODE, "config.yaml": b"steps: 3\n"},
        {**_CODE, "config.yaml": b"steps: 3\nrate: 0.1\n"},
    ),
    "P2C802": Code(
        "key that nobody reads",
        "warning",
        "A key of a settings file that the code loads and whose reads are all understood; no Python file mentions it.",
        {**_CODE, "config.yaml": b"steps: 3\nrate: 0.1\nmomentum: 0.9\n"},
        {**_CODE, "config.yaml": b"steps: 3\nrate: 0.1\n"},
    ),
    "P2C803": Code(
        "number that YAML takes for text",
        "warning",
        "In YAML 1.1, which PyYAML reads, a number with an exponent needs a point and a sign: `1e-4` is text.",
        {**_CODE, "config.yaml": b"steps: 3\nrate: 1e-4\n"},
        {**_CODE, "config.yaml": b"steps: 3\nrate: 1.0e-4\n"},
    ),
    "P2C804": Code(
        "settings file that is no YAML",
        "error",
        "`config.yaml` cannot be read.",
        {**_CODE, "config.yaml": b"steps: 3\n  rate: [0.1\n"},
        {**_CODE, "config.yaml": b"steps: 3\nrate: 0.1\n"},
    ),
}
