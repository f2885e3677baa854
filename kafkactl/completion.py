"""What shells are offered: values, each with its help in one line, as it was written.

Typer's own answers drop apostrophes and quotation marks (zsh), break long texts into lines, each of which is then an
offer (fish, PowerShell), and take [words] for markup.
"""

from typing import Any

from typer._click.shell_completion import add_completion_class
from typer._completion_classes import FishComplete, PowerShellComplete, ZshComplete


def _help(item: Any) -> str:
    return " ".join((item.help or "").split())


class WholeForZsh(ZshComplete):
    """Values with their help, whatever signs these hold."""

    def format_completion(self, item: Any) -> str:
        return ":".join(f'"{_quoted(word)}"' for word in (item.value, _help(item)) if word)


def _quoted(text: str) -> str:
    """A text within quotation marks, within the apostrophes around all of them: zsh evaluates first these, then those.

    A colon separates a value from its help, unless it has a backslash.
    """
    for sign, written in (('"', r"\""), ("$", r"\$"), ("`", r"\`"), (":", r"\\:"), ("'", r"'\''")):
        text = text.replace(sign, written)
    return text


class WholeForFish(FishComplete):
    """A value, a tab and its help."""

    def format_completion(self, item: Any) -> str:
        return "\t".join(word for word in (item.value, _help(item)) if word)


class WholeForPowerShell(PowerShellComplete):
    """A value, three colons and its help."""

    def format_completion(self, item: Any) -> str:
        return f"{item.value}:::{_help(item) or ' '}"


def offer_whole_texts() -> None:
    """From here on shells are answered by the classes above."""
    add_completion_class(WholeForZsh, "zsh")
    add_completion_class(WholeForFish, "fish")
    add_completion_class(WholeForPowerShell, "powershell")
    add_completion_class(WholeForPowerShell, "pwsh")
