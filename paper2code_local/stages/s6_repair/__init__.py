"""Stage 6: repair. What the gate refuses is mended where the remedy is beyond doubt, then asked of the model again.

    mechanical/   no model: imports, requirements, numbers, prose around code
    looking.py    what the gate says of a repository, and which of two versions is better
    faults.py     which function, method or file is at fault, and what the model is told of it
    callees.py    what code calls and nobody wrote
    rounds.py     the rounds: mend, ask, keep what is better
    rewriting.py  a unit or a file of any repository, asked for again
    stubs.py      what still cannot be written becomes an honest stub

In: a `Repo`; the gate and a way to rewrite a unit, both handed over by the pipeline. Out: `Repaired`, then a
`ValidatedRepo` in which every file compiles and every local import names a file and a definition in it. Must not know
prompts of other stages, engines or disk.
"""

from paper2code_local.stages.s6_repair.callees import Helper, helpers_of, with_helper
from paper2code_local.stages.s6_repair.faults import faults_of
from paper2code_local.stages.s6_repair.looking import Gate, look, weight
from paper2code_local.stages.s6_repair.rewriting import rewrite, signatures
from paper2code_local.stages.s6_repair.rounds import Repaired, Rewrite, Scope, repair
from paper2code_local.stages.s6_repair.stubs import BLOCKING, contents, settle

__all__ = [
    "BLOCKING",
    "Gate",
    "Helper",
    "Repaired",
    "Rewrite",
    "Scope",
    "contents",
    "faults_of",
    "helpers_of",
    "look",
    "repair",
    "rewrite",
    "settle",
    "signatures",
    "weight",
    "with_helper",
]
