"""From produce() to a follower's output: `python bench/latency.py HOST:PORT TOPIC COMMAND …`, as JSON on stdout.

The command follows TOPIC and writes one value a line. Records carry their number; each is sent alone, the next one
some milliseconds after it, and its way ends when its line has been read from the command's pipe.
"""

import json
import statistics
import subprocess
import sys
import threading
import time

from confluent_kafka import Producer

_RECORDS = 2_000
_APART_SECONDS = 0.005
_PATIENCE_SECONDS = 30.0


def main() -> int:
    """The exit code: 1 where not every record came."""
    brokers, topic, *command = sys.argv[1:]
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 0})
    sent: dict[bytes, float] = {}
    ways: list[float] = []
    ready = threading.Event()
    follower = subprocess.Popen(command, stdout=subprocess.PIPE)

    def read() -> None:
        assert follower.stdout
        for line in follower.stdout:
            now = time.perf_counter()
            ready.set()
            if line.strip() in sent:
                ways.append(now - sent[line.strip()])
            if len(ways) == _RECORDS:
                return

    reading = threading.Thread(target=read)
    reading.start()
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not ready.wait(0.1) and time.monotonic() < deadline:
            producer.produce(topic, b"is it following?")
            producer.poll(0)
        for number in range(_RECORDS):
            sent[b"%d" % number] = time.perf_counter()
            producer.produce(topic, b"%d" % number)
            producer.poll(0)
            time.sleep(_APART_SECONDS)
        producer.flush(_PATIENCE_SECONDS)
        reading.join(_PATIENCE_SECONDS)
    finally:
        follower.kill()
        follower.wait()
        reading.join()
    if len(ways) != _RECORDS:
        sys.stderr.write(f"{len(ways)} of {_RECORDS} records came.\n")
        return 1
    cuts = statistics.quantiles(ways, n=100)
    json.dump({"records": len(ways), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(ways)}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
