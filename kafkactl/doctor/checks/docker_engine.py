"""KD0: does the Docker engine respond, and does it have the stack? Pure.

Nothing is reported about an engine that nobody needs: when Kafka serves, or when no engine was ever configured.
"""

from collections.abc import Iterator

from kafkactl.containers.model import engine_remedies
from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import NO_STACK, EngineFacts, Facts
from kafkactl.text.remedies import command, kafkactl

_SKEW, _BAD_SKEW = 2, 60  # seconds
_WRONG = ("context", "address", "foreign", "failed")


def _engine(facts: Facts) -> EngineFacts:
    if facts.engine is None:
        raise NotApplicableError(facts.missing.get("engine", "no engine was checked"))
    return facts.engine


def _answering(facts: Facts) -> EngineFacts:
    engine = _engine(facts)
    if engine.failure:
        raise NotApplicableError(facts.missing.get("stack", engine.message).rstrip("."))
    return engine


def _serves(facts: Facts) -> bool:
    return any(dial.is_kafka for dial in facts.bootstrap)


def _failed(facts: Facts, *failures: str) -> Iterator[Finding]:
    engine = _engine(facts)
    if engine.failure not in failures:
        return
    if _serves(facts) or (engine.failure == "absent" and not engine.named):
        raise NotApplicableError(facts.missing.get("stack", engine.message))
    yield Finding(
        engine.address or "engine",
        {"words": engine.message},
        [*_tried(facts), ("because", engine.source)],
        heal=engine_remedies(engine.failure, engine.user) or None,
    )


def _tried(facts: Facts) -> list[tuple[str, str]]:
    return [("tried", f"{dial.address}: {dial.why}") for dial in facts.bootstrap]


@check("KD001")
def engine_down(facts: Facts) -> Iterator[Finding]:
    yield from _failed(facts, "absent", "refused")


@check("KD002")
def denied(facts: Facts) -> Iterator[Finding]:
    yield from _failed(facts, "denied")


@check("KD003")
def hung(facts: Facts) -> Iterator[Finding]:
    engine = _engine(facts)
    if engine.failure == "hung":
        # Containers keep running without it, but nothing can be inspected or changed.
        yield Finding(
            engine.address,
            {"words": engine.message},
            [("because", engine.source)],
            severity="warning" if _serves(facts) else None,
        )


@check("KD004")
def wrong(facts: Facts) -> Iterator[Finding]:
    yield from _failed(facts, *_WRONG)
    engine = _engine(facts)
    if not engine.failure and engine.other_context and facts.stack is None and not _serves(facts):
        words = f"The engine at {engine.address} has no stack, and DOCKER_HOST overrides the docker context."
        yield Finding(
            engine.address,
            {"words": words},
            [("seen", f"the docker context {engine.other_context} names another engine"), ("because", engine.source)],
            heal=[command("unset", "DOCKER_HOST").then(kafkactl("doctor"))],
            severity="warning",
        )


@check("KD005")
def no_compose(facts: Facts) -> Iterator[Finding]:
    _answering(facts)
    if facts.stack is None or facts.stack.project is None:
        raise NotApplicableError("no container was started by compose")
    if not facts.stack.compose:
        yield Finding(facts.stack.project)


@check("KD006")
def no_stack(facts: Facts) -> Iterator[Finding]:
    engine = _answering(facts)
    if facts.stack is not None:
        return
    if _serves(facts):
        raise NotApplicableError(facts.missing.get("stack", "Kafka serves without a stack"))
    if facts.missing.get("stack") != NO_STACK:
        raise NotApplicableError(facts.missing.get("stack", "no stack was looked for"))
    refused = [dial for dial in facts.bootstrap if dial.manner in ("refused", "closes", "silent")]
    if not refused:
        raise NotApplicableError("the address belongs to another machine")
    where = "the platform's stack" if facts.compose_up else "in the directory of the platform's docker-compose.yml"
    yield Finding(
        engine.address,
        {"address": refused[0].address},
        [*_tried(facts), ("seen", f"no Kafka container at {engine.address}"), ("because", facts.source)],
        heal=[
            command(*(facts.compose_up or ("docker", "compose", "up", "-d")), note=where),
            kafkactl("sandbox up", note="a Kafka without containers"),
        ],
    )


@check("KD007")
def clock_skew(facts: Facts) -> Iterator[Finding]:
    engine = _answering(facts)
    off = abs(engine.ahead)
    if off > _SKEW:
        way = "ahead of" if engine.ahead > 0 else "behind"
        yield Finding(
            engine.address,
            {"seconds": f"{off:.0f}", "way": way},
            severity="error" if off > _BAD_SKEW else None,
            blocks=False,
        )
