"""Which fields are masked in which topic: what topics.yaml says, and what the user asks for."""

from collections.abc import Callable, Iterable, Sequence

from kafkactl.settings import Target


def masks_of(
    target: Target, topics: Iterable[str], asked: Sequence[str], warn: Callable[[str], None]
) -> dict[str, tuple[str, ...]]:
    """The fields to mask, for the topics where the user or the catalogue asks for it.

    Of a catalogue that has problems every field that it seems to mask anywhere, and cards, in all topics.
    """
    catalog = target.catalog
    declared = {name: topic.mask for name, topic in catalog.topics.items()} if catalog else {}
    if target.doubtful is not None:
        from kafkactl.catalog.file import masked_at_a_glance

        warn("what it masks is not certain: cards, and every field it seems to mask, are hidden in all topics")
        seeming = masked_at_a_glance(target.doubtful)
        return {topic: (*declared.get(topic, ()), *seeming, *asked) for topic in topics}
    found = {topic: (*declared.get(topic, ()), *asked) for topic in topics}
    return {topic: fields for topic, fields in found.items() if fields}
