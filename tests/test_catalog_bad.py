"""Bad catalogues, as a user meets them: through `kafkactl lint`, with the place, the sentence and exit code 2."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kafkactl.catalog import keys
from kafkactl.catalog.file import parse_catalog
from kafkactl.catalog.model import CatalogError
from kafkactl.catalog.nodes import MAX_NESTING
from tests.conftest import Outcome

A = "topics:\n  a.b:\n    "  # what follows stands at 3:5

SYNTAX = [
    ("topics:\n\ta: {}\n", "2:1", "YAML does not allow tabs for indentation; use spaces."),
    ("topics:\n  a: {}\n \tb: {}\n", "3:2", "YAML does not allow tabs for indentation; use spaces."),
    ("topics: {a: {}\n", "1:9", 'the "{" that opens here is not closed, or a "," is missing.'),
    ("ignore: [a\ntopics: {}\n", "1:9", 'the "[" that opens here is not closed, or a "," is missing.'),
    ("topics: {a: {description: 'x}}\n", "1:27", "the quote that opens here is not closed."),
    ("topics: a: b\n", "1:10", 'unexpected ":".'),
    ("topics: {a: {description: @x}}\n", "1:27", 'a value cannot begin with "@". Put it in quotes.'),
    ("topics:\n  a: {}\n b: {}\n", "3:2", "this line does not fit the one above it. Check the indentation."),
    ('topics: {"\\q": {}}\n', "1:11", "invalid YAML: found unknown escape character."),
    ("topics: {}\n---\ntopics: {}\n", "2:1", "a second document begins here"),
    ("topics: !include topics.d\n", "1:9", "the tag !include is not supported"),
    ("topics: {a: !!python/object:os.system {}}\n", "1:13", "the tag !!python/object:os.system is not supported"),
    ("topics: {a: {partitions: !!int '3'}}\n", "1:26", "the tag !!int is not supported"),
    ("topics: *all\n", "1:9", "*all is used, but &all is not defined before it."),
    ("topics: &all {a: *all}\n", "1:18", "*all is used inside &all itself."),
    ("? [a]\n: b\n", "1:3", "a key must be a text, not a list or a mapping."),
    ("x: " + "[" * 60 + "]" * 60, "1:53", f"nested more than {MAX_NESTING} levels deep."),
    ("x: " + "[" * 200_000, "1:53", f"nested more than {MAX_NESTING} levels deep."),
    ("topics: {a\a: {}}\n", "1:11", "the character U+0007 is not allowed in YAML."),
    ("- a\n- b\n", "1:1", "the file must be a mapping that begins with keys such as topics:."),
    ("topics\n", "1:1", "the file must be a mapping"),
]

KEYS = [
    ("topic: {}\ntopics: {}\n", "1:1", 'unknown key "topic". Did you mean "topics"?'),
    ("ignore: []\n", "1:1", '"topics" is missing.'),
    ("topics: [a]\n", "1:9", "topics must be a mapping (key: value), not a list."),
    ("topics: a\n", "1:9", 'topics must be a mapping (key: value), not "a".'),
    ("topics: {a: 3}\n", "1:13", 'a must be a mapping (key: value), not "3".'),
    ("topics: {a: {config: [x]}}\n", "1:22", "a: config must be a mapping (key: value), not a list."),
    (A + "partition: 3\n", "3:5", 'a.b: unknown key "partition". Did you mean "partitions"?'),
    (A + "xyz: 3\n", "3:5", 'a.b: unknown key "xyz".'),
    (A + "partitions: 3\n    partitions: 4\n", "4:5", "a.b: partitions is given twice (first at line 3)."),
    ("topics:\n  a: {}\n  b: {}\n  a: {}\n", "4:3", "a is declared twice (first at line 2)."),
    ("topics: {a: {}}\ntopics: {b: {}}\n", "2:1", "topics is given twice (first at line 1)."),
    ("topics: {}\nservices: {s: {}, s: {}}\n", "2:19", "s is declared twice (first at line 2)."),
    ("defaults: {partition: 3}\ntopics: {}\n", "1:12", 'defaults: unknown key "partition".'),
    ("topics: {}\nservices: {s: {grop: x}}\n", "2:16", 'services.s: unknown key "grop". Did you mean "group"?'),
    ("topics: {}\nenvironments: {e: {}}\n", "2:19", 'environments.e: "brokers" is missing.'),
    ("topics: {}\nenvironments: {e: {brokers: []}}\n", "2:29", "environments.e: brokers is empty."),
    ("topics: {}\nenvironments: {e: {broker: [h:1]}}\n", "2:20", 'unknown key "broker". Did you mean "brokers"?'),
    ("topics: {}\nenvironments: {'': {brokers: [h:1]}}\n", "2:16", "the environment's name is empty."),
    ("topics:\n  <<: [3]\n", "2:7", "<< can only merge mappings"),
]

VALUES = [
    (A + "partitions: three\n", "3:17", 'a.b: partitions "three" is not a whole number.'),
    (A + "partitions: true\n", "3:17", 'partitions "true" is not a whole number.'),
    (A + "partitions: 3.5\n", "3:17", 'partitions "3.5" is not a whole number.'),
    (A + 'partitions: "3"\n', "3:17", 'a.b: partitions "3" is a text. Write 3 without quotes.'),
    (A + "partitions: 0x10\n", "3:17", 'partitions "0x10" is not a whole number. Write it in plain digits'),
    (A + "partitions: 1_000\n", "3:17", 'partitions "1_000" is not a whole number.'),
    (A + "partitions: 1:30\n", "3:17", 'partitions "1:30" is not a whole number.'),
    (A + "partitions: 010\n", "3:17", 'partitions "010" is not a whole number.'),
    (A + "partitions: 1e3\n", "3:17", 'partitions "1e3" is not a whole number.'),
    (A + "partitions: 0\n", "3:17", "partitions 0 is too low; the minimum is 1."),
    (A + "partitions: -3\n", "3:17", "partitions -3 is too low; the minimum is 1."),
    (A + "partitions: 10001\n", "3:17", "partitions 10,001 is too high; the maximum is 10,000."),
    (A + "partitions: " + "9" * 5000 + "\n", "3:17", "is not a whole number."),
    (A + "partitions:\n", "3:16", "partitions has no value."),
    (A + "partitions: [3]\n", "3:17", "partitions must be one value, not a list."),
    (A + "partitions: {is: 3}\n", "3:17", "partitions must be one value, not a mapping."),
    (A + "replication: 0\n", "3:18", "replication 0 is too low; the minimum is 1."),
    (A + "replication: -1\n", "3:18", "replication -1 is too low; the minimum is 1."),
    (A + "replication: 32768\n", "3:18", "replication 32,768 is too high; the maximum is 32,767."),
    (
        A + "retention: 7x\n",
        "3:16",
        'a.b: retention "7x" is not a valid duration. Write 7d, 168h or a number of milliseconds.',
    ),
    (A + "retention: -2\n", "3:16", 'retention "-2" is not a valid duration.'),
    (A + "lag_threshold: -1\n", "3:20", "lag_threshold -1 is too low; the minimum is 0."),
    (A + "description:\n", "3:17", "description has no value."),
    (A + "description: ''\n", "3:18", "description is empty."),
    (A + "producers: x\n", "3:16", 'producers must be a list such as [payment-gateway], not "x".'),
    (A + "producers: {x: y}\n", "3:16", "producers must be a list such as [payment-gateway], not a mapping."),
    (A + "producers: [x, [y]]\n", "3:20", "producers contains a list instead of a text."),
    (A + "producers: [x, ]\n    consumers: [~]\n", "4:17", "consumers contains nothing instead of a text."),
    (A + "consumers: [x, x]\n", "3:20", "consumers lists x twice."),
    (A + "config: {cleanup.policy: compac}\n", "3:30", 'a.b: cleanup.policy "compac" is not one of compact, delete.'),
    (A + "config: {cleanup.policy: [[compact]]}\n", "3:30", "cleanup.policy must be a text, a number or a list"),
    (A + "config: {max.message.bytes: -1}\n", "3:33", "max.message.bytes -1 is too low; the minimum is 0."),
    (A + "config: {segment.ms: {}}\n", "3:26", "segment.ms must be one value, not a mapping."),
    (A + "config: {segment.ms: ~}\n", "3:26", "segment.ms has no value."),
    (A + "config: {preallocate: yes}\n", "3:27", 'preallocate "yes" is invalid; write true or false.'),
    (A + "config: {min.insync.replica: 2}\n", "3:14", 'unknown config "min.insync.replica". Did you mean'),
    (
        A + "config: {replication.factor: 2}\n",
        "3:14",
        '"replication.factor" is not a topic config. Use the key "replication"',
    ),
    (
        A + "retention: 7d\n    config: {retention.ms: 1d}\n",
        "4:14",
        "a.b: retention.ms 1d contradicts retention 7d. Give only one of them.",
    ),
    ("topics: {}\nignore: connect-*\n", "2:9", 'ignore must be a list such as ["connect-*"], not "connect-*".'),
    ("topics: {}\nignore: [{a: b}]\n", "2:10", "ignore contains a mapping instead of a text."),
    ("topics: {}\nevents: {x: [y]}\n", "2:13", "events: x must be one value, not a list."),
]

NAMES = [
    ("topics:\n  '': {}\n", "2:3", "a topic's name is empty."),
    ("topics:\n  .: {}\n", "2:3", 'a topic cannot be named ".".'),
    ("topics:\n  ..: {}\n", "2:3", 'a topic cannot be named "..".'),
    (f"topics:\n  {'x' * 250}: {{}}\n", "2:3", "has 250 characters; Kafka allows 249."),
    ("topics:\n  order created: {}\n", "2:3", "topic name 'order created' contains a space."),
    ("topics:\n  order/created: {}\n", "2:3", "topic name 'order/created' contains \"/\"."),
    ('topics:\n  "order\\e[31m": {}\n', "2:3", "contains U+001B."),
    ("topics:\n  订单: {}\n", "2:3", 'contains "订".'),
    ("topics:\n  __consumer_offsets: {}\n", "2:3", "__consumer_offsets is reserved"),
    ("topics:\n  a.b: {}\n  a_b: {}\n", "3:3", 'a_b and a.b have the same name in metrics, where "." becomes "_".'),
    ("topics: {}\nremoved: [a b]\n", "2:11", "topic name 'a b' contains a space."),
    ("topics: {}\nremoved: [__x]\n", "2:11", "__x is reserved"),
    ("topics: {a: {}}\nremoved: [a]\n", "2:11", "removed: a is also declared at line 1; a topic cannot be both."),
    (
        "topics: {dlq.pay: {}, a: {dlq: dlq.pya}}\n",
        "1:32",
        'a: dlq "dlq.pya" is not a declared topic. Did you mean "dlq.pay"?',
    ),
    ("topics: {a: {dlq: zzz}}\n", "1:19", 'a: dlq "zzz" is not a declared topic.'),
    ("topics: {a: {dlq: a}}\n", "1:19", "a: dlq is the topic itself."),
    (
        "topics: {a: {event: paymnet}}\n",
        "1:21",
        'event "paymnet" is neither built in nor under events. Did you mean "payment"?',
    ),
    (
        "topics: {order.created: {}}\nenvironments: {e: {brokers: [h:1], topics: {order.creatd: {}}}}\n",
        "2:45",
        'environments.e.topics: "order.creatd" is not a declared topic. Did you mean "order.created"?',
    ),
    (
        "topics: {a: {}}\nenvironments: {e: {brokers: [h:1], topics: {a: {partitions: x}}}}\n",
        "2:61",
        'environments.e.topics.a: partitions "x" is not a whole number.',
    ),
    (
        "topics: {a: {}}\nenvironments: {e: {brokers: [h:1], topics: {a: {dlq: b}}}}\n",
        "2:49",
        'environments.e.topics.a: unknown key "dlq".',
    ),
    ("topics: {}\nservices: {s: {aliases: [t]}, t: {}}\n", "2:26", "services.s: t already names the service t."),
    ("topics: {}\nservices: {s: {aliases: [x]}, t: {aliases: [x]}}\n", "2:45", "x already names the service s."),
    *[
        (f"topics: {{}}\nenvironments:\n  e:\n    brokers: [{address}]\n", "4:15", f"environments.e: {why}")
        for address, why in [
            ("kafka", '"kafka" has no port. Write kafka:9092, or the port it listens on.'),
            ("'kafka:'", '"kafka:" has no valid port: nothing is not a number from 1 to 65535.'),
            ("kafka:0", '"kafka:0" has no valid port: 0 is not'),
            ("kafka:65536", '"kafka:65536" has no valid port: 65536 is not'),
            ("kafka:http", '"kafka:http" has no valid port: http is not'),
            ("'kafka 1:9092'", '"kafka 1:9092" is not a valid address. Write HOST:PORT.'),
            ("'::1:9092'", '"::1:9092" is not a valid address.'),
            ("'[::1]'", '"[::1]" has no port.'),
        ]
    ],
    (
        "topics: {}\nenvironments: {e: {brokers: h:1}}\n",
        "2:29",
        'brokers must be a list such as [localhost:9092], not "h:1".',
    ),
    (
        "topics: {}\nenvironments: {e: {brokers: [h:1], protected: yes}}\n",
        "2:47",
        '"yes" is invalid; write true or false.',
    ),
    (
        "topics: {}\nenvironments: {e: {brokers: [h:1], protected: 'true'}}\n",
        "2:47",
        "is invalid; write true or false.",
    ),
]


@pytest.mark.parametrize(("text", "place", "essence"), [*SYNTAX, *KEYS, *VALUES, *NAMES])
def test_one_mistake_is_one_problem_in_its_place(
    kafkactl: Callable[..., Outcome], text: str, place: str, essence: str
) -> None:
    Path("topics.yaml").write_text(text, encoding="utf-8")
    outcome = kafkactl("lint")
    assert outcome.code == 2
    assert outcome.err == ""
    problem, count = outcome.out.splitlines()
    where, _, message = problem.partition("  ")
    assert where == f"topics.yaml:{place}"
    assert essence in message
    assert "\x1b" not in message
    assert count == "1 problem."


@pytest.mark.parametrize(("text", "place", "essence"), [*SYNTAX, *KEYS, *VALUES, *NAMES])
def test_the_pure_python_parser_finds_the_same(
    monkeypatch: pytest.MonkeyPatch, text: str, place: str, essence: str
) -> None:
    import yaml

    monkeypatch.delattr(yaml, "CSafeLoader")
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text)
    problem = caught.value.problems[0]
    assert problem.position.line == int(place.partition(":")[0])
    if (text, place, essence) not in SYNTAX:
        assert str(problem.position) == f"topics.yaml:{place}"
        assert essence in problem.message


def problems(text: str) -> list[str]:
    with pytest.raises(CatalogError) as caught:
        parse_catalog(text)
    return caught.value.lines()


def test_all_problems_come_in_one_run_by_place() -> None:
    text = """
defaults: {partitions: 0}
environments:
  e:
    brokers: [h]
    topics: {creatd: {retention: 7x}}
topics:
  created:
    partition: 3
  created:
    partitions: many
    config: {segment.byts: 3}
  other: {dlq: creatd}
"""
    assert problems(text) == [
        "topics.yaml:2:24   defaults: partitions 0 is too low; the minimum is 1.",
        'topics.yaml:5:15   environments.e: "h" has no port. Write h:9092, or the port it listens on.',
        'topics.yaml:6:14   environments.e.topics: "creatd" is not a declared topic. Did you mean "created"?',
        'topics.yaml:6:34   environments.e.topics.creatd: retention "7x" is not a valid duration.'
        " Write 7d, 168h or a number of milliseconds.",
        'topics.yaml:9:5    created: unknown key "partition". Did you mean "partitions"?',
        "topics.yaml:10:3   created is declared twice (first at line 8).",
        'topics.yaml:11:17  created: partitions "many" is not a whole number. Write it in plain digits, such as 3.',
        'topics.yaml:12:14  created: unknown config "segment.byts". Did you mean "segment.bytes"?',
        'topics.yaml:13:16  other: dlq "creatd" is not a declared topic. Did you mean "created"?',
        "9 problems.",
    ]


def test_a_broken_declaration_is_still_a_declaration() -> None:
    """A topic that is wrong in itself is not reported as undeclared as well."""
    assert problems("topics: {a: 3, b: {dlq: a}}\nremoved: [a]\n")[-1] == "2 problems."


@pytest.mark.parametrize("levels", [4, 9, 40])
def test_a_bomb_of_aliases_is_refused_quickly(levels: int) -> None:
    lines = ["l0: &l0 [a, a, a, a, a, a, a, a, a, a]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels + 2)]
    begun = time.perf_counter()
    assert (
        "the file contains more than 200,000 values once aliases (*name) are expanded." in problems("\n".join(lines))[0]
    )
    assert time.perf_counter() - begun < 5


def test_a_bomb_of_merge_keys_is_refused_quickly() -> None:
    lines = ["l0: &l0 {partitions: 3}"]
    lines += [f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}" for n in range(1, 30)]
    begun = time.perf_counter()
    assert "more than 200,000 values" in problems("\n".join(lines))[0]
    assert time.perf_counter() - begun < 5


def test_a_long_value_does_not_fill_the_screen() -> None:
    assert all(len(line) < 500 for line in problems(f"topics: {{a: {{retention: {'x' * 100_000}}}}}"))


def test_many_wrong_names_are_told_in_time() -> None:
    text = "topics:\n" + "".join(f"  t{n}: {{dlq: wrong{n}}}\n" for n in range(2000))
    begun = time.perf_counter()
    assert problems(text)[-1] == "2,000 problems."
    assert time.perf_counter() - begun < 20


def test_two_thousand_topics_load() -> None:
    topics = "".join(
        f"  t.{n}: {{partitions: 3, producers: [a], dlq: dlq, config: {{segment.ms: 1h}}}}\n" for n in range(2000)
    )
    catalog = parse_catalog(f"environments: {{e: {{brokers: [h:1]}}}}\ntopics:\n  dlq: {{}}\n{topics}", environment="e")
    assert len(catalog.topics) == 2001


WARNINGS = [
    (
        "topics: {a: {config: {confluent.tier.enable: true}}}\n",
        "1:23",
        'a: "confluent.tier.enable" is not a known Kafka config',
    ),
    (
        "topics: {a: {producers: [analitics]}}\nservices: {analytics: {}}\n",
        "1:26",
        'a: producers "analitics" is not under services. Did you mean "analytics"?',
    ),
]


@pytest.mark.parametrize(("text", "place", "essence"), WARNINGS)
def test_warnings_are_shown_and_pass(kafkactl: Callable[..., Outcome], text: str, place: str, essence: str) -> None:
    Path("topics.yaml").write_text(text, encoding="utf-8")
    outcome = kafkactl("lint")
    assert outcome.code == 0
    warning, count = outcome.out.splitlines()
    assert warning.startswith(f"topics.yaml:{place}  warning: {essence}")
    assert count.endswith(". 1 warning.")
    (problem,) = parse_catalog(text).warnings
    assert problem.warning


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (
            "topics: {a: {replication: 1, config: {min.insync.replicas: 2}}}\n",
            ["topics.yaml:1:10  a: min.insync.replicas 2 is more than replication 1."],
        ),
        (
            "defaults: {replication: 3, config: {min.insync.replicas: 2}}\ntopics: {a: {}, b: {}, c: {}}\n"
            "environments: {dev: {brokers: [h:1], defaults: {replication: 1}}}\n",
            ["topics.yaml:3:16  environments.dev: a and 2 more: min.insync.replicas 2 is more than replication 1."],
        ),
        (  # told once, though the environment has the same
            "defaults: {replication: 1, config: {min.insync.replicas: 2}}\ntopics: {a: {}, b: {}}\n"
            "environments: {e: {brokers: [h:1]}}\n",
            ["topics.yaml:2:10  a and 1 more: min.insync.replicas 2 is more than replication 1."],
        ),
    ],
)
def test_more_replicas_in_sync_than_there_are_is_refused(
    kafkactl: Callable[..., Outcome], text: str, messages: list[str]
) -> None:
    Path("topics.yaml").write_text(text, encoding="utf-8")
    outcome = kafkactl("lint")
    assert outcome.code == 2
    assert outcome.out.splitlines()[:-1] == messages
    for command in ("init-topics", "diff"):
        assert "is more than replication 1" in kafkactl(command).err


def test_services_nobody_declared_are_fine() -> None:
    assert not parse_catalog("topics: {a: {producers: [x, '*']}}\nservices: {analytics: {}}\n").warnings
    assert not parse_catalog("topics: {a: {producers: [analitics, analytics]}}\n").warnings


@pytest.mark.parametrize("name", ["1.0", "2024", "no", "on", "null", "true", "0x10", "1_000", "22:22", "-"])
def test_names_are_the_text_that_was_written(name: str) -> None:
    if name == "22:22":
        assert 'contains ":"' in problems(f"topics:\n  {name}: {{}}\n")[0]
        return
    assert list(parse_catalog(f"topics:\n  '{name}': {{}}\n").topics) == [name]
    if name != "-":
        assert list(parse_catalog(f"topics:\n  {name}: {{}}\nremoved: [x]\n").topics) == [name]


def test_texts_are_the_text_that_was_written() -> None:
    topic = parse_catalog("topics: {a: {description: 010, producers: [no, 1.0], mask: [on]}}").topics["a"]
    assert (topic.description, topic.producers, topic.mask) == ("010", ("no", "1.0"), ("on",))


def test_aliases_and_merge_keys() -> None:
    text = """
topics:
  a: &usual {partitions: 3, producers: &who [x]}
  b: *usual
  c: {<<: *usual, partitions: 4}
  d: {partitions: 5, <<: [{replication: 2}, *usual], consumers: *who}
"""
    topics = parse_catalog(text).topics
    assert [topics[name].partitions for name in "abcd"] == [3, 3, 4, 5]
    assert topics["d"].replication == 2
    assert topics["d"].producers == topics["d"].consumers == ("x",)


def test_sections_with_nothing_in_them() -> None:
    text = "defaults:\nenvironments:\nservices:\ntopics:\n  a:\nignore:\nremoved:\nevents:\n"
    assert list(parse_catalog(text).topics) == ["a"]


def test_other_sections_are_read() -> None:
    catalog = parse_catalog(
        "topics: {a: {event: refund}}\nignore: [connect-*]\nremoved: [old]\nevents: {refund: events/refund.json}\n"
        "services: {s: {lag_threshold: 5, group: g}}\n",
        "deploy/topics.yaml",
    )
    assert catalog.ignore == ("connect-*",)
    assert str(catalog.removed["old"]) == "deploy/topics.yaml:3:11"
    assert catalog.events == {"refund": Path("deploy/events/refund.json")}
    assert (catalog.services["s"].group, catalog.services["s"].lag_threshold) == ("g", 5)


def refusal(text: str | bytes) -> CatalogError | None:
    """What reading a text raises, if it is what it may raise."""
    try:
        parse_catalog(text)
    except CatalogError as error:
        return error
    return None


YAMLISH = st.text(alphabet="abt:{}[]&*!|>-?,#'\"% \n\t\\x07~<.", max_size=60)


@given(st.one_of(st.text(max_size=80), st.binary(max_size=80), YAMLISH))
@example("a: &a {<<: *a}")
@example("<<: {<<: []}")
@example("topics: &t {a: {<<: [~]}}\n<<: *t")
@example(b"\xff\xfe")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_but_catalog_error_is_raised(text: str | bytes) -> None:
    error = refusal(text)
    assert error is None or error.problems
    assert all("\n" not in line for line in (error.lines() if error else ()))


SCALAR = st.sampled_from(["3", "x", "7d", "~", "'3'", "[a]", "{a: b}", "true", "h:1", "0", "[]", "{}", "''"])
KEY = st.sampled_from(
    [*keys.CATALOG, *keys.TOPIC, *keys.ENVIRONMENT, *keys.SERVICE, "a", "b", "retention.ms", "cleanup.policy", "<<"]
)
TREE = st.recursive(
    SCALAR,
    lambda inner: st.lists(st.tuples(KEY, inner), max_size=4).map(
        lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
    ),
    max_leaves=12,
)


@given(TREE, TREE, TREE)
def test_no_shape_of_catalogue_is_too_odd(topics: str, environments: str, services: str) -> None:
    text = f"topics: {topics}\nenvironments: {environments}\nservices: {services}\n"
    error = refusal(text)
    assert all(problem.position.line for problem in (error.problems if error else ()))


@pytest.mark.parametrize(
    ("text", "whose"),
    [
        ("apiVersion: kafka.strimzi.io/v1beta2\nkind: KafkaTopic\nspec: {partitions: 3}\n", "a Strimzi KafkaTopic"),
        ("apiVersion: kafka.jikkou.io/v1\nkind: KafkaTopicList\n", "a KafkaTopicList of Jikkou"),
        ("apiVersion: v1\nkind: ConfigMap\n", "a Kubernetes ConfigMap"),
        ("meta: {name: a}\nspec: {partitions: 3}\n", "a topic of topicctl"),
        ("context: c\nprojects: []\n", "a topology of JulieOps"),
    ],
)
def test_another_tools_file_is_told_for_what_it_is(text: str, whose: str) -> None:
    with pytest.raises(CatalogError) as error:
        parse_catalog(text)
    (problem,) = error.value.problems
    hint = " Print it as one: kafkactl export --from topics.yaml" if "Strimzi KafkaTopic" in whose else ""
    assert problem.message == f"this is {whose}, not a topics.yaml.{hint}"
