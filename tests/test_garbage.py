"""A client that is garbage is not destroyed by one of librdkafka's own threads, which would abort the process."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, threading
from confluent_kafka.admin import AdminClient
from kafkactl import process

if sys.argv[2] == "by hand":
    process.collect_garbage_by_hand()

class Holder: pass

answered = threading.Event()

def answer(_):
    # Runs in the client's own thread, and makes enough for the collector to look for garbage.
    [[[]] for _ in range(1_000_000)]
    print("answered")
    answered.set()

def abandon():
    holder = Holder()
    holder.itself = holder
    holder.client = AdminClient({"bootstrap.servers": sys.argv[1]})
    future = holder.client.describe_cluster()
    future.add_done_callback(answer)

abandon()
answered.wait(30)
process.collect_garbage()
print("alive")
"""


@pytest.mark.parametrize(("how", "code", "out"), [("by hand", 0, "answered\nalive\n"), ("left alone", -6, "")])
def test_a_client_that_is_garbage_ends_in_our_own_thread(one_broker: str, how: str, code: int, out: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, one_broker, how], capture_output=True, text=True, timeout=60, check=False
    )
    assert (run.returncode, run.stdout) == (code, out), run.stderr
