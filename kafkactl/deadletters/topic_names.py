"""Which topics hold dead letters. Pure."""

import re
from collections.abc import Iterable

from kafkactl.catalog.model import Catalog
from kafkactl.topics import is_internal

# dlq.payment, payment.DLT, payments-dlq, and what stands between: payment-dlt, payment.dlq.
_NAMED_SO = re.compile(r"dlq\..+|.+[.-](?:dlq|dlt)", re.IGNORECASE)


def declared_dead_letters(catalog: Catalog | None) -> frozenset[str]:
    """The topics that topics.yaml names under dlq."""
    return frozenset(topic.dlq for topic in catalog.topics.values() if topic.dlq) if catalog else frozenset()


def dead_letter_topics(names: Iterable[str], catalog: Catalog | None) -> list[str]:
    """Those of these topics that hold dead letters, in order: topics.yaml says so, or they are named like one."""
    declared = declared_dead_letters(catalog)
    return sorted(n for n in names if n in declared or (_NAMED_SO.fullmatch(n) and not is_internal(n)))


def declared_sources(dlq: str, catalog: Catalog | None) -> list[str]:
    """The topics whose dead letters go there, as topics.yaml says."""
    return [name for name, topic in catalog.topics.items() if topic.dlq == dlq] if catalog else []
