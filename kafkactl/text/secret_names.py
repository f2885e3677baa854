"""Which names are those of secrets: variables, properties, keys of YAML and JSON, options of commands. Pure."""

import re

# Wherever it stands in a name: nothing harmless has one of these in it.
_ANYWHERE = re.compile(
    r"password|passwd|passphrase|requirepass|masterauth|(?:api|access|private|secret|account|signing)key"
)
# As a word of a name: `*_PASS`, `*_PWD`, `*_TOKEN`; a compass, and how many tokens there are, are none.
_WORDS = frozenset(("pass", "pwd", "secret", "secrets", "token", "credential", "credentials", "jaas", "authorization"))
_KEYS = re.compile(r"(api|access|private|secret|account|signing|encryption)_key")
# What such a name is only about: where it is, how long it lasts, what makes it.
_ABOUT = re.compile(
    "url|uri|endpoint|location|path|file|dir|directory|command|type|source|ms|seconds|ttl|enabled|class|algorithm|provider"
    "|length|expiry|expires|format|mechanism|protocol|count|size|required|issuer|audience|names?|policy|iterations"
    "|encoder|handler"
)


def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret: DB_PASSWORD, apiKey, sasl.jaas.config, --token."""
    words = _words(name)
    if not words or tells_of_secret(name) or words in (["pwd"], ["oldpwd"]):
        return False
    if words[-2:] == ["user", "info"]:  # basic.auth.user.info
        return True
    joined = "_".join(words)
    return bool(_ANYWHERE.search("".join(words)) or _KEYS.search(joined) or _WORDS.intersection(words))


def tells_of_secret(name: str) -> bool:
    """Whether a name is only about a secret: where it is, how long it lasts, what makes it."""
    words = _words(name)
    return bool(words and _ABOUT.fullmatch(words[-1]))


def _words(name: str) -> list[str]:
    """The words of a name, in lower case, however they are joined: DB_PASS, db.pass, dbPass, --db-pass."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
