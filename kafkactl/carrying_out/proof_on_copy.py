"""What is said of a copy on which a plan is rehearsed, and whether Kafka works there."""

from collections.abc import Sequence

from kafkactl.cluster.client import Cluster
from kafkactl.probe.model import Order, StepResult
from kafkactl.probe.steps import Proof
from kafkactl.rehearsal.copying import ClusterCopy
from kafkactl.text.words import many
from kafkactl.view import output


def show_copy(copy: ClusterCopy) -> None:
    """What it is, and what it lacks."""
    brokers = many(copy.plan.brokers, "broker")
    topics = many(len(copy.plan.topics), "topic")
    output.say(f"\nOn a copy: Kafka {copy.version}, {brokers}, {topics}, no records, no quotas")
    for gap in copy.left_out:
        output.say(f"  not as on the cluster: {gap}")


def proven(cluster: Cluster) -> list[StepResult]:
    """What `test` finds on a copy."""
    proof = Proof(Order(cluster.connection))
    try:
        return list(proof.steps())
    finally:
        proof.clean()


def failed_steps(steps: Sequence[StepResult]) -> list[StepResult]:
    """Those that failed."""
    return [step for step in steps if step.state == "error"]


def proof_verdict(steps: Sequence[StepResult]) -> str:
    """What `test` found, in a line."""
    if failed := failed_steps(steps):
        return f"{failed[0].name}: {failed[0].reason}"
    return f"Kafka works, {len(steps)} of {len(steps)} steps"
