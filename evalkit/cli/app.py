"""The `evalkit` command: which commands there are, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import IO, Any

import click

from evalkit.cli.options import CommonCommand, HelpfulGroup, Invocation, common_options
from evalkit.errors import EvalkitError, did_you_mean
from evalkit.plaintext import clean

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Run an example suite offline: its table, its gates, its report."),
    "runs": ("runs", "List the stored runs, newest first."),
    "show": ("show", "Show a run: its metrics, its gates, its worst cases."),
    "history": ("history", "Show how a metric of a suite moved over its runs, or list the reports in a folder."),
    "traces": ("traces", "Look at what happened inside the trials of a run: calls, tools, scorers."),
    "compare": ("compare", "Compare two runs case by case."),
    "gate": ("gate", "Judge a stored run again, by its own gates or by others."),
    "judges": ("judges", "Look at judges: who they are, and how far they can be trusted."),
    "label": ("label", "Label outputs of a run by hand, to find out how far a judge can be trusted."),
    "rescore": ("rescore", "Score stored outputs again, without calling the model under test."),
    "report": ("report", "Write a run as one self-contained HTML file, or as a Markdown summary."),
    "cache": ("cache", "Look after recorded answers of models: stats, prune, export."),
    "prompts": ("prompts", "Look at prompts: files and stored versions, what differs, what a model gets."),
    "models": ("models", "Look at models: files and stored versions, what differs."),
    "sync": ("sync", "Register every prompt and model file in the store, or check that they are."),
    "promote": ("promote", "Ask for an alias to be moved to another version, on the evidence of stored runs."),
    "promotions": ("promotions", "Look at promotions: which there are, what one rests on, whether it still holds."),
    "approve": ("approve", "Approve a promotion, having seen its evidence."),
    "reject": ("reject", "Reject a promotion, for good."),
    "cancel": ("cancel", "Take back a promotion that is not applied yet."),
    "apply": ("apply", "Carry out an approved promotion."),
    "override": ("override", "Go on with a blocked promotion in spite of its rules, on your name."),
    "rollback": ("rollback", "Point an alias back at a version that it was on before."),
    "freeze": ("freeze", "Keep an alias from moving for a time."),
    "policy": ("policy", "Look at policies: the rules that an alias is moved by."),
    "audit": ("audit", "The audit log: who did what, and proof that nobody changed it since."),
    "tokens": ("tokens", "API tokens, by which people and machines are known: make, list, revoke."),
    "outbox": ("outbox", "Messages for webhooks: list them, send what is due, send one again."),
    "bundle": ("bundle", "Write what is in force as a folder that needs no evalkit, or verify one."),
    "merge": ("merge", "Make one run of the bundles that shards wrote, and judge it."),
    "redact": ("redact", "Take what a case gave out of the store, and leave its digest."),
    "config": ("settings", "Show the settings in force and where each came from."),
    "db": ("db", "Look after the store: upgrade, check, back up, restore, copy, roles."),
    "gc": ("gc", "Take old runs out of the store, never one that something rests on."),
    "doctor": ("doctor", "Say what is wrong here, and what to do about it."),
    "ingest": ("ingest", "Store the results that a run could not store."),
}
"""Each command with its module under `evalkit.cli` and what the help says of it."""

INTERRUPTED = 130
BROKEN_PIPE = 141
BUG = 70


class LazyGroup(HelpfulGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"evalkit.cli.{COMMANDS[cmd_name][0]}"), "command")  # noqa: B009 - typed Any
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from evalkit import __version__

        click.echo(f"evalkit {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A RUN is a run's id, the beginning of one, last, or SUITE@last.",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Say which one.")
@common_options
def cli() -> None:
    """Look at evaluation runs, judge them, and report on them."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; see `evalkit --help`."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code: that of the error, where there was one.

    2 is a mistake in what was asked, 130 Ctrl-C, 141 a reader that went away, 70 a fault of evalkit's own.
    """
    for stream in (sys.stdout, sys.stderr):
        _lenient(stream)
    invocation = Invocation()
    try:
        # Whether there are colours is decided in `Invocation.paint`; click would take them out again.
        result = cli.main(args=list(arguments), prog_name="evalkit", standalone_mode=False, obj=invocation, color=True)
        sys.stdout.flush()
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        _tell(invocation, error, _usage(error), hint=_help_hint(error))
        return error.exit_code
    except EvalkitError as error:
        _tell(invocation, error, str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered would raise once more when Python closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except Exception as error:  # the last line of defence: a bug of ours is said to be one, without a wall of text
        _tell(
            invocation,
            error,
            f"This is a bug in evalkit: {type(error).__name__}: {error}",
            hint="Please report it with the output of the same command and --debug.",
        )
        return BUG


def _tell(invocation: Invocation, error: Exception, text: str, *, hint: str = "") -> None:
    if invocation.debug:
        import traceback

        click.echo("".join(traceback.format_exception(error)), err=True)
        return
    paint = invocation.paint(sys.stderr)
    first, _, rest = text.partition("\n")
    shown = [clean(line) for line in (first, *rest.splitlines(), *hint.splitlines())]  # of a file that is not ours
    lines = [paint("Error: ", "1;31") + shown[0], *filter(None, shown[1:])]
    click.echo("\n".join(lines), err=True, color=True)


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        known = error.ctx.command.params if error.ctx else []
        names = [name for parameter in known for name in parameter.opts]
        return f'There is no option "{error.option_name}".{did_you_mean(error.option_name, names)}'
    return error.format_message()


def _help_hint(error: click.ClickException) -> str:
    ctx = getattr(error, "ctx", None)
    return f"See: {ctx.command_path} --help" if ctx is not None else ""


def _lenient(stream: IO[Any]) -> None:
    # A terminal that cannot show a character gets an escape of it, not a crash.
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


__all__ = ["COMMANDS", "CommonCommand", "cli", "main", "run"]
