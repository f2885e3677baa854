"""The groups and topics a user means, by name or by glob."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.topics import no_such_topic, read_topics
from kafkactl.errors import KafkactlError, UnreachableError
from kafkactl.groups.facts import Listing, list_groups, no_such_group
from kafkactl.topics import is_internal


def group_filter(cluster: Cluster, wanted: Sequence[str]) -> Callable[[str], bool]:
    """What tells whether a group is one of these names and globs.

    Raises KafkactlError for one that matches no group, UnreachableError where nobody knows whether one does.
    """
    listing = list_groups(cluster)
    globs = [pattern for pattern in wanted if is_glob(pattern) and pattern not in listing.ids]
    for pattern in wanted:
        if pattern in listing.ids or (pattern in globs and any(fnmatchcase(name, pattern) for name in listing.ids)):
            continue
        raise _not_found(cluster, pattern, listing, "no group that matches" if pattern in globs else "no group")
    return lambda name: name in wanted or any(fnmatchcase(name, pattern) for pattern in globs)


def require_group(cluster: Cluster, name: str) -> None:
    """Raise KafkactlError where there is no group of this very name, UnreachableError where nobody knows."""
    listing = list_groups(cluster)
    if name not in listing.ids:
        raise _not_found(cluster, name, listing)


def topic_filter(cluster: Cluster, wanted: Sequence[str]) -> Callable[[str], bool]:
    """What tells whether a topic is one of these names and globs; a glob leaves Kafka's own topics out.

    Raises KafkactlError for one that matches no topic on the cluster.
    """
    topics = read_topics(cluster, [name for name in wanted if not is_glob(name)], config_of=())
    for pattern in wanted:
        if not any(matches(name, pattern) for name in topics.found):
            raise no_such_topic(cluster, pattern, topics, "no topic that matches" if is_glob(pattern) else "no topic")
    return lambda name: any(matches(name, pattern) for pattern in wanted)


def matches(name: str, pattern: str) -> bool:
    """Whether a topic is of this name or glob."""
    return name == pattern or (is_glob(pattern) and fnmatchcase(name, pattern) and not is_internal(name))


def _not_found(cluster: Cluster, name: str, listing: Listing, kind: str = "no group") -> KafkactlError:
    if listing.missing:
        why = next(iter(listing.missing.values()))
        return UnreachableError(f"Whether there is a group {name} is not known: {why}.", hint="See: kafkactl doctor")
    return no_such_group(cluster, name, listing.ids, kind)


def is_glob(name: str) -> bool:
    """Whether a name is meant as a pattern."""
    return any(sign in name for sign in "*?[")
