"""From a machine-learning paper to a repository that implements it, on the user's own machine.

    paper.pdf ─► TEI ─► Paper ─► Plan ─► FileSpecs ─► Repo ─► ValidatedRepo ─► out/

    cli/          the command line: wiring, and the one boundary where errors become exit codes
    pipeline.py   the story in one function; the only place that knows the order
    papers.py     many papers, one story each, on the same engines
    engines.py    engines by model: started once, shared by all runs of the process
    checking.py   the gate and the repair of generated code, with what surrounds it
    stages/       the verbs: s1_parse s2_plan s3_analyse s4_code s5_validate s6_repair s7_write
    artifacts/    the nouns: Paper, Plan, FileSpec, Repo, Finding, ValidatedRepo
    asking.py     a question and its typed answer, asked again with the reason
    prefix.py     what every prompt of a run begins with: the paper, then the plan
    source/       Python text → imports, definitions, skeletons (tree-sitter); runs nothing
    engine/       Request → Completion: vLLM, recorded, scripted
    smoke/        the result's own code, imported in a sandbox without network
    doctor/       what a run needs, what of it is here, and what mends the rest
    modelstore/   models as data (models/*.toml), pulled, verified, converted
    rundir.py     one run's folder: what was asked is remembered, what you edit is yours
    isolated.py   hostile input is read in a process of its own, with limits
    offline.py    the network guard
    events.py     facts about a run; listeners/ show them: terminal, jsonl, summary
    errors.py     what a user can meet, and its exit code

Importing this package does nothing.
"""

__version__ = "0.1.0"
