"""Which variables of a container go into facts and bundles. Pure."""

import re
from collections.abc import Mapping

from kafkactl.containers.broker_settings import SETTINGS, setting_of
from kafkactl.redaction.secret_names import is_secret_name
from kafkactl.redaction.structures import shown_value

# Variables that checks use: addresses, ids, sizes, directories. Everything else is left out.
_WANTED = re.compile(
    r"(KAFKA_(CFG_)?)?(ADVERTISED_LISTENERS|LISTENERS|LISTENER_SECURITY_PROTOCOL_MAP|INTER_BROKER_LISTENER_NAME"
    r"|CONTROLLER_LISTENER_NAMES|ZOOKEEPER_SESSION_TIMEOUT_MS|ADVERTISED_HOST_NAME|ADVERTISED_PORT|PORT|BROKER_ID|NODE_ID|PROCESS_ROLES"
    r"|ZOOKEEPER_CONNECT|CONTROLLER_QUORUM_VOTERS|LOG_DIRS?|CLUSTER_ID)"
    r"|KAFKA_KRAFT_CLUSTER_ID|NODE_ROLE|(KAFKA_)?HEAP_OPTS|JAVA_OPTS|KAFKA_OPTS|ZOOKEEPER_CLIENT_PORT|ZOO_MY_ID|ADV_HOST|BROKER_PORT|ADVERTISED_HOST|.*(BROKERS|BOOTSTRAP).*"
)
_OPTIONS = re.compile(r"_OPTS$")
_HEAP = re.compile(r"-Xm[sx]\w+")


def redacted_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that checks use; of a JVM's flags only the heap's."""
    kept = {}
    for name, value in variables.items():
        wanted = _WANTED.fullmatch(name) or setting_of(name) in SETTINGS
        if value and wanted and not is_secret_name(name):
            kept[name] = " ".join(_HEAP.findall(value)) if _OPTIONS.search(name) else shown_value(name, value)
    return kept
