"""The command line ``probe``: one file a subcommand, found by its name, loaded when asked for."""

from __future__ import annotations

import pkgutil
import sys
import traceback
from importlib import import_module
from typing import Any

import click

from ... import __version__
from ...core.errors import LayerwiseError, did_you_mean
from ...results.escaping import visible


class Commands(click.Group):
    """A group whose commands are the modules of a package, each with a ``command`` in it."""

    def __init__(self, *, package: str, path: list[str], **rest: Any) -> None:
        super().__init__(**rest)
        self._package = package
        self._modules = {
            module.name.rstrip("_").replace("_", "-"): module.name
            for module in pkgutil.iter_modules(path)
            if not module.name.startswith("_")
        }

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the subcommands."""
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand's module and take its command."""
        if cmd_name not in self._modules:
            return None
        command: click.Command = import_module(f"{self._package}.{self._modules[cmd_name]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest names when there is no such command."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and name not in self._modules:
            ctx.fail(f"no such command: {name!r}; {did_you_mean(name, self._modules)}")
        return super().resolve_command(ctx, args)


@click.command(
    cls=Commands,
    package=__name__,
    path=list(__path__),
    context_settings={"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "PROBE"},
    epilog="Every option can be given as an environment variable: PROBE_RUN_ENCODER, PROBE_DEBUG.",
)
@click.version_option(__version__, prog_name="layerwise")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option("-q", "--quiet", is_flag=True, help="No progress bars.")
@click.pass_context
def probe(ctx: click.Context, debug: bool, quiet: bool) -> None:
    """What a text encoder knows, at which layer, and what that costs in time."""
    ctx.ensure_object(dict)["debug"] = debug
    if quiet:
        from ...core import progress

        progress.silence()


def main() -> None:
    """Run ``probe``. 0 ok, 1 a unit failed, 2 usage, 3 bad data or model, 130 interrupted."""
    given = {"debug": False}
    try:
        code = probe(prog_name="probe", standalone_mode=False, obj=given)
    except LayerwiseError as error:
        complain(error, debug=given["debug"])
        code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        code = 2
    except click.ClickException as error:
        complain(" ".join(error.format_message().split()))
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted; what is finished is kept, and the same command goes on from there")
        code = 130
    except Exception as error:
        complain(error, debug=given["debug"])
        code = 1
    sys.exit(code if isinstance(code, int) else 0)


def complain(error: Exception | str, *, debug: bool = False) -> None:
    """One line on the error stream, below the traceback where that is asked for."""
    if debug and isinstance(error, Exception):
        click.echo("".join(traceback.format_exception(error)), err=True)
    if isinstance(error, Exception) and not isinstance(error, LayerwiseError):
        error = f"{type(error).__name__}: {error}; `probe --debug` shows where"
    click.echo(f"error: {visible(str(error))}", err=True)
