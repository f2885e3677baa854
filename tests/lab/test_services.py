"""KD7: a cluster that looks well, and through which no record makes its way."""

from pathlib import Path

import pytest

from kafkactl.sandbox import throwaway
from tests.conftest import admin_client
from tests.lab import faults
from tests.lab.examination import Doctor, shell


@pytest.mark.quick
@pytest.mark.provokes("KD701", "a broker that takes no record larger than 100 bytes", healed="with the setting")
def test_round_trip(doctor: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    with throwaway(settings={"message.max.bytes": "100"}) as sandbox:
        monkeypatch.setenv("KAFKA_BROKERS", sandbox.bootstrap)
        unasked = doctor()
        unasked.content()
        assert unasked.checks["KD701"]["reason"] == "no probe was asked for"
        seen = doctor("--probe")
        seen.names("KD701")
        assert shell(seen.command("KD701")).returncode == 1  # it shows which step fails
        faults.restart(sandbox, 1, {"message.max.bytes": "1048588"})
        doctor("--probe").content()
        left = admin_client(sandbox.bootstrap).list_topics(timeout=10).topics
        assert not [name for name in left if not name.startswith("__")]


@pytest.mark.quick
def test_no_probe_of_a_protected_environment(doctor: Doctor, one_broker: str) -> None:
    Path("topics.yaml").write_text(
        f"environments: {{live: {{brokers: ['{one_broker}'], protected: true}}}}\ntopics: {{}}\n"
    )
    refused = shell("kafkactl doctor --probe")
    assert refused.returncode == 2
    assert "live is protected" in refused.stderr
    doctor("--probe", "--confirm", "live").content()
