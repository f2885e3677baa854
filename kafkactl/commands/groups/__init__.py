"""kafkactl groups: consumer groups looked at, and their offsets moved, with a way back."""

import typer

from kafkactl.commands.groups import looking, writing

app = typer.Typer(
    help="Consumer groups: who is in them, where they stand, and moving that, with a way back.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

app.command("list")(looking.list_groups)
app.command("describe")(looking.describe)
app.command("save")(looking.save)
app.command("reset")(writing.reset)
app.command("undo")(writing.undo)
app.command("copy")(writing.copy)
app.command("delete-offsets")(writing.delete_offsets)
app.command("delete")(writing.delete)
