"""The command line: ``tintype COMMAND``. Each command stands in its own file under app/commands/."""

from __future__ import annotations

import sys

import typer

from app import exits
from app.commands.api import api
from app.commands.apply import apply, secret
from app.commands.audit import audit
from app.commands.bench import bench
from app.commands.broadcast import broadcast
from app.commands.check import check
from app.commands.connectors import connectors
from app.commands.coupons import coupons
from app.commands.dead import dead
from app.commands.deliveries import deliveries
from app.commands.demo import demo
from app.commands.doctor import doctor
from app.commands.epoch import epoch
from app.commands.erase import erase
from app.commands.export import export
from app.commands.history import history
from app.commands.import_ import import_
from app.commands.keys import keys
from app.commands.migrate import migrate
from app.commands.profile import profile
from app.commands.recommendations import recommendations
from app.commands.results import results
from app.commands.run import run
from app.commands.schema import schema
from app.commands.switch import switch
from app.commands.text import text
from app.commands.timelines import timelines
from app.commands.triggers import triggers
from app.commands.worker import worker
from app.output import errors_as_json, errors_of, notes, print_errors, print_json
from app.problems import ConfigError
from streams.errors import InputError


def _finish(code: int) -> None:
    """A command's result is its exit code."""
    raise typer.Exit(code)


app = typer.Typer(
    name="tintype",
    help="Tintype keeps a live portrait of every customer of a shop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    result_callback=_finish,
)
app.command("run")(run)
app.command("worker")(worker)
app.command("api")(api)
app.command("apply")(apply)
app.command("secret")(secret)
app.command("migrate")(migrate)
app.command("check")(check)
app.command("import")(import_)
app.command("profile")(profile)
app.command("audit")(audit)
app.command("history")(history)
app.command("text")(text)
app.command("test")(timelines)
app.command("keys")(keys)
app.command("bench")(bench)
app.command("dead")(dead)
app.command("deliveries")(deliveries)
app.command("recommendations")(recommendations)
app.command("switch")(switch)
app.command("triggers")(triggers)
app.command("results")(results)
app.command("broadcast")(broadcast)
app.command("coupons")(coupons)
app.command("epoch")(epoch)
app.command("erase")(erase)
app.command("export")(export)
app.command("connectors")(connectors)
app.command("doctor")(doctor)
app.command("schema")(schema)
app.command("demo")(demo)


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code (app/exits.py).

    Bad input and configuration end with their errors and code 2, as a wrong call does; Ctrl-C with code
    130. Everything else that is raised is a defect of Tintype and keeps its traceback.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app(args=given, prog_name="tintype")
    except SystemExit as end:
        if end.code == exits.INTERRUPTED:
            notes.print("stopped; nothing is left half done, the same command begins again")
        return end.code if isinstance(end.code, int) else exits.OK
    except (ConfigError, InputError) as error:
        errors = errors_of(error)
        if "--json" in given:
            print_json(errors_as_json(errors))
        else:
            print_errors(errors)
        return exits.BAD_INPUT
    return exits.OK


if __name__ == "__main__":
    sys.exit(main())
