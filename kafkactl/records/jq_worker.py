"""The process that runs jq for `tail --jq`: a line of JSON in, a line of JSON out.

jq does not let go of Python's lock, so that a filter that never ends would also keep its process from noticing Ctrl-C
and SIGTERM. Here it keeps nobody: kafkactl ends this process whenever it likes.

Its argument is the expression. For each line of stdin it writes a list of the results, or the error as a text.
"""

import signal
import sys
from typing import Any


def main() -> None:
    """Answer until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for kafkactl, which ends this process
    _die_with_parent()
    import jq
    import msgspec

    program = jq.compile(sys.argv[1])
    for line in sys.stdin.buffer:
        answer: Any
        try:
            answer = program.input_text(line.decode()).all()
        except ValueError as error:
            answer = str(error).partition("\n")[0]
        try:
            text = msgspec.json.encode(answer)
        except (ValueError, RecursionError) as error:  # a number or a depth that JSON cannot hold
            text = msgspec.json.encode(f"the result cannot be written as JSON: {error}")
        sys.stdout.buffer.write(text + b"\n")
        sys.stdout.buffer.flush()


def _die_with_parent() -> None:
    """Have Linux end this process with its parent, also where that is killed: a filter may never end."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    main()
