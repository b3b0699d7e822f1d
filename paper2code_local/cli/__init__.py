"""The command line. Only this folder knows click.

`main` is the entry point. Each command is a module that is imported when it is called: `p2c-local --help` loads click
and nothing else. Errors of every command meet in boundary.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

from paper2code_local import __version__

COMMANDS = {
    "generate": ("paper2code_local.cli.generate:generate", "Turn a paper into a repository."),
    "inspect": ("paper2code_local.cli.inspecting:inspect", "Show what is understood of a paper."),
    "validate": ("paper2code_local.cli.validating:validate", "Check a Python repository without running it."),
    "repair": ("paper2code_local.cli.repairing:repair", "Mend what validate finds in a repository."),
    "smoke": ("paper2code_local.cli.smoking:smoke", "Import every module of a repository in a sandbox."),
    "models": ("paper2code_local.cli.models:models", "List, fetch and check models."),
    "serve": ("paper2code_local.cli.serve:serve", "Keep a model loaded between runs."),
    "doctor": ("paper2code_local.cli.doctor:doctor", "Check this machine, and say what mends it."),
    "report": ("paper2code_local.cli.reporting:report", "Tell a run again from its folder."),
}
"""Name → where the command is, and its line in --help."""

SETTINGS = {"auto_envvar_prefix": "P2C"}
"""Of every command: --grobid is also P2C_GROBID, whichever command it belongs to."""

EPILOG = """\b
Every option can be set in the environment: --grobid URL is P2C_GROBID=URL.

\b
Exit codes: 0 clean, 1 findings remain, 2 usage, 3 the input cannot be read,
4 GROBID, 5 engine, model or sandbox, 6 no usable answer, 7 cannot write, 70 a bug,
130 and 143 interrupted (run the same command again to go on).

\b
Completion in the shell (bash; also zsh_source, fish_source):
  eval "$(_P2C_LOCAL_COMPLETE=bash_source p2c-local)"
"""


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order in which they are used."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the names of commands without importing them."""
        names = (name for name in COMMANDS if name.startswith(incomplete))
        items = [CompletionItem(name, help=COMMANDS[name][1]) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run the command line behind the error boundary and exit."""
        from paper2code_local.cli.boundary import Boundary

        words = list(sys.argv[1:] if args is None else args)
        boundary = Boundary(words, os.environ)
        run = super().main
        sys.exit(
            boundary.exit_code(
                lambda: run(words, prog_name, complete_var, standalone_mode=False, obj=boundary, **extra)
            )
        )


@click.group(
    cls=Commands,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100} | SETTINGS,
)
@click.version_option(__version__, prog_name="p2c-local", message="%(prog)s %(version)s", allow_from_autoenv=False)
def main() -> None:
    """Turn a machine-learning paper into a repository that runs, on your own machine.

    \b
    p2c-local models pull                       fetch the default model, once
    p2c-local inspect paper.pdf                 what is understood of the paper
    p2c-local generate paper.pdf -o my-repo     the repository
    p2c-local validate my-repo                  what reading can prove about it
    p2c-local smoke my-repo                     what happens when it is imported, in a sandbox
    """
