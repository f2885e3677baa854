"""What is offered to whoever types another tool's word for a command, or slips."""

from collections.abc import Mapping, Sequence

from kafkactl.errors import UsageError
from kafkactl.text.remedies import kafkactl
from kafkactl.text.suggest import closest

# What other tools call it, and what it is here.
OTHER_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("topics", "list", "ls", "get", "info", "metadata", "cluster", "show"), "describe"),
    **dict.fromkeys(("brokers", "broker", "nodes", "node", "config", "configs"), "describe --broker"),
    **dict.fromkeys(("consume", "consumer", "cat", "read", "watch", "follow", "console-consumer"), "tail"),
    **dict.fromkeys(("producer", "send", "publish", "write", "console-producer"), "produce"),
    **dict.fromkeys(("consumer-groups", "consumergroups", "group"), "groups list"),
    **dict.fromkeys(("reset", "reset-offsets", "rewind", "seek"), "groups reset"),
    **dict.fromkeys(("offsets", "behind"), "lag"),
    **dict.fromkeys(("apply", "create", "sync", "migrate"), "init-topics"),
    **dict.fromkeys(("plan", "compare", "drift"), "diff"),
    **dict.fromkeys(("validate", "check-file"), "lint"),
    **dict.fromkeys(("health", "check", "diagnose", "troubleshoot", "fix"), "doctor"),
    **dict.fromkeys(("smoke", "smoke-test", "verify", "ping"), "test"),
    **dict.fromkeys(("dead-letters", "deadletters", "dlt"), "dlq list"),
    **dict.fromkeys(("replay", "redrive", "retry"), "dlq replay"),
    **dict.fromkeys(("schema", "schemas", "contracts"), "events schema"),
    **dict.fromkeys(("environments", "contexts", "context", "profile", "use-context"), "env list"),
    **dict.fromkeys(("up", "start"), "sandbox up"),
    **dict.fromkeys(("down", "stop"), "sandbox down"),
    **dict.fromkeys(("status", "containers"), "ps"),
    **dict.fromkeys(("acl", "acls", "permissions", "who"), "whoami"),
    "version": "--version",
    "help": "--help",
}
# Of a subcommand: `groups ls`.
OTHER_SUBWORDS: Mapping[str, Sequence[str]] = {
    "list": ("ls", "get", "all"),
    "describe": ("show", "get", "info"),
    "show": ("describe", "get", "cat", "read", "tail"),
    "create": ("add", "new", "make"),
    "set": ("alter", "update", "change", "config"),
    "reset": ("reset-offsets", "seek", "rewind", "set"),
    "delete": ("rm", "remove", "del"),
    "replay": ("redrive", "retry", "resend", "send"),
    "purge": ("delete", "clear", "rm", "remove"),
    "export": ("save", "download", "dump"),
    "check": ("validate", "lint", "verify"),
    "up": ("start", "create"),
    "down": ("stop", "delete", "rm"),
    "status": ("ps", "info", "show"),
}


# These change nothing and need no more words; the others are offered with --help.
_READY = {"describe", "describe --broker", "groups list", "lag", "diff", "lint", "doctor", "whoami", "dlq list"}
_READY |= {"env list", "ps", "sandbox status", "--version", "--help"}


def no_such_command(typed: str, names: Sequence[str], group: str = "") -> UsageError:
    """What to type instead of a word that names no command; `group` is the command above these, "" for none."""
    message = f"There is no command {' '.join(filter(None, (group, typed)))}."
    meant = _of_group(typed, names) if group else _meant(typed, names)
    if not meant:
        return UsageError(message, hint=kafkactl(group, options=["--help"], note="List them"))
    words = f"{group} {meant}".strip()
    return UsageError(message, hint=kafkactl(words, options=[] if words in _READY else ["--help"], note="Did you mean"))


def _meant(typed: str, names: Sequence[str]) -> str:
    if typed in OTHER_WORDS:
        return OTHER_WORDS[typed]
    near = closest(typed, names)
    if near is None and (word := closest(typed, OTHER_WORDS, cutoff=0.8)):
        return OTHER_WORDS[word]
    return near or ""


def _of_group(typed: str, names: Sequence[str]) -> str:
    found = next((name for name in names if typed in OTHER_SUBWORDS.get(name, ())), None)
    return found or closest(typed, names) or ""
