"""The smoke run: a repository's own code, run in a sandbox without network, to see that it can be imported.

    smoke.py       the run: jobs → sandboxes → report          runner.py       what runs inside
    staging.py     the copy that is run                         sandbox.py      what a sandbox is
    jobs.py        what is tried                                bubblewrap.py   namespaces; container.py: podman, docker
    trying.py      one job in one sandbox                       seccomp.py      system calls that are refused
    judging.py     how it ended → trial, findings               interpreter.py  which Python, and its folders
    memory.py      the same files are not tried twice

It knows no stage, no model and no run folder.
"""

from paper2code_local.smoke.memory import remembered, smoke_folder
from paper2code_local.smoke.smoke import find_sandbox, smoke
from paper2code_local.smoke.staging import files_of

__all__ = ["files_of", "find_sandbox", "remembered", "smoke", "smoke_folder"]
