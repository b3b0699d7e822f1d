"""Looks at this machine and says of each thing that a run needs whether it is there, and what mends it.

In: a `Subject`: environment, paths, what the user named. Out: `Check`s, one for each line that is told.
Must not start an engine, import one, or send anything but GROBID's ping. What it tries on disk it takes away again.

    installed.py  Python, our packages, the engine and its build       machine.py  CPU, memory, GPUs, limits
    stored.py     models, and which of the catalogue fit               places.py   folders: space, fsync, permissions
    outside.py    GROBID, the network guard, proxies                   tools.py    git, the sandbox

A check is a function of a `Subject` that yields `Check`s. It is imported when its turn comes: a package that is missing
costs the lines that need it, not all of them.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from importlib import import_module

import paper2code_local
from paper2code_local.doctor.check import Check, Subject, failed

CHECKS = (
    "installed:python",
    "installed:packages",
    "installed:engine",
    "machine:gpu",
    "machine:cpu",
    "stored:memory",
    "places:store",
    "stored:models",
    "places:output",
    "places:cache",
    "places:temporary",
    "places:shm",
    "places:umask",
    "outside:grobid",
    "outside:network",
    "outside:proxy",
    "tools:git",
    "tools:sandbox",
    "machine:limits",
    "machine:locale",
)
"""Module and function of each check, in the order in which they are told."""


def examine(subject: Subject) -> Iterator[Check]:
    """Yield what each check finds. A check that cannot be made is itself a failure."""
    for place in CHECKS:
        module, name = place.split(":")
        try:
            yield from getattr(import_module(f"{__name__}.{module}"), name)(subject)
        except ImportError as error:
            yield failed(name, f"cannot be looked at: {error}", _again((error.name or "").partition(".")[0]))
        except OSError as error:
            yield failed(name, f"cannot be looked at: {error}", "mend what the operating system says here")
        except RuntimeError as error:  # pathlib's word for a user without a home folder
            if "home" not in str(error):
                raise
            yield failed(name, "there is no home folder, and HOME is not set", "export HOME=$(mktemp -d)")


def _again(package: str) -> str:
    if package == paper2code_local.__name__:
        return "get paper2code_local itself again: a part of it is missing"
    return shlex.join([sys.executable, "-m", "pip", "install", "--force-reinstall", package])
