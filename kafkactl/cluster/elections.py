"""Leaders given back to the replicas that are preferred for them."""

from confluent_kafka import ElectionType, KafkaError

from kafkactl.cluster.client import Cluster
from kafkactl.cluster.words import reason


def elect_preferred(cluster: Cluster) -> dict[str, str]:
    """Let each partition be led by its first replica, where that one is in sync; nothing is lost by it.

    Returns why not, by `topic[partition]`, for those that stay as they are against that. Raises KafkactlError.
    """
    # Without its timeouts: confluent-kafka 2.16.1 takes neither (SystemError).
    answers = cluster.wait(cluster.admin.elect_leaders(ElectionType.PREFERRED, None))
    errors = {f"{tp.topic}[{tp.partition}]": error for tp, error in answers.items() if error}
    return {place: reason(error) for place, error in errors.items() if error.code() != KafkaError.ELECTION_NOT_NEEDED}
