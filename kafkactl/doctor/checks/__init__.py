"""The checks: pure functions over facts, one room a category."""

from collections.abc import Mapping

from kafkactl.doctor.checks import (
    cluster,
    containers,
    coordination,
    data,
    engine,
    groups,
    network,
    services,
    storage,
    trends,
    wiring,
)
from kafkactl.doctor.findings import Check

CHECKS: Mapping[str, Check] = {
    **engine.CHECKS,
    **containers.CHECKS,
    **storage.CHECKS,
    **data.CHECKS,
    **network.CHECKS,
    **wiring.CHECKS,
    **coordination.CHECKS,
    **cluster.CHECKS,
    **groups.CHECKS,
    **trends.CHECKS,
    **services.CHECKS,
}
