"""What the sandbox needs from this machine: the extra's packages, writable directories, locks between processes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafkactl.errors import KafkactlError


@contextmanager
def sandbox_extra() -> Iterator[None]:
    """Around an import of what only the extra installs. Raises KafkactlError where it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise KafkactlError(
            f"The sandbox needs {error.name}, which is not installed.", hint="pip install 'kafkactl[sandbox]'"
        ) from error


@contextmanager
def system_trust() -> Iterator[None]:
    """Within the context, HTTPS trusts the authorities that this machine trusts, besides those of Python's packages."""
    with sandbox_extra():
        import truststore
    truststore.inject_into_ssl()
    try:
        yield
    finally:
        truststore.extract_from_ssl()


@contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock file's lock, calling `waiting` if another process has it.

    The kernel lets go of it however this process ends.
    """
    with sandbox_extra():
        from filelock import FileLock, Timeout
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def disk_errors(hint: str) -> Iterator[None]:
    """Turn what the operating system refuses (a full disk, a missing right) into a KafkactlError with `hint`."""
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise KafkactlError(
            f"The sandbox does not work: {what}.", where=str(error.filename or ""), hint=hint
        ) from error
