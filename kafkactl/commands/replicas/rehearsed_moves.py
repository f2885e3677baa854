"""replicas move --rehearse: the same wish on a copy of the cluster, with `test` before and behind it."""

import time
from dataclasses import replace

import typer

from kafkactl.carrying_out.proof_on_copy import failed_steps, proof_verdict, proven, show_copy
from kafkactl.cluster.client import connect
from kafkactl.cluster.reassignments import Reassignments
from kafkactl.commands.replicas.wanted import WantedMoves, find_plan
from kafkactl.consent import Asked
from kafkactl.errors import ExitCode, KafkactlError, UsageError
from kafkactl.rehearsal.copying import ClusterCopy, cluster_copy, read_original
from kafkactl.replicas.beginning import new_plan
from kafkactl.replicas.run import MoveListener, MoveOutcome, MoveRun
from kafkactl.replicas.scene import read_scene
from kafkactl.text.words import many, took
from kafkactl.view import output

_SILENT = MoveListener(lambda _: None, lambda _: None)


def rehearse_moves(asked: Asked, want: WantedMoves) -> None:
    """Rehearse, and report; the cluster itself is only read. Raises Exit with 0 where it worked, else with 1."""
    kafka = connect(asked.target.connection)
    original = read_original(kafka, with_rules=False)
    unknown = sorted((want.drain | want.fill) - {broker.id for broker in original.brokers})
    if unknown:
        raise UsageError(f"There is no broker {unknown[0]}.")
    start = time.monotonic()
    with cluster_copy(original, lambda text: output.note(f"{text}.")) as copy:
        before = proven(copy.cluster)
        outcome, error = _moved(copy, want)
        behind = proven(copy.cluster)
    works = not (outcome.failed or outcome.left or error or failed_steps(behind))
    if asked.json:
        output.document(
            "replicas-rehearsal",
            {
                "works": works,
                "copy": {
                    "kafka_version": copy.version,
                    "brokers": copy.plan.brokers,
                    "topics": len(copy.plan.topics),
                    "not_as_on_the_cluster": list(copy.left_out),
                },
                "moved": len(outcome.done),
                "failed": {str(place): why for place, why in outcome.failed.items()},
                "not_done": len(outcome.left),
                "error": error or None,
                "test_before": not failed_steps(before),
                "test_after": not failed_steps(behind),
                "seconds": round(time.monotonic() - start, 3),
            },
        )
    else:
        show_copy(copy)
        output.say(f"  test before: {proof_verdict(before)}")
        output.say(f"  {many(len(outcome.done), 'partition')} moved in {took(outcome.seconds)}")
        for place, why in outcome.failed.items():
            output.say(f"    not moved: {place}: {why}")
        if outcome.left or error:
            output.say(f"    not moved: {many(len(outcome.left), 'partition')}{f': {error}' if error else ''}")
        output.say(f"  test after: {proof_verdict(behind)}")
        verdict = "It works on the copy" if works else "It does not work on the copy"
        label = kafka.connection.label
        output.note(
            f"\n{verdict}, where nothing has a size. {took(time.monotonic() - start)}; nothing was moved on {label}."
        )
    raise typer.Exit(ExitCode.OK if works else ExitCode.FOUND)


def _moved(copy: ClusterCopy, want: WantedMoves) -> tuple[MoveOutcome, str]:
    """What became of the moves there, and what stopped them, if something did."""
    there = replace(
        want,
        drain=frozenset(copy.plan.places[id] for id in want.drain),
        fill=frozenset(copy.plan.places[id] for id in want.fill),
    )
    with Reassignments(copy.cluster) as reassignments:
        try:
            scene = read_scene(copy.cluster, reassignments, there.topics)
            found = find_plan(there, scene)
            plan = new_plan(copy.cluster, found.placement.moves, None, want.batch, None)
            brokers = [host.id for host in scene.hosts]
            run = MoveRun(copy.cluster, reassignments, plan, scene.topics, brokers, _SILENT)
        except KafkactlError as problem:
            return MoveOutcome(), problem.message
        try:
            run.go()
        except KafkactlError as problem:
            return run.outcome, problem.message
        return run.outcome, ""
