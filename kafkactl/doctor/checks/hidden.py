"""KD34: what this user may not see, so that nothing was checked of it. Pure."""

from collections.abc import Iterator

from kafkactl.doctor.checks.consumers import observation
from kafkactl.doctor.codes import Finding, NotApplicableError, check
from kafkactl.doctor.facts import Facts
from kafkactl.text.words import and_more
from kafkactl.topics import SOME_GROUPS, SOME_TOPICS


@check("KD340")
def declared_but_hidden(facts: Facts) -> Iterator[Finding]:
    if facts.cluster is None:
        raise NotApplicableError("no cluster was reached")
    declared = [topic.name for topic in facts.declared or ()]
    hidden = [name for name in declared if name in facts.cluster.denied]
    if not hidden:
        return
    user = facts.principal or "this user"
    values = {
        "count": f"{len(hidden):,} of {len(declared):,}",
        "are": "is" if len(hidden) == 1 else "are",
        "them": "it does" if len(hidden) == 1 else "they do",
        "user": user,
        "names": and_more(hidden),
    }
    yield Finding(
        hidden[0] if len(hidden) == 1 else f"{len(hidden)} topics",
        values,
        [("needed", f"Describe on topic {name} for {user}") for name in hidden[:_TOLD]],
        severity="error" if len(hidden) == len(declared) else "warning",
        blocks=False,
    )


_TOLD = 3  # topics of which the missing permission is named


@check("KD341")
def narrow_view(facts: Facts) -> Iterator[Finding]:
    seen = observation(facts).now
    blind = facts.cluster is not None and not facts.cluster.topics
    lists = []
    if SOME_TOPICS in seen.hidden:
        lists.append("no topics" if blind else "only some topics")
    if SOME_GROUPS in seen.missing.values():
        lists.append("only some groups" if seen.groups else "no groups")
    if lists:
        yield Finding(
            facts.principal or "this user",
            {"user": facts.principal or "This user", "lists": " and ".join(lists)},
            severity="warning" if blind and not (facts.cluster and facts.cluster.denied) else "info",
            blocks=False,
        )
