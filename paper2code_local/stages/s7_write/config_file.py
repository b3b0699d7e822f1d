"""config.yaml: the planned values, each under a comment that says where it comes from.

In: the plan's values and the paper. Out: YAML text that `yaml.safe_load` reads back as exactly these values. Must not
know what reads it.
"""

from __future__ import annotations

import sys

import yaml

from paper2code_local.artifacts.paper import Paper
from paper2code_local.artifacts.plan import ConfigValue
from paper2code_local.stages.s7_write.escaping import one_line

HEADER = """\
# The settings of the experiment, as main.py reads them. Change them here.
# "found there": the value stands in the named section of the paper. "not found there": it is said to come from that
# section, but we could not find it in its text. "our assumption": the paper does not give it.
"""


def config_yaml(values: tuple[ConfigValue, ...], paper: Paper) -> str:
    """Return the text of config.yaml; no values give an empty mapping."""
    if not values:
        return f"{HEADER}\n{{}}\n"
    return HEADER + "".join(f"\n# {origin(value, paper)}\n{_entry(value)}" for value in values)


def origin(value: ConfigValue, paper: Paper) -> str:
    """Say on one line where a value comes from: "section 4.1 Training: found there"."""
    if value.origin == "assumed":
        return "our assumption"
    found = "found there" if value.origin == "traced" else "not found there"
    return f"{section_name(value.section, paper)}: {found}"


def section_name(section_id: str, paper: Paper) -> str:
    """Return "section 4.1 Training" for a section's id; the id itself when the paper has no such section."""
    section = next((s for s in paper.sections if s.id == section_id), None)
    named = one_line(f"{section.number} {section.heading}") if section else ""
    return f"section {named or section_id}"


def _entry(value: ConfigValue) -> str:
    # PyYAML writes what PyYAML reads: 1e-05, as Python prints it, would be read back as text; it writes 1.0e-05. Text
    # with characters that cannot be seen is written with escapes (unescaped, U+0085 would be read back as a blank).
    plain = str(value.value).isprintable()
    return yaml.safe_dump({value.key: value.value}, allow_unicode=plain, default_flow_style=False, width=sys.maxsize)
