"""Write docs/cli.md from the commands' own help: `python -m tests.make_cli`, or `make docs`.

Only names, help texts and defaults are taken from the command tree, so the page is the same on every terminal. The
table of exit codes stands here, as the command line does not list them in its help.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from rag_dolly.cli import app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"

_INTRO = """\
# Commands

<!-- Written by tests/make_cli.py from the commands' own help: do not edit; run `make docs`. -->

## What all commands have in common

Data goes to standard output; progress and messages go to standard error. With `--json` a command prints one JSON object
and nothing else on standard output. The help of a command is shown by `--help` or `-h`.
"""

_EXIT_CODES = """\
## Exit codes of the commands

- Exit code 0 means that everything was done.
- Exit code 1 means that the command failed; one line on standard error says why.
- Exit code 2 means wrong usage, such as an unknown option, a setting out of range or an empty question.
- Exit code 3 means that the ingestion is done, but some files could not be read; they are listed.
- Exit code 4 means that the documents do not answer the question.
- Exit code 130 means that the command was stopped with Ctrl-C; what was stored is kept. The page ends with 0.

The meaning of each error line is on the page [errors](errors.md).
"""


def page() -> str:
    """Return the whole page as Markdown."""
    root: Any = typer.main.get_command(app)
    sections = [_section("rag-dolly", root, "all commands")]
    sections += [_section(name, command, name) for name, command in commands(root)]
    return "\n".join([_INTRO, *sections, _EXIT_CODES])


def commands(group: Any, path: str = "rag-dolly") -> Iterator[tuple[str, Any]]:
    """Yield (full name, command) for each command that does something, groups left out."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _section(name: str, command: Any, title: str) -> str:
    arguments = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    usage = " ".join([name, *map(_argument, arguments), "[OPTIONS]"])
    lines = "\n".join(map(_line, command.params))
    heading = "## Options of rag-dolly itself" if title != name else f"## {name}"
    return f"{heading}\n\n{command.help}\n\n```sh\n{usage}\n```\n\n{lines}\n"


def _argument(parameter: Any) -> str:
    name = parameter.name.upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _line(parameter: Any) -> str:
    """Return the list item for an argument or option."""
    text = parameter.help or "The file to write."
    if parameter.param_type_name == "argument":
        return f"- `{_argument(parameter)}`: {text}"
    value = "" if parameter.is_flag else f" {parameter.name.upper()}"
    default = f" [default: {parameter.default}]" if parameter.default not in (None, False) else ""
    return f"- `{', '.join(parameter.opts)}{value}`: {text}{default}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
