"""The command line as the history keeps it: without secrets, and without what was written. Pure."""

import re
from collections.abc import Collection, Sequence

from kafkactl.redaction.secret_names import HIDDEN, is_secret_name

_PLAIN = re.compile(r"[\w./-]*")  # a word of these holds nothing but itself


def told_command(words: Sequence[str], private: Collection[str] = ()) -> tuple[str, ...]:
    """The words of a command without their secrets; `private` are values that are nobody else's business: records."""
    hidden = {text for text in private if text}
    found: list[str] = []
    before = ""
    for word in words:
        found.append(HIDDEN if is_secret_name(before) and before.startswith("--") else _told(word, hidden))
        before = word
    return tuple(found)


def _told(word: str, hidden: Collection[str]) -> str:
    name, sign, value = word.partition("=")
    if word in hidden:
        return HIDDEN
    if sign and (value in hidden or is_secret_name(name.removeprefix("-X"))):
        return f"{name}={HIDDEN}"
    if word[:2] in ("-k", "-H") and word[2:] in hidden:
        return f"{word[:2]}{HIDDEN}"
    if _PLAIN.fullmatch(word):
        return word
    from kafkactl.redaction.patterns import without_secrets

    return without_secrets(word)
