"""Keeps secrets out of facts and bundles. Pure."""

import re
from collections.abc import Mapping

HIDDEN = "[hidden]"

# Variables that checks use: addresses, ids, sizes, directories. Everything else is left out.
_WANTED = re.compile(
    r"(KAFKA_(CFG_)?)?(ADVERTISED_LISTENERS|LISTENERS|LISTENER_SECURITY_PROTOCOL_MAP|INTER_BROKER_LISTENER_NAME"
    r"|BROKER_ID|NODE_ID|PROCESS_ROLES|ZOOKEEPER_CONNECT|CONTROLLER_QUORUM_VOTERS|LOG_DIRS?|CLUSTER_ID)"
    r"|KAFKA_HEAP_OPTS|JAVA_OPTS|KAFKA_OPTS|ZOOKEEPER_CLIENT_PORT|ZOO_MY_ID|.*(BROKERS|BOOTSTRAP).*"
)
_OPTIONS = re.compile(r"_OPTS$")
_HEAP = re.compile(r"-Xm[sx]\w+")
_SECRET_NAME = r"[\w.\-]*(?:password|passwd|secret|token|credential|(?:api|access|private)[_.\-]?key|jaas)[\w.\-]*"
# NAME=value, NAME: value, "name": "value", name="value"; a value in quotes, or up to a space or comma.
_ASSIGNED = re.compile(rf"(?i)(\b{_SECRET_NAME}[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;\"']+)")
_JAAS = re.compile(r"(?i)(\S+LoginModule\s+(?:required|requisite|sufficient|optional))\b.*")
_IN_URL = re.compile(r"(\w+://)[^\s/@:]+:[^\s/@]+@")
_PEM = re.compile(r"-----BEGIN [^-]*(?:PRIVATE KEY|CERTIFICATE)-----.*?(?:-----END [^-]*-----|$)", re.DOTALL)


def redacted(words: str) -> str:
    """`words` without passwords, tokens, keys and users in URLs, as far as names or format reveal them."""
    words = _PEM.sub(HIDDEN, words)
    words = _JAAS.sub(rf"\1 {HIDDEN}", words)
    words = _IN_URL.sub(rf"\1{HIDDEN}@", words)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", words)


def redacted_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that checks use; of a JVM's flags only the heap's."""
    kept = {}
    for name, value in variables.items():
        if value and _WANTED.fullmatch(name) and not re.fullmatch(rf"(?i){_SECRET_NAME}", name):
            kept[name] = " ".join(_HEAP.findall(value)) if _OPTIONS.search(name) else redacted(value)
    return kept
