"""Where replicas are put, by the hundred: pure facts in, moves out."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.placement.batches import batches_of, least_seconds, never_ends, too_few_in_sync
from kafkactl.placement.model import Assigned, Host, Placement, ReplicaMove, Wish, applied, holdings
from kafkactl.placement.planning import NewPlaces, place_new, plan_placement
from kafkactl.topics import ConfigValue, LivePartition, LiveTopic, Place
from kafkactl.view.placement_report import ShownPlan, placement_document


@st.composite
def clusters(draw: st.DrawFn, racks: bool = True, sizes: bool = True) -> tuple[list[Assigned], list[Host]]:
    """Partitions with their replicas anywhere, and brokers, some of which may hold nothing."""
    ids = list(range(1, draw(st.integers(1, 8)) + 1))
    names = draw(st.sampled_from([[None], ["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", None]] if racks else [[None]]))
    hosts = [Host(id, draw(st.sampled_from(names))) for id in ids]
    partitions = []
    for topic in range(draw(st.integers(1, 4))):
        replication = draw(st.integers(1, min(4, len(ids))))
        for id in range(draw(st.integers(1, 10))):
            replicas = tuple(draw(st.permutations(ids))[:replication])
            size = draw(st.none() | st.integers(0, 10**12)) if sizes else 1
            partitions.append(Assigned(Place(f"t{topic}", id), replicas, size, replicas[:1]))
    return partitions, hosts


def after(partitions: list[Assigned], plan: Placement) -> list[Assigned]:
    return applied(partitions, plan.moves)


def counts(partitions: list[Assigned], hosts: list[Host]) -> dict[int, int]:
    return {id: held.replicas for id, held in holdings(partitions, [host.id for host in hosts]).items()}


def by_rack(replicas: tuple[int, ...], hosts: list[Host]) -> list[int]:
    racks = {host.id: host.rack for host in hosts}
    return sorted(Counter(racks[id] for id in replicas).values())


def most_even(number: int, hosts: list[Host]) -> list[int]:
    """How so many replicas are spread over racks as far as possible."""
    room = Counter(host.rack for host in hosts)
    taken: Counter[str | None] = Counter()
    for _ in range(number):
        taken[min((rack for rack in room if taken[rack] < room[rack]), key=lambda rack: taken[rack])] += 1
    return sorted(taken.values())


@given(clusters(), st.data())
def test_every_plan_is_one_that_kafka_takes(given_: tuple[list[Assigned], list[Host]], data: st.DataObject) -> None:
    partitions, hosts = given_
    ids = [host.id for host in hosts]
    wish = data.draw(
        st.one_of(
            st.just(Wish(spread=True)),
            st.builds(lambda ids: Wish(drain=frozenset(ids)), st.sets(st.sampled_from(ids), min_size=1)),
            st.builds(lambda ids: Wish(fill=frozenset(ids)), st.sets(st.sampled_from(ids), min_size=1)),
            st.builds(lambda n: Wish(replication={"t0": n}), st.integers(1, 6)),
        )
    )
    plan = plan_placement(partitions, hosts, wish)
    now = {p.place: p for p in partitions}
    for move in plan.moves:
        assert move.before == now[move.place].replicas != move.after
        assert len(set(move.after)) == len(move.after) > 0
        assert set(move.after) <= set(ids)
        if not wish.replication:
            assert len(move.after) == len(move.before)
    assert len({move.place for move in plan.moves}) == len(plan.moves)
    turned = data.draw(st.permutations(partitions))
    assert plan_placement(turned, data.draw(st.permutations(hosts)), wish) == plan


@given(clusters())
def test_spreading_is_done_at_once_and_racks_come_first(given_: tuple[list[Assigned], list[Host]]) -> None:
    partitions, hosts = given_
    spread = after(partitions, plan_placement(partitions, hosts, Wish(spread=True)))
    if all(host.rack for host in hosts):
        for partition in spread:
            assert by_rack(partition.replicas, hosts) == most_even(len(partition.replicas), hosts)
    assert plan_placement(spread, hosts, Wish(spread=True)).moves == ()


@given(clusters(racks=False))
def test_brokers_without_racks_are_as_even_as_can_be(given_: tuple[list[Assigned], list[Host]]) -> None:
    partitions, hosts = given_
    found = counts(after(partitions, plan_placement(partitions, hosts, Wish(spread=True))), hosts).values()
    assert max(found) - min(found) <= 1


@given(clusters(racks=False, sizes=False))
def test_spreading_copies_no_more_replicas_than_it_must(given_: tuple[list[Assigned], list[Host]]) -> None:
    partitions, hosts = given_
    plan = plan_placement(partitions, hosts, Wish(spread=True))
    before = sorted(counts(partitions, hosts).values(), reverse=True)
    share, more = divmod(sum(before), len(hosts))
    needed = sum(max(0, count - share - (place < more)) for place, count in enumerate(before))
    assert plan.to_copy == needed


@given(clusters())
def test_leaders_are_as_even_as_their_replicas_allow(given_: tuple[list[Assigned], list[Host]]) -> None:
    partitions, hosts = given_
    spread = after(partitions, plan_placement(partitions, hosts, Wish(spread=True)))
    leads = {id: held.leaders for id, held in holdings(spread, [host.id for host in hosts]).items()}
    for partition in spread:
        first, *others = partition.replicas
        assert all(leads[first] - leads[other] < 2 for other in others)


@given(clusters(), st.data())
def test_a_drained_broker_holds_nothing_and_nothing_else_is_copied(
    given_: tuple[list[Assigned], list[Host]], data: st.DataObject
) -> None:
    partitions, hosts = given_
    drained = data.draw(st.sampled_from(hosts)).id
    plan = plan_placement(partitions, hosts, Wish(drain=frozenset({drained})))
    for partition in after(partitions, plan):
        assert drained not in partition.replicas or partition.place in plan.stuck
    assert all(len(p.replicas) == len(hosts) for p in partitions if p.place in plan.stuck)
    moved = [p for p in partitions if drained in p.replicas and p.place not in plan.stuck]
    assert plan.to_copy == sum(p.size or 0 for p in moved)
    assert {move.place for move in plan.moves} == {p.place for p in moved}


@given(clusters(), st.data())
def test_a_drained_broker_may_have_one_heir(given_: tuple[list[Assigned], list[Host]], data: st.DataObject) -> None:
    partitions, hosts = given_
    drained, heir = data.draw(st.sampled_from(hosts)).id, data.draw(st.sampled_from(hosts)).id
    plan = plan_placement(partitions, hosts, Wish(drain=frozenset({drained}), fill=frozenset({heir})))
    for move in plan.moves:
        assert (move.added, move.removed) == ((heir,), (drained,))


@given(clusters(), st.data())
def test_a_filled_broker_gets_its_share(given_: tuple[list[Assigned], list[Host]], data: st.DataObject) -> None:
    partitions, hosts = given_
    filled = data.draw(st.sampled_from(hosts)).id
    plan = plan_placement(partitions, hosts, Wish(fill=frozenset({filled})))
    assert all(move.added == (filled,) for move in plan.moves)
    was, now = counts(partitions, hosts), counts(after(partitions, plan), hosts)
    share = sum(was.values()) // len(hosts)
    assert was[filled] <= now[filled] <= max(was[filled], share)
    if not all(host.rack for host in hosts):
        fullest = max([count for id, count in now.items() if id != filled], default=0)
        assert now[filled] >= min(share, fullest - 1)


@given(clusters(), st.integers(1, 6))
def test_raising_drops_nothing_and_lowering_copies_nothing(
    given_: tuple[list[Assigned], list[Host]], wanted: int
) -> None:
    partitions, hosts = given_
    plan = plan_placement(partitions, hosts, Wish(replication={"t0": wanted}))
    found = {p.place: p for p in after(partitions, plan)}
    for was in partitions:
        now = found[was.place].replicas
        if was.place.topic != "t0":
            assert now == was.replicas
        elif wanted >= len(was.replicas):
            assert set(was.replicas) <= set(now)
            assert len(now) == min(wanted, len(hosts))
            assert (was.place in plan.stuck) == (wanted > len(hosts))
        else:
            assert set(now) < set(was.replicas)
            assert len(now) == wanted
            assert set(now) & set(was.in_sync)
    more = sum((p.size or 0) * (len(found[p.place].replicas) - len(p.replicas)) for p in partitions)
    assert plan.to_copy == max(0, more)


@given(clusters())
def test_what_is_raised_is_spread_over_racks(given_: tuple[list[Assigned], list[Host]]) -> None:
    partitions, hosts = given_
    if not all(host.rack for host in hosts):
        return
    plan = plan_placement(partitions, hosts, Wish(replication={"t0": 3}))
    racks = len({host.rack for host in hosts})
    had = {p.place: len({h.rack for h in hosts if h.id in p.replicas}) for p in partitions}
    for move in plan.moves:
        now = len({h.rack for h in hosts if h.id in move.after})
        assert now >= min(racks, had[move.place] + len(move.added), 3)


@given(clusters(), st.integers(1, 6), st.integers(1, 3))
def test_new_partitions_are_placed_by_the_same_rules(
    given_: tuple[list[Assigned], list[Host]], count: int, replication: int
) -> None:
    partitions, hosts = given_
    replication = min(replication, len(hosts))
    wanted = [NewPlaces("new", 0, count, replication), NewPlaces("t0", 100, count, replication)]
    found = place_new(wanted, partitions, hosts)
    assert found.keys() == {"new", "t0"}
    for placed in found.values():
        assert [len(set(replicas)) for replicas in placed] == [replication] * count
        if all(host.rack for host in hosts):
            for replicas in placed:
                assert by_rack(tuple(replicas), hosts) == most_even(replication, hosts)


def test_many_new_topics_are_even_as_a_whole() -> None:
    hosts = [Host(id, f"rack-{id % 3}") for id in range(1, 7)]
    found = place_new([NewPlaces(f"t{topic}", 0, 3, 3) for topic in range(40)], [], hosts)
    held = Counter(id for placed in found.values() for replicas in placed for id in replicas)
    led = Counter(replicas[0] for placed in found.values() for replicas in placed)
    assert set(held.values()) == {60}
    assert set(led.values()) == {20}


moves = st.lists(
    st.builds(
        ReplicaMove,
        st.builds(Place, st.just("t"), st.integers(0, 10**6)),
        st.just((1, 2)),
        st.sampled_from([(1, 3), (3, 4), (2, 1), (1,)]),
        st.none() | st.integers(0, 100),
    ),
    max_size=500,
)


@given(moves, st.integers(1, 200))
def test_batches_hold_every_move_once_and_no_more_bytes_than_allowed(found: list[ReplicaMove], limit: int) -> None:
    batches = list(batches_of(found, limit))
    assert sorted((move for batch in batches for move in batch), key=str) == sorted(found, key=str)
    for batch in batches:
        assert batch
        assert len(batch) == 1 or sum(move.to_copy for move in batch) <= limit


def test_the_time_at_a_throttle_is_that_of_the_busiest_broker() -> None:
    first = ReplicaMove(Place("t", 0), (1, 2), (1, 3), 100)
    second = ReplicaMove(Place("t", 1), (1, 2), (1, 4), 300)
    leaders = {first.place: 1, second.place: 2}
    assert least_seconds([[first, second]], 100, leaders) == 3
    assert least_seconds([[first], [second]], 100, leaders) == 4
    assert least_seconds([[first, second]], 100, dict.fromkeys(leaders, 1)) == 4


def test_a_throttle_below_what_is_written_never_ends() -> None:
    found = [ReplicaMove(Place("t", 0), (1,), (1, 3), 9), ReplicaMove(Place("t", 1), (1,), (1, 3), 9)]
    assert never_ends(found, {Place("t", 0): 60.0, Place("t", 1): 40.0}, 100) == {3: 100.0}
    assert never_ends(found, {Place("t", 0): 60.0}, 100) == {}


@pytest.mark.parametrize(
    ("leader", "isr", "short"), [(1, (1, 2), False), (1, (1,), True), (None, (1, 2), True), (1, (1, 2, 3), False)]
)
def test_a_partition_below_min_insync_replicas_is_not_touched(
    leader: int | None, isr: tuple[int, ...], short: bool
) -> None:
    config = {"min.insync.replicas": ConfigValue("2", "1", True)}
    topic = LiveTopic("t", (LivePartition(0, leader, (1, 2, 3), isr),), config)
    assert (Place("t", 0) in too_few_in_sync({"t": topic}, {Place("t", 0): ()})) is short
    assert not too_few_in_sync({"t": topic}, {Place("t", 1): ()})


def test_a_replica_that_is_still_copied_is_not_missed() -> None:
    config = {"min.insync.replicas": ConfigValue("2", "1", True)}
    topic = LiveTopic("t", (LivePartition(0, 1, (1, 2, 3), (1,)),), config)
    assert too_few_in_sync({"t": topic}, {Place("t", 0): ()})
    assert not too_few_in_sync({"t": topic}, {Place("t", 0): (2, 3)})


def generated(partitions: list[Assigned], hosts: list[Host], start: int, shift: int) -> list[Assigned]:
    """What `kafka-reassign-partitions --generate` proposes (AdminUtils.assignReplicasToBrokers), topic by topic.

    It draws `start` and `shift` at random. With racks, brokers take turns rack by rack, and a replica goes where no
    other is as long as there are such racks and brokers.
    """
    racks = {host.id: host.rack for host in hosts}
    ids = sorted(racks)
    aware = all(racks.values()) and len(set(racks.values())) > 1
    if aware:
        queues = [[id for id in ids if racks[id] == rack] for rack in sorted({rack or "" for rack in racks.values()})]
        ids = [queue[turn] for turn in range(len(ids)) for queue in queues if turn < len(queue)]
    number = len(ids)
    found = []
    for topic in dict.fromkeys(p.place.topic for p in partitions):
        own = [p for p in partitions if p.place.topic == topic]
        moved_on = shift
        for p in own:
            if p.place.partition > 0 and p.place.partition % number == 0:
                moved_on += 1
            first = (p.place.partition + start) % number
            replicas = [ids[first]]
            turn = 0
            while len(replicas) < len(p.replicas):
                step = 1 + (moved_on * len(set(racks.values())) if aware else moved_on) + turn
                id = ids[(first + 1 + (step - 1) % max(1, number - 1)) % number]
                turn += 1
                held = {racks[other] for other in replicas}
                new_rack = racks[id] not in held or len(held) == len(set(racks.values()))
                new_broker = id not in replicas
                if new_broker and (not aware or new_rack or turn > 2 * number):
                    replicas.append(id)
            found.append(p._replace(replicas=tuple(replicas)))
    return found


def unevenness(partitions: list[Assigned], hosts: list[Host]) -> tuple[int, int, int]:
    """How far from even racks, replicas and leaders are; 0 is as even as can be thought of."""
    racks = {host.id: host.rack for host in hosts}
    aware = all(racks.values())
    crowded = sum(n * n for p in partitions for n in Counter(racks[id] for id in p.replicas).values()) if aware else 0
    held = holdings(partitions, racks).values()
    spread = max(h.replicas for h in held) - min(h.replicas for h in held)
    return crowded, max(0, spread - 1), max(h.leaders for h in held) - min(h.leaders for h in held)


def copies(before: list[Assigned], after: list[Assigned]) -> int:
    now = {p.place: set(p.replicas) for p in after}
    return sum((p.size or 0) * len(now[p.place] - set(p.replicas)) for p in before)


@given(clusters(sizes=False), st.integers(0, 7), st.integers(0, 7))
def test_kafkas_own_proposal_is_never_more_even_and_copies_no_less(
    given_: tuple[list[Assigned], list[Host]], start: int, shift: int
) -> None:
    partitions, hosts = given_
    ours = after(partitions, plan_placement(partitions, hosts, Wish(spread=True)))
    theirs = generated(partitions, hosts, start, shift)
    assert all(len(set(p.replicas)) == len(p.replicas) for p in theirs)
    assert unevenness(ours, hosts) <= unevenness(theirs, hosts)
    if unevenness(ours, hosts) >= unevenness(theirs, hosts):
        assert copies(partitions, ours) <= copies(partitions, theirs)


def test_a_broker_that_is_down_is_shown_with_what_it_holds() -> None:
    """It may hold nothing any more after the plan: one that leaves, or whose replicas are given up."""
    before = [Assigned(Place("t", 0), (1, 3), 5, (1,), 1)]
    placement = plan_placement(before, [Host(1), Host(2)], Wish(replication={"t": 1}))
    shown = ShownPlan(placement, before, [Host(1), Host(2)], {}, 100)
    brokers = {broker["id"]: broker for broker in placement_document(shown)["brokers"]}
    assert [(brokers[id]["replicas_before"], brokers[id]["replicas_after"]) for id in (1, 2, 3)] == [
        (1, 1),
        (0, 0),
        (1, 0),
    ]


@given(clusters(), st.data())
def test_what_brokers_that_are_down_hold_stays_unless_it_is_drained_or_given_up(
    given_: tuple[list[Assigned], list[Host]], data: st.DataObject
) -> None:
    partitions, hosts = given_
    up = data.draw(st.lists(st.sampled_from(hosts), min_size=1, unique=True))
    down = {host.id for host in hosts} - {host.id for host in up}
    wish = data.draw(
        st.sampled_from(
            [
                Wish(spread=True),
                Wish(fill=frozenset({up[0].id})),
                Wish(drain=frozenset(down or {up[0].id})),
                Wish(replication={"t0": 2}),
            ]
        )
    )
    plan = plan_placement(partitions, up, wish)
    for move in plan.moves:
        assert set(move.added) <= {host.id for host in up}
        assert len(set(move.after)) == len(move.after) > 0
        if wish.spread or wish.fill:
            assert down & set(move.before) <= set(move.after)
    placement_document(ShownPlan(plan, partitions, up, {}, 100))
