"""When Python looks for garbage: only where the main thread asks for it.

Left to itself the collector runs in whichever thread allocates, librdkafka's included. A client that has become
garbage in a cycle (an exception's traceback is enough) would then be destroyed by one of its own threads, which
librdkafka answers by aborting the process. Nor do a million records gain from it: they make no cycles, and looking
for some takes a sixth of the time.
"""

import gc


def collect_by_hand() -> None:
    """From now on nothing is collected but by `collect`. What is not in a cycle is freed as ever."""
    gc.disable()


def collect() -> None:
    """Collect now, in this thread: for loops that run for long and leave cycles behind."""
    gc.collect()
