"""The command line as a whole: quick help, every option in the environment, errors of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from paper2code_local import __version__
from paper2code_local.cli import COMMANDS, main

HEAVY = {
    "jinja2",
    "lxml",
    "pydantic",
    "pypdfium2",
    "rich",
    "tokenizers",
    "torch",
    "transformers",
    "tree_sitter",
    "vllm",
}


def python(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *args]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def all_commands() -> Iterator[tuple[str, click.Command]]:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        yield name, command
        if isinstance(command, click.Group):
            yield from ((f"{name} {inner}", found) for inner, found in command.commands.items())


@pytest.mark.parametrize("args", [["--help"], ["-h"], ["--version"], []])
def test_help_loads_no_library_but_click(args: list[str]) -> None:
    script = (
        "import sys\nfrom paper2code_local.cli import main\n"
        f"try: main({args!r})\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    modules = {name.split(".")[0] for name in python("-c", script).stderr.split()}
    assert "click" in modules
    assert not modules & HEAVY


def test_the_help_names_every_command_and_what_it_does() -> None:
    told = CliRunner().invoke(main, ["--help"])
    assert told.exit_code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"{name} " in told.output
        assert line in told.output


def test_the_module_is_the_command() -> None:
    told = python("-m", "paper2code_local", "--version")
    assert (told.returncode, told.stdout) == (0, f"p2c-local {__version__}\n")


def test_every_command_has_help_with_an_example_or_an_explanation() -> None:
    for name, command in all_commands():
        told = CliRunner().invoke(main, [*name.split(), "-h"])
        assert told.exit_code == 0, name
        assert command.help, name


def test_every_option_is_also_a_variable_of_the_environment() -> None:
    for name, command in all_commands():
        assert command.context_settings.get("auto_envvar_prefix") == "P2C", name
        for option in command.params:
            if isinstance(option, click.Option):
                flag = max(option.opts, key=len).removeprefix("--").replace("-", "_").upper()
                assert f"P2C_{flag}" in (option.envvar, f"P2C_{(option.name or '').upper()}"), (name, option.opts)


@pytest.mark.parametrize(
    "args",
    [["nonsense"], ["validate"], ["validate", ".", "--nonsense"], ["inspect", "x", "--parser", "nonsense"], ["models"]],
)
def test_a_wrong_command_line_is_2_in_both_shapes(args: list[str]) -> None:
    told = CliRunner().invoke(main, args)
    assert (told.exit_code, told.stdout) == (2, "")
    assert told.stderr
    told = CliRunner().invoke(main, [*args, "--json"])
    assert (told.exit_code, told.stderr) == (2, "")
    assert json.loads(told.stdout)["error"]["code"] == "usage.command_line"


def test_errors_of_the_command_line_point_to_the_help_of_the_command() -> None:
    assert "validate --help" in CliRunner().invoke(main, ["validate", ".", "--nonsense"], prog_name="p2c-local").stderr


def test_commands_and_models_complete_in_the_shell() -> None:
    def completed(words: str, count: int) -> str:
        return python(
            "-m", "paper2code_local", _P2C_LOCAL_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(count)
        ).stdout

    assert completed("p2c-local va", 1) == "plain,validate\n"
    assert completed("p2c-local models pull smol", 3) == "plain,smollm2-135m-instruct\n"
    assert "plain,grobid" in completed("p2c-local inspect --parser g", 3)
