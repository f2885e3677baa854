"""The checks: pure functions over facts, one room a category."""

from collections.abc import Mapping

from kafkactl.doctor.checks import cluster, groups, network, services, storage, trends
from kafkactl.doctor.findings import Check

CHECKS: Mapping[str, Check] = {
    **storage.CHECKS,
    **network.CHECKS,
    **cluster.CHECKS,
    **groups.CHECKS,
    **trends.CHECKS,
    **services.CHECKS,
}
