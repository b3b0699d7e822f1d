"""Stage 5: prove what can be proved about a repository by reading it.

In: files. Out: findings. Must not know models, nor how a finding is mended.
"""

from paper2code_local.stages.s5_validate.codes import CODES, Code, document
from paper2code_local.stages.s5_validate.gate import validate
from paper2code_local.stages.s5_validate.ignores import without_ignores
from paper2code_local.stages.s5_validate.reading import read_repository

__all__ = ["CODES", "Code", "document", "read_repository", "validate", "without_ignores"]
