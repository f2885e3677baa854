"""kafkactl init-topics: make the cluster as topics.yaml says."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from kafkactl import consent, options, output, planview, settings
from kafkactl.catalog.model import Catalog
from kafkactl.errors import ExitCode, UsageError
from kafkactl.plan import CONSEQUENCE, Change, Kind, Plan, Risk, make_plan

if TYPE_CHECKING:
    from kafkactl.cluster import Cluster
    from kafkactl.cluster.changes import Outcome

# Another init-topics at work makes plans go stale; each round sees what it did.
_ROUNDS = 5


def init_topics(
    file: options.File = None,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="TIME",
            parser=options.duration,
            help="Wait so long for a starting broker.",
            show_default="no wait",
        ),
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show and validate the plan; change nothing.")] = False,
    allow: Annotated[
        list[Risk] | None, typer.Option("--allow", metavar="RISK", help=f"Allow a risk: {', '.join(Risk)}. Repeatable.")
    ] = None,
    only: Annotated[str | None, typer.Option("--only", metavar="GLOB", help="Only topics that match.")] = None,
    confirm: options.Confirm = None,
    show: options.Output = output.Format.TABLE,
    brokers: options.Brokers = None,
    env: options.Env = None,
    client_config: options.ClientConfig = None,
    timeout: options.Timeout = 3.0,
    verbose: options.Verbose = False,
) -> None:
    """Create what topics.yaml declares, and bring settings in line.

    Creating topics and growing retention are safe. Whatever can break or lose something is shown and left alone
    until it is allowed by name. Run it as often as you like: what is as declared is not touched.

    \b
    Examples:
      kafkactl init-topics
      kafkactl init-topics --wait 60s               (as a compose init service)
      kafkactl init-topics --env production --allow partitions
    """
    catalog = settings.open_catalog(file, env)
    assert catalog is not None
    allowed = _allowed(allow)
    connection = settings.resolve(
        brokers=brokers, env=env, client_config=client_config, timeout=timeout, verbose=verbose, catalog=catalog
    )
    from kafkactl import cluster

    brokers_needed = max((topic.replication or 1 for topic in catalog.topics.values()), default=1)
    kafka = cluster.wait_for(
        connection, wait, brokers_needed, waiting=lambda why: output.note(f"Waiting up to {wait:g} s: {why}.")
    )
    run = _Run(kafka, catalog, only, json=show is output.Format.JSON)
    run.look()
    if not dry_run:
        # Looking changes nothing; from here on the environment's protection counts.
        if run.plan.permitted(allowed) or run.plan.risks:
            consent.require_unprotected(catalog, connection, kafka.info.id, confirm, "change its topics")
        allowed |= _ask(run.plan, allowed)
    run.make_so(allowed, dry_run=dry_run)
    raise typer.Exit(run.finish(allowed, dry_run=dry_run))


def _allowed(allow: list[Risk] | None) -> frozenset[Risk]:
    if Risk.REPLICATION in (allow or ()):
        raise UsageError(
            "--allow replication is not possible yet: kafkactl does not move replicas.",
            hint="Use kafka-reassign-partitions; kafkactl diff shows when it is done.",
        )
    return frozenset(allow or ())


def _ask(plan: Plan, allowed: frozenset[Risk]) -> frozenset[Risk]:
    """The risks a person allows on the terminal, one question each."""
    granted: set[Risk] = set()
    for risk in plan.risks:
        topics = [c.topic for c in plan.changes if risk in c.risks and not c.impossible]
        question = f"{CONSEQUENCE[risk].capitalize()} for {', '.join(dict.fromkeys(topics))}. Do it?"
        if risk not in allowed and consent.agrees(question):
            granted.add(risk)
    return frozenset(granted)


class _Run:
    """One run: look, make it so, say what was done."""

    def __init__(self, kafka: "Cluster", catalog: Catalog, only: str | None, *, json: bool) -> None:
        self.kafka = kafka
        self.catalog = catalog
        self.only = only
        self.json = json
        self.done: list[Change] = []
        self.failed: dict[tuple[str, Kind], str] = {}
        self.seconds = 0.0

    def look(self) -> None:
        """Plan from the cluster as it is, and show the plan."""
        self._read()
        if self.json:
            return
        count = len(self.kafka.info.brokers)
        output.note(f"{self.catalog.path} → {self.kafka.connection.label}, {output.count(count, 'broker')}\n")
        planview.show_creates([change for change in self.plan.changes if change.kind == "create"])
        planview.show_differences(self.plan)

    def _read(self) -> None:
        from kafkactl.cluster.topics import read_topics

        topics = read_topics(self.kafka, self.catalog.topics, config_of=self.catalog.topics)
        self.plan = make_plan(self.catalog, topics.found, only=self.only, unreadable=topics.denied)

    def make_so(self, allowed: frozenset[Risk], *, dry_run: bool) -> None:
        """Validate, then apply, until nothing permitted is left or nothing more succeeds."""
        from kafkactl.cluster import changes

        start = time.monotonic()
        for _ in range(_ROUNDS):
            todo = [c for c in self.plan.permitted(allowed) if (c.topic, c.kind) not in self.failed]
            if not todo:
                break
            checked = changes.validate(self.kafka, todo)
            self.failed |= checked.failed
            todo = [c for c in todo if (c.topic, c.kind) not in self.failed and c.topic not in checked.raced]
            if dry_run:
                break
            outcome = changes.apply(self.kafka, todo) if todo else checked
            self._account(outcome, todo)
            if not (checked.raced or outcome.raced):
                break
            self._read()
        self.seconds = time.monotonic() - start

    def _account(self, outcome: "Outcome", todo: Sequence[Change]) -> None:
        from kafkactl.cluster import changes

        if not todo:
            return
        self.done.extend(outcome.done)
        self.failed |= outcome.failed
        created = [change.topic for change in outcome.done if change.kind == "create"]
        changes.wait_for_leaders(self.kafka, [*created, *outcome.raced])

    def finish(self, allowed: frozenset[Risk], *, dry_run: bool) -> ExitCode:
        """Say what was done and what was not; the exit code."""
        withheld = [c for c in self.plan.withheld(allowed) if c not in self.done]
        trouble = bool(self.failed or withheld or self.plan.unreadable)
        if self.json:
            output.document("init-topics", self._document(allowed, dry_run=dry_run))
        else:
            self._tell(withheld, dry_run=dry_run)
        return ExitCode.FOUND if trouble else ExitCode.OK

    def _tell(self, withheld: list[Change], *, dry_run: bool) -> None:
        for (topic, kind), why in self.failed.items():
            output.note(f"{topic}: {_VERB[kind][0]} failed: {why}.")
        if dry_run:
            output.note(f"Dry run: nothing was changed. {planview.summary(self.plan)}")
        elif self.done:
            output.note(f"\n{_done(self.done)} in {output.seconds(self.seconds)}. {_rest(self.plan, withheld)}")
        elif not self.failed and not withheld and not self.plan.unreadable:
            topics = output.count(self.plan.declared, "topic is", "topics are")
            output.note(f"Nothing to do: {topics} as declared.")
        else:
            output.note(f"Nothing was changed. {_rest(self.plan, withheld)}")

    def _document(self, allowed: frozenset[Risk], *, dry_run: bool) -> dict[str, object]:
        return {
            "cluster": {"id": self.kafka.info.id, "brokers": list(self.kafka.connection.brokers)},
            "dry_run": dry_run,
            "plan": planview.plan_document(self.plan),
            "done": [{"topic": c.topic, "kind": c.kind, "key": c.key or None} for c in self.done],
            "failed": [{"topic": t, "kind": k, "reason": why} for (t, k), why in self.failed.items()],
            "withheld": [{"topic": c.topic, "kind": c.kind, "key": c.key or None} for c in self.plan.withheld(allowed)],
        }


_VERB = {
    "create": ("creating it", "created"),
    "config": ("changing its settings", "changed"),
    "partitions": ("adding partitions", "grown"),
    "override": ("removing its overrides", "freed of undeclared overrides"),
    "delete": ("deleting it", "deleted"),
    "replication": ("moving replicas", "moved"),
}


def _done(done: list[Change]) -> str:
    counts = {kind: len({c.topic for c in done if c.kind == kind}) for kind in _VERB}
    return ", ".join(f"{number:,} {_VERB[kind][1]}" for kind, number in counts.items() if number)


def _rest(plan: Plan, withheld: list[Change]) -> str:
    if not withheld and not plan.unreadable:
        return "Nothing else differs."
    waiting = [change for change in withheld if not change.impossible]
    words = [f"{output.count(len({c.topic for c in withheld}), 'topic still differs', 'topics still differ')}."]
    if waiting:
        risks = sorted({risk for change in waiting for risk in change.risks})
        words.append(f"Allow it with: {' '.join(f'--allow {risk}' for risk in risks)}")
    if plan.unreadable:
        words.append(f"{output.count(len(plan.unreadable), 'topic')} could not be compared.")
    return " ".join(words)
