"""Which topics hold dead letters. Pure."""

import re
from collections.abc import Iterable

from kafkactl.catalog.model import Catalog
from kafkactl.topics import is_internal

# dlq.payment, payment.DLT, payments-dlq, and what stands between: payment-dlt, payment.dlq.
_NAMED_SO = re.compile(r"dlq\..+|.+[.-](?:dlq|dlt)", re.IGNORECASE)


def is_dead_letter_topic(name: str, catalog: Catalog | None) -> bool:
    """Whether a topic of this name holds dead letters: topics.yaml says so, or it is named like one."""
    if is_internal(name):
        return False
    declared = catalog is not None and any(topic.dlq == name for topic in catalog.topics.values())
    return declared or _NAMED_SO.fullmatch(name) is not None


def dead_letter_topics(names: Iterable[str], catalog: Catalog | None) -> list[str]:
    """Those of these topics that hold dead letters, in order."""
    declared = {topic.dlq for topic in catalog.topics.values() if topic.dlq} if catalog else set()
    return sorted(n for n in names if n in declared or is_dead_letter_topic(n, None))


def declared_sources(dlq: str, catalog: Catalog | None) -> list[str]:
    """The topics whose dead letters go there, as topics.yaml says."""
    return [name for name, topic in catalog.topics.items() if topic.dlq == dlq] if catalog else []
