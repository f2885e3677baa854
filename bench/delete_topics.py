"""Delete every topic of a broker and wait until it names none: `python bench/delete_topics.py HOST:PORT`.

A process of its own: the threads of a Kafka client would run on in the one that measures.
"""

import contextlib
import sys
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_GONE_SECONDS = 60.0


def main() -> int:
    """The exit code: 1 where topics are left after a minute."""
    admin = AdminClient({"bootstrap.servers": sys.argv[1]})
    deadline = time.monotonic() + _GONE_SECONDS
    while topics := list(admin.list_topics(timeout=10).topics):
        if time.monotonic() > deadline:
            sys.stderr.write(f"{len(topics)} topics are still there.\n")
            return 1
        for future in admin.delete_topics(topics, request_timeout=30).values():
            with contextlib.suppress(KafkaException):  # being deleted already: the next look tells
                future.result()
        time.sleep(0.05)
    return 0


if __name__ == "__main__":
    sys.exit(main())
