"""Stage 7: write the repository, all of it or nothing.

In: a `ValidatedRepo` with the plan, specifications, paper and findings behind it. Out: every file as bytes
(`render_repository`, pure), then a folder (`write_repository`, atomic). Must not know engines or prompts.
"""

from paper2code_local.stages.s7_write.render import render_repository, surroundings
from paper2code_local.stages.s7_write.staging import MARKER, refuse_foreign, write_repository

__all__ = ["MARKER", "refuse_foreign", "render_repository", "surroundings", "write_repository"]
