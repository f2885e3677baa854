"""Which cluster and which file: what is wrong with them is told before anything is dialled, without a secret."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Outcome, three_lines
from tests.sandboxes import free_port

Kafkactl = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _catalogue() -> None:
    Path("topics.yaml").write_text("topics: {a: {partitions: 3}}", encoding="utf-8")


def test_bad_addresses_are_refused_before_anything_is_dialled(kafkactl: Kafkactl) -> None:
    for address in ("localhost", "localhost:x", ":9092", "h:99999", ""):
        run = kafkactl("describe", "-b", address)
        assert run.code == 2, address
        assert "HOST:PORT" in run.err or not address


def test_env_without_a_catalogue_or_with_a_slip(kafkactl: Kafkactl, tmp_path: Path) -> None:
    Path("topics.yaml").write_text("environments: {production: {brokers: ['h:1']}}\ntopics: {a: {}}")
    slip = kafkactl("describe", "--env", "prodction")
    assert slip.code == 2
    assert "production" in slip.err
    Path("topics.yaml").unlink()
    (tmp_path / ".git").mkdir()
    none = kafkactl("describe", "--env", "production")
    assert (none.code, "topics.yaml" in none.err) == (2, True)


def test_no_catalogue_says_how_to_make_one(kafkactl: Kafkactl, tmp_path: Path) -> None:
    Path("topics.yaml").unlink()
    (tmp_path / ".git").mkdir()
    run = kafkactl("init-topics")
    assert run.code == 2
    assert "kafkactl export > topics.yaml" in three_lines(run)[2]


def test_an_invalid_catalogue_sends_nothing_to_kafka(kafkactl: Kafkactl) -> None:
    Path("topics.yaml").write_text("topics: {a: {partition: 3}, 'b c': {}}")
    run = kafkactl("init-topics", "-b", f"127.0.0.1:{free_port()}")
    assert run.code == 2
    assert 'unknown key "partition"' in run.err
    assert "b c" in run.err


class TestClientConfig:
    def test_a_property_librdkafka_does_not_know(self, kafkactl: Kafkactl) -> None:
        Path("c.properties").write_text("# comment\nno.such.property=1\n")
        run = kafkactl("describe", "--client-config", "c.properties")
        assert run.code == 2
        assert "no.such.property" in run.err

    def test_a_missing_file_and_a_bad_line_show_their_place_but_no_secret(self, kafkactl: Kafkactl) -> None:
        assert kafkactl("describe", "--client-config", "none.properties").code == 2
        Path("c.properties").write_text("client.id=x\nsasl.password hunter2\n")
        run = kafkactl("describe", "--client-config", "c.properties")
        assert run.code == 2
        assert "c.properties:2" in run.err
        assert "hunter2" not in run.text

    def test_variables_come_from_the_environment(
        self, one_broker: str, kafkactl: Kafkactl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Path("c.properties").write_text("client.id=${WHO}\n")
        missing = kafkactl("describe", "--client-config", "c.properties")
        assert (missing.code, "WHO is not set" in missing.err) == (2, True)
        monkeypatch.setenv("WHO", "me")
        assert kafkactl("describe", "--client-config", "c.properties").code == 0

    def test_a_wrong_protocol_is_told(self, one_broker: str, kafkactl: Kafkactl) -> None:
        Path("c.properties").touch(0o600)
        Path("c.properties").write_text("security.protocol=SSL\nsasl.password=hunter2\n")
        run = kafkactl("describe", "--client-config", "c.properties")
        assert run.code == 3
        assert "hunter2" not in run.text
        three_lines(run)


def test_verbose_shows_the_clients_log_and_quiet_does_not(one_broker: str, kafkactl: Kafkactl) -> None:
    assert kafkactl("describe").err == ""
    assert "rdkafka" in kafkactl("describe", "-v").err.lower()
