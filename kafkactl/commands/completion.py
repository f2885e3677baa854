"""kafkactl completion: the script that a shell needs."""

from enum import StrEnum
from typing import Annotated

import typer

from kafkactl.view import output


class Shell(StrEnum):
    """Shells that complete."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="The shell that reads it.")],
) -> None:
    """Print the script with which the Tab key completes commands, options and names.

    Topics, groups and brokers are those of topics.yaml and those that earlier commands saw on the cluster; the Tab key
    itself asks no cluster.

    \b
    Examples:
      kafkactl completion bash > ~/.local/share/bash-completion/completions/kafkactl
      kafkactl completion zsh > ~/.zfunc/_kafkactl
      kafkactl completion fish > ~/.config/fish/completions/kafkactl.fish
    """
    from typer._completion_shared import get_completion_script

    output.say(get_completion_script(prog_name="kafkactl", complete_var="_KAFKACTL_COMPLETE", shell=shell))
