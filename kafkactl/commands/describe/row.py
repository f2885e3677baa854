"""What the list of topics and a single topic show alike."""

from typing import TYPE_CHECKING, Any

from kafkactl import output
from kafkactl.words import many

if TYPE_CHECKING:
    from kafkactl.cluster.overview import Overview, TopicRow


def replication(row: "TopicRow") -> str:
    if row.live is None:
        return ""
    fewest, most = row.live.replication
    return str(fewest) if fewest == most else f"{fewest}–{most}"


def admit_gaps(view: "Overview") -> None:
    """A partial answer is called partial."""
    if view.hidden:
        output.warn(
            f"a partial answer: {many(len(view.hidden), 'declared topic is', 'declared topics are')} hidden "
            "from this user, and undeclared ones may be, too"
        )
    if "sizes" in view.storage.missing:
        why = view.storage.missing["sizes"]
        output.warn(f"no sizes on disk: {why}{' (needs Describe on the cluster)' if why == 'no permission' else ''}")
    silent = [row.broker for row in view.brokers if not row.answers]
    for broker in silent:
        output.warn(
            f"broker {broker.id} at {broker.address} does not answer: its sizes and what it leads are not known"
        )


def row_document(row: "TopicRow", view: "Overview", catalogued: bool) -> dict[str, Any]:
    live = row.live
    return {
        "name": row.name,
        "exists": live is not None,
        "declared": row.declared if catalogued else None,
        "health": row.state,
        "reason": None if row.state == "ok" else row.words,
        "replication": replication(row) or None,
        "records": row.records,
        "size_bytes": row.size,
        "partitions": [
            {
                "partition": p.id,
                "leader": p.leader,
                "replicas": list(p.replicas),
                "isr": list(p.isr),
                "first_offset": view.ranges[row.name, p.id].first if (row.name, p.id) in view.ranges else None,
                "end_offset": view.ranges[row.name, p.id].end if (row.name, p.id) in view.ranges else None,
                "size_bytes": view.storage.sizes.get((row.name, p.id)),
            }
            for p in (live.partitions if live else ())
        ],
        "config": {
            key: {"value": value.value, "default": value.default, "overridden": value.overridden}
            for key, value in sorted((live.config or {}).items())
        }
        if live
        else {},
    }
