"""Which names are those of secrets: variables, properties, keys of YAML and JSON, options of commands. Pure."""

import re
from functools import lru_cache

HIDDEN = "[hidden]"  # what is shown in place of a secret

# Wherever it stands in a name, its words written as one: nothing harmless has one of these in it.
_ANYWHERE = re.compile(
    r"password|passwd|passphrase|passcode|pswd|requirepass|masterauth|basicauth(users?)?$|userinfo$"
    r"|(?:api|access|private|secret|account|signing|encryption|master|shared)key|key(?:store)?pem$|keystorekey$|storedkey$|密码|口令|密钥|令牌"
)
# As a word of a name: `*_PASS`, `*_PWD`, `*_TOKEN`.
_WORDS = frozenset(
    (
        *("pass", "pwd", "secret", "secrets", "token", "tokens", "credential", "credentials"),
        *("jaas", "jwt", "cookie", "authorization"),
    )
)
# The end of a word: DBPASS, storepass; a compass is none.
_ENDS = re.compile(r".+(?<!com)(?<!by)(?<!tres)(?<!sur)(?<!over)(?<!under)pass|.+pwd")
# What such a name is only about: where it is, how long it lasts, what makes it, how many there are, what went wrong.
_ABOUT = re.compile(
    "url|uri|endpoint|location|path|file|dir|directory|command|type|source|ms|seconds|ttl|enabled|class|algorithm|provider"
    "|length|expiry|expires|format|mechanism|protocol|count|size|required|issuer|audience|names?|policy|iterations"
    "|encoder|handler|stdin|prompt|exceptions?|errors?|cache|manager|factory|external|environment|target|uid|gid|mode"
    "|driver"
)
_COUNTED = frozenset(("max", "min", "num", "total"))  # max_tokens


@lru_cache(4096)
def is_secret_name(name: str) -> bool:
    """Whether what has this name is a secret: DB_PASSWORD, apiKey, sasl.jaas.config, --token."""
    words = _words(name)
    if not words or tells_of_secret(name) or name.lstrip("-") in ("PWD", "OLDPWD"):
        return False
    if words[-1] == "tokens" and _COUNTED.intersection(words):
        return False
    if words[-1] == "auth" and "client" not in words:  # REDISCLI_AUTH; ssl.client.auth is none
        return True
    found = _ANYWHERE.search("".join(words)) or _WORDS.intersection(words) or _ENDS.fullmatch(words[-1])
    return bool(found) or (words[-1] == "pat" and len(words) > 1)  # GITHUB_PAT, a personal access token


@lru_cache(4096)
def tells_of_secret(name: str) -> bool:
    """Whether a name is only about a secret: where it is, how long it lasts, what makes it."""
    words = _words(name)
    return bool(words and _ABOUT.fullmatch(words[-1]))


def _words(name: str) -> list[str]:
    """The words of a name, in lower case, however they are joined: DB_PASS, db.pass, dbPass, --db-pass."""
    name = name.removeprefix("-D")  # Java's, of a system property
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return [word.lower() for word in re.split(r"[\W_]+", spaced) if word]
