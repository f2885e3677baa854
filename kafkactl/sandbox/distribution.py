"""What a broker needs besides its own directory: a Java runtime, verified jars, a format, perhaps an AOT cache."""

from dataclasses import dataclass
from pathlib import Path

from kafkactl.sandbox.java import Java


@dataclass(frozen=True)
class Distribution:
    """A Kafka version that is ready to run.

    `format` is a directory with what StorageTool writes into an empty data directory, less meta.properties.
    `aot` is None where there is no AOT cache: the broker starts without, slower.
    """

    version: str
    java: Java
    class_path: str
    format: Path
    aot: Path | None
