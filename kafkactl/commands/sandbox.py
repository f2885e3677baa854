import typer
app = typer.Typer(help="A real Kafka as local processes.", rich_markup_mode=None)
@app.command()
def up() -> None:
    """Not here yet."""
