"""The round trip as facts: records written to every broker, read back, and an offset committed (`--probe`)."""

from dataclasses import replace

from kafkactl.doctor.facts import Facts, ProbeStep
from kafkactl.probe.steps import Order, Proof
from kafkactl.settings import Connection

_RECORDS = 10  # to each partition
_SECONDS = 15.0  # for each step


def with_round_trip(facts: Facts, connection: Connection) -> Facts:
    """The facts, with what became of a round trip. What is made on the cluster is removed again, whatever happens."""
    proof = Proof(Order(connection, count=_RECORDS, timeout=_SECONDS))
    try:
        steps = [ProbeStep(step.name, step.state == "ok", step.reason) for step in proof.steps()]
    finally:
        left = proof.clean()
    if left and left.state == "error":
        steps.append(ProbeStep(left.name, False, left.reason))
    missing = {name: why for name, why in facts.missing.items() if name != "probe"}
    return replace(facts, probe=tuple(steps), missing=missing)
