"""`export --from`: Strimzi's KafkaTopics as a topics.yaml that lint takes, and each thing that was left out by name."""

import json
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kafkactl.catalog.configs import CONFIGS
from kafkactl.catalog.export import catalogue_text
from kafkactl.catalog.file import parse_catalog
from kafkactl.catalog.model import CatalogError
from kafkactl.catalog.strimzi import read_strimzi
from tests.conftest import Outcome
from tests.program import KAFKACTL

Run = Callable[..., Outcome]

FILES = {
    "one.yaml": """\
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaTopic
metadata: {name: payment-created, labels: {strimzi.io/cluster: main}}
spec:
  topicName: payment.created
  partitions: 6
  replicas: 1
  config: {retention.ms: 604800000, cleanup.policy: compact, min.insync.replicas: "2", retenton.bytes: 5}
---
apiVersion: kafka.strimzi.io/v1beta2
kind: KafkaUser
metadata: {name: somebody}
""",
    "z/list.json": json.dumps(
        {
            "apiVersion": "v1",
            "kind": "List",
            "items": [
                {
                    "apiVersion": "kafka.strimzi.io/v1",
                    "kind": "KafkaTopic",
                    "metadata": {"name": "small", "labels": {"strimzi.io/cluster": "other"}},
                },
                {
                    "apiVersion": "kafka.strimzi.io/v1",
                    "kind": "KafkaTopic",
                    "metadata": {"name": "x"},
                    "spec": {"topicName": "payment_created"},
                },
            ],
        }
    ),
    "z/notes.txt": "no YAML",
}


@pytest.fixture
def directory() -> Path:
    for name, text in FILES.items():
        Path("d", name).parent.mkdir(parents=True, exist_ok=True)
        Path("d", name).write_text(text)
    return Path("d")


def test_a_directory_becomes_a_catalogue(kafkactl: Run, directory: Path) -> None:
    run = kafkactl("export", "--from", "d")
    assert run.code == 0
    assert yaml.safe_load(run.out)["topics"] == {
        "payment.created": {
            "partitions": 6,
            "replication": 1,
            "retention": "7d",
            "config": {"cleanup.policy": "compact"},
        },
        "small": {},
    }
    for name in ("KafkaUser somebody", "retenton.bytes", "min.insync.replicas", "metrics", "2 clusters (main, other)"):
        assert name in run.err, run.err
    Path("topics.yaml").write_text(run.out)
    assert kafkactl("lint").code == 0


def test_what_kubectl_prints_is_taken_from_stdin(directory: Path) -> None:
    text = FILES["z/list.json"]
    run = subprocess.run([*KAFKACTL, "export", "--from", "-"], input=text, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert yaml.safe_load(run.stdout) == {"topics": {"small": {}, "payment_created": {}}}


@pytest.mark.parametrize("name", ["one.yaml", "z/list.json"])
def test_lint_prints_the_command_that_does_it(kafkactl: Run, directory: Path, name: str) -> None:
    linted = kafkactl("lint", f"d/{name}")
    assert linted.code == 2
    command = shlex.split(linted.out.splitlines()[0].rpartition("Print it as one: ")[2])
    assert kafkactl(*command[1:]).code == 0, linted.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\n", "stdin:1:1  document without a kind is not a KafkaTopic of Strimzi; it was left out."),
        ("", "stdin: there is no KafkaTopic in it."),
        ("a: [b\n", 'stdin:1:4  the "[" that opens here is not closed'),
        ("- 1\n", "stdin:1:1  this is not a KafkaTopic of Strimzi"),
        ("\xff", "stdin:1:1  the file is not UTF-8"),
    ],
)
def test_a_file_without_topics_is_an_error(text: str, said: str) -> None:
    given = text.encode("latin-1")
    run = subprocess.run([*KAFKACTL, "export", "--from", "-"], input=given, capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (2, b"")
    assert said in run.stderr.decode()


def test_from_asks_no_cluster(kafkactl: Run, directory: Path) -> None:
    run = kafkactl("export", "--from", "d", "-b", "localhost:1")
    assert (run.code, run.err) == (2, "--from and -b cannot be combined: --from asks no cluster.\n")
    assert kafkactl("export", "--from", "nowhere").code == 2


names = st.sampled_from(["a", "a.b", "a_b", "on", "1.0", "__x", "bad name", "", "x" * 250, "支付"])
scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["1", "7d", "-1", "x", "", "delete"])
)
settings = st.sampled_from([*CONFIGS, "retention.ms", "retenton.ms", "vendor.thing", "partitions"])
specs = st.fixed_dictionaries(
    {},
    optional={
        "topicName": names,
        "partitions": st.integers(-1, 5) | scalars,
        "replicas": st.integers(1, 4) | scalars,
        "config": st.dictionaries(settings, scalars | st.lists(scalars, max_size=2), max_size=5) | scalars,
    },
)


@given(st.lists(st.tuples(names, specs | scalars), max_size=6))
def test_whatever_is_taken_over_passes_lint(given_topics: list[tuple[str, object]]) -> None:
    documents = [
        {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "KafkaTopic", "metadata": {"name": name}, "spec": spec}
        for name, spec in given_topics
    ]
    try:
        found = read_strimzi([("s.yaml", yaml.safe_dump_all(documents))])
    except CatalogError:
        return
    catalogue = parse_catalog(catalogue_text(found.topics, ["x"]))
    assert list(catalogue.topics) == list(found.topics)
