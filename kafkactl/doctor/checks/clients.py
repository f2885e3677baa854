"""KD314, KD320–KD335: Kafka is there, but does not serve this client as it is configured. Pure."""

from collections.abc import Iterator
from functools import partial

from kafkactl.doctor.codes import REFUSED, Finding, check
from kafkactl.doctor.facts import Facts
from kafkactl.errors import ClientRefusal
from kafkactl.text.remedies import Advice


def _refusal(facts: Facts) -> tuple[str, ClientRefusal] | None:
    """Where this client is refused, and why: at the first such address, or as the client library says it."""
    if facts.trouble is not None:
        return (facts.bootstrap[0].address if facts.bootstrap else "client configuration"), facts.trouble
    dials = [broker.dial for broker in facts.brokers or ()]
    if not any(dial.manner == "kafka" for dial in facts.bootstrap):
        dials = [*facts.bootstrap]
    return next(((dial.address, dial.refusal) for dial in dials if dial.refusal), None)


def _refused(facts: Facts, *, code: str) -> Iterator[Finding]:
    found = _refusal(facts)
    if found is None or found[1].code != code:
        return
    target, refusal = found
    evidence = [
        *(("tried", f"{dial.address}: {dial.why}") for dial in facts.bootstrap),
        *([("seen", refusal.seen)] if refusal.seen and not any(d.why == refusal.seen for d in facts.bootstrap) else []),
        ("because", facts.source),
    ]
    yield Finding(target, {"words": refusal.message}, evidence, heal=[Advice(refusal.remedy)])


for _code in REFUSED:
    check(_code)(partial(_refused, code=_code))
