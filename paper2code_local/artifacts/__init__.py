"""The nouns: frozen pydantic models, the data that flows and the files on disk.

paper.py      Paper: what was understood of the input
plan.py       Plan: overview, architecture, logic design, configuration
spec.py       FileSpec: the analysis of one file
repo.py       Repo, ValidatedRepo: code before and after the gate
finding.py    Finding: what a check has to say
paths.py      RepoPath: a path that stays inside the repository
inspection.py Paper → the figures of `inspect --json`
"""
