"""The checks: pure functions over facts, one module per category. Importing this package registers them all."""

from kafkactl.doctor.checks import (  # noqa: F401 - each registers its checks
    applications,
    clients,
    configuration,
    consumers,
    coordination,
    disks,
    docker_engine,
    hidden,
    lifecycle,
    moved_replicas,
    partitions,
    reachability,
    side_services,
    trends,
    wiring,
)
from kafkactl.doctor.codes import CHECKS

__all__ = ["CHECKS"]
