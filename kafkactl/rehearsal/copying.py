"""Reading what is to be cluster_copy, and making the copy in a sandbox."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from kafkactl.access.rules import Rule
from kafkactl.cluster.acls import grant_rules, read_access, refusal_words, wait_for_effect
from kafkactl.cluster.client import Cluster, connect
from kafkactl.cluster.features import supported_metadata_version
from kafkactl.cluster.metadata import read_brokers, read_topics
from kafkactl.cluster.placed_topics import create_placed
from kafkactl.cluster.visibility import topics_may_hide
from kafkactl.connection import Connection
from kafkactl.rehearsal.original import DECIDING, CopyPlan, OriginalBroker, OriginalCluster, copy_plan
from kafkactl.sandbox.foreground import throwaway
from kafkactl.text.words import many


@dataclass(frozen=True)
class ClusterCopy:
    """A copy that serves. `left_out` says what of the original it lacks, and why."""

    cluster: Cluster
    plan: CopyPlan
    version: str
    left_out: Sequence[str]


def read_original(cluster: Cluster, *, with_rules: bool) -> OriginalCluster:
    """What decides about changes of topics, and `with_rules` of access. Raises KafkactlError where nobody answers."""
    told = {broker.broker.id: broker for broker in read_brokers(cluster)}
    brokers = []
    for broker in cluster.info.brokers:
        found = told.get(broker.id)
        known = found is not None and not found.why_not
        settings = {key: found.text(key) for key in (*DECIDING, *_POLICIES)} if found and known else None
        brokers.append(OriginalBroker(broker.id, broker.rack or "", settings, found.why_not if found else "no answer"))
    rules, unruled = _rules(cluster) if with_rules else (None, "")
    version = supported_metadata_version(cluster)
    return OriginalCluster(
        brokers, read_topics(cluster).found, version, topics_may_hide(cluster), rules=rules, unruled=unruled
    )


def _rules(cluster: Cluster) -> tuple[Sequence[Rule] | None, str]:
    found = read_access(cluster)
    if found.state == "not known":
        return None, found.why
    return (None if found.state == "none" else found.authorizer.rules), ""


# An authorizer like the cluster's, which lets kafkactl itself do everything.
_AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",
}


_POLICIES = ("create.topic.policy.class.name", "alter.config.policy.class.name")
_OLDER = (27, "4.1.1")  # the newest metadata.version of that release (Kafka's MetadataVersion)


@contextmanager
def cluster_copy(original: OriginalCluster, told: Callable[[str], None]) -> Iterator[ClusterCopy]:
    """A copy on this machine, gone behind it. Raises KafkactlError where the sandbox cannot be started."""
    plan = copy_plan(original)
    version = _OLDER[1] if 0 < original.metadata_version <= _OLDER[0] else None
    settings = {**plan.settings, **_AUTHORIZER} if plan.rules is not None else plan.settings
    with throwaway(plan.brokers, version, settings, told, racks=plan.racks) as sandbox:
        cluster = connect(Connection(tuple(sandbox.bootstrap.split(",")), "the rehearsal", timeout=10.0))
        refused = create_placed(cluster, plan.topics)
        left_out = [*plan.left_out, *(f"{name}: {why}" for name, why in sorted(refused.items()))]
        if plan.rules:
            errors = [error for error in grant_rules(cluster, plan.rules).values() if error is not None]
            left_out += [f"{many(len(errors), 'access rule')}: {refusal_words(errors[0])}"] if errors else []
            wait_for_effect(cluster, plan.rules if not errors else (), ())
        own = supported_metadata_version(cluster)
        if not original.metadata_version:
            left_out.append(f"the release of the brokers, which is not known: the copy runs Kafka {sandbox.version}")
        elif own != original.metadata_version:
            left_out.append(
                f"the release of the brokers (metadata.version {original.metadata_version}): "
                f"the copy runs Kafka {sandbox.version} ({own})"
            )
        yield ClusterCopy(cluster, plan, sandbox.version, left_out)
