"""The images of the tests, each built when it is first asked for, from what the package registries give.

`zookeeper`, `kafka` (the last with ZooKeeper) and `kraft` hold a real Apache Kafka and read the same variables as the
pinned images. `ui` and `exporter` are stand-ins: they serve their ports and paths, and know nothing of Kafka.
An image with a family's name reads that family's variables, as its documents say, and starts the same Kafka.
`prometheus` and `alertmanager` are Debian's; `grafana` is a stand-in, too.
`python` is what the Dockerfile of kafkactl itself starts from; `tiny` is a shell, for faults that need no Kafka.
"""

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from docker import DockerClient

from kafkactl.directories import cache_directory
from kafkactl.sandbox.artifacts import Jar, fetch, unfit
from kafkactl.sandbox.model import Distribution
from kafkactl.sandbox.preparation import prepare
from tests.docker.rootfs import USER, RootFs

REPOSITORY = "kafkactl-test"
WITH_ZOOKEEPER, KRAFT = "3.9.2", "4.1.1"
_STANDIN = Path(__file__).parent / "standin"
_REPOSITORY = Path(__file__).parents[2]
_TOOLS = {
    WITH_ZOOKEEPER: Jar(
        "org.apache.kafka:kafka-tools:3.9.2", "3e6844711c3f5c9148f76ac96dfbf1de0aeeba11249e142e084b6de68e0ed05e"
    ),
    KRAFT: Jar(
        "org.apache.kafka:kafka-tools:4.1.1", "8a6939f310a61119cedaffc144119e9b2a374e32a7ec18f78e49ce5aeb71d6b0"
    ),
}
_TOOL_NAMES = re.findall(r"^(kafka-[a-z-]+)\)", (_STANDIN / "tool.sh").read_text(), re.MULTILINE)
# Classes that have moved between the two versions.
_MOVED = {
    WITH_ZOOKEEPER: ("kafka.admin.BrokerApiVersionsCommand", "kafka.tools.ConsoleProducer"),
    KRAFT: ("org.apache.kafka.tools.BrokerApiVersionsCommand", "org.apache.kafka.tools.ConsoleProducer"),
}
_QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError -Xlog:disable"


class Images:
    """The images on one engine. `names[...]` of what was built here, for removing them."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self.built: list[str] = []

    def name(self, kind: str) -> str:
        """The name of an image of this kind, built now if it is not there yet."""
        name = f"{REPOSITORY}/{kind}"
        if name not in self.built:
            _BUILDERS[kind](self._import(name))
            self.built.append(name)
        return name

    def _import(self, name: str) -> Callable[[RootFs, Sequence[str]], None]:
        def import_tar(rootfs: RootFs, changes: Sequence[str]) -> None:
            with rootfs.tar() as tar:
                self._client.api.import_image_from_data(tar, repository=name, tag="latest", changes=list(changes))

        return import_tar

    def adopt(self, name: str) -> None:
        """Remove this image, too, at the end: compose built it."""
        if name not in self.built and self._client.images.list(name):
            self.built.append(name)

    def remove(self) -> None:
        """Remove what was built here."""
        while self.built:
            self._client.images.remove(self.built.pop(), force=True)


_Import = Callable[[RootFs, Sequence[str]], None]


class _Kind(NamedTuple):
    """What is of a family's own: its user, where Kafka's programs are, and whether the image declares its volumes."""

    user: int = USER
    programs: str = ""
    declares: bool = True


_KINDS: Mapping[str, _Kind] = {
    "": _Kind(declares=False),
    "cp": _Kind(),
    "apache": _Kind(),
    "bitnami": _Kind(1001, "/opt/bitnami/kafka/bin", declares=False),
    "wurstmeister": _Kind(0),
    "debezium": _Kind(1001, "/kafka/bin"),
    "strimzi": _Kind(1001, declares=False),
}


def _kafka(
    version: str, role: str, port: int, volumes: Sequence[str], *, family: str = ""
) -> Callable[[_Import], None]:
    kind = _KINDS[family]

    def build(import_tar: _Import) -> None:
        distribution = prepare(version, unverified=True, progress=lambda _: None)
        jar = _tools(version)
        rootfs = RootFs()
        _java(rootfs, distribution, jar)
        rootfs.copy(_STANDIN / "run.sh", "/usr/bin/run")
        rootfs.copy(_STANDIN / "family.sh", "/usr/bin/family")
        rootfs.copy(_STANDIN / "tool.sh", "/usr/bin/kafka-tool")
        for name in _TOOL_NAMES:
            rootfs.link(f"/usr/bin/{name}", "/usr/bin/kafka-tool")
            rootfs.link(f"/opt/kafka/bin/{name}.sh", "/usr/bin/kafka-tool")
            if kind.programs:
                rootfs.link(f"{kind.programs}/{name}.sh", "/usr/bin/kafka-tool")
        rootfs.copy(_STANDIN / "server-start.sh", "/opt/kafka/bin/kafka-server-start.sh")
        rootfs.copy(_STANDIN / "server.properties", "/opt/kafka/config/server.properties")
        for volume in volumes:
            rootfs.directory(volume, owner=kind.user)
        rootfs.text("/etc/standin", _settings(distribution, jar))
        words = f'"family", "{family}", "{role}"' if family else f'"run", "{role}"'
        changes = ["ENV PATH=/usr/bin:/bin", f"USER {kind.user}", f"EXPOSE {port}", "WORKDIR /opt/kafka"]
        changes += [f"VOLUME {volume}" for volume in volumes if kind.declares]
        import_tar(rootfs, [*changes, f"CMD [{words}]"])

    return build


def _tools(version: str) -> Path:
    """The jar of Kafka's command-line tools; what it needs besides is on a broker's class path."""
    jar, cache = _TOOLS[version], cache_directory()
    if unfit([jar], cache):
        fetch([jar], cache, cache, lambda _: None)
    return jar.path(cache)


def _java(rootfs: RootFs, distribution: Distribution, tools: Path) -> None:
    """The runtime, the jars and the AOT cache under their own paths: only so does the JVM take the cache."""
    home = distribution.java.launcher.parent.parent
    rootfs.copy(home, without=("legal",))
    rootfs.libraries([distribution.java.launcher, *home.glob("lib/lib*.so"), *home.glob("lib/server/*.so")])
    for path in [*distribution.class_path.split(":"), tools, *([distribution.aot] if distribution.aot else [])]:
        rootfs.copy(Path(path))


def _settings(distribution: Distribution, tools: Path) -> str:
    """What the scripts need to know, as a shell reads it."""
    api_versions, console_producer = _MOVED[distribution.version]
    settings = {
        "JAVA": str(distribution.java.launcher),
        "JAVA_QUICK": _QUICK,
        "JAVA_CACHE": f"-XX:AOTCache={distribution.aot}" if distribution.aot else "",
        "CLASS_PATH": f"{distribution.class_path}:{tools}",
        "API_VERSIONS": api_versions,
        "CONSOLE_PRODUCER": console_producer,
    }
    return "".join(f"{key}={shlex.quote(value)}\n" for key, value in settings.items())


def _served(port: int, files: Mapping[str, str]) -> Callable[[_Import], None]:
    """A stand-in: busybox's web server with these files."""

    def build(import_tar: _Import) -> None:
        rootfs = RootFs()
        for path, content in files.items():
            rootfs.text(f"/www{path}", content)
        # A shell in between: whatever command a compose file gives is not for httpd, and somebody must heed SIGTERM.
        serve = f'ENTRYPOINT ["sh", "-c", "trap exit TERM; httpd -f -v -p {port} -h /www & wait"]'
        import_tar(rootfs, ["ENV PATH=/bin", f"EXPOSE {port}", serve])

    return build


_TEMPLATES = Path("/usr/share/prometheus/alertmanager")  # which Debian's Alertmanager does not start without


def _of_debian(program: str, *words: str) -> Callable[[_Import], None]:
    """A program of Prometheus's, as Debian has it, started as the pinned images start theirs."""

    def build(import_tar: _Import) -> None:
        rootfs = RootFs()
        binary = Path(shutil.which(program) or program)
        rootfs.copy(binary)
        rootfs.libraries([binary])
        if _TEMPLATES.is_dir():
            rootfs.copy(_TEMPLATES)
        import_tar(rootfs, ["ENV PATH=/usr/bin:/bin", f"ENTRYPOINT {json.dumps([str(binary), *words])}"])

    return build


def _tiny(import_tar: _Import) -> None:
    import_tar(RootFs(), ["ENV PATH=/bin", 'CMD ["sh", "-c", "trap exit TERM; sleep 3600 & wait"]'])


def _python(import_tar: _Import, extras: Sequence[str] = ("exporter",), *, kafka: bool = False) -> None:
    """This interpreter and its library, and wheels of everything kafkactl needs, for a pip without network.

    With `kafka` also the jars of the sandbox's Kafka, where Dockerfile.sandbox looks for them.
    """
    library = Path(sysconfig.get_path("stdlib"))
    interpreter = Path(sys._base_executable)  # type: ignore[attr-defined]
    shared = [Path(sys.base_prefix) / "lib" / name for name in [sysconfig.get_config_var("INSTSONAME") or ""]]
    rootfs = RootFs()
    rootfs.copy(interpreter)
    rootfs.link("/usr/bin/python", str(interpreter))
    rootfs.copy(library, without=("test", "__pycache__", "site-packages", "dist-packages", "idlelib", "tkinter"))
    binaries = [interpreter, *library.glob("lib-dynload/*.so"), *(path for path in shared if path.is_file())]
    rootfs.libraries(binaries)
    with tempfile.TemporaryDirectory() as wheels:
        project = tomllib.loads((_REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
        wanted = [*project["dependencies"], *(w for extra in extras for w in project["optional-dependencies"][extra])]
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", wheels, *wanted, "setuptools>=77"]
        subprocess.run(command, check=True)
        rootfs.copy(Path(wheels), "/wheels")
    if kafka:
        distribution = prepare(None, unverified=False, progress=lambda _: None)
        home = distribution.java.launcher.parent.parent
        rootfs.libraries([distribution.java.launcher, *home.glob("lib/lib*.so"), *home.glob("lib/server/*.so")])
        rootfs.copy(cache_directory() / "jars", "/opt/kafkactl-cache/jars")
    offline = "ENV PATH=/usr/bin:/bin PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_DISABLE_PIP_VERSION_CHECK=1"
    import_tar(rootfs, [offline, 'CMD ["python"]'])


_BUILDERS: Mapping[str, Callable[[_Import], None]] = {
    "zookeeper": _kafka(WITH_ZOOKEEPER, "zookeeper", 2181, ("/var/lib/zookeeper/data", "/var/lib/zookeeper/log")),
    "kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, ("/var/lib/kafka/data",)),
    "kraft": _kafka(KRAFT, "kraft", 9092, ("/var/lib/kafka/data",)),
    # The families: the name of each is read as that of its image.
    "confluentinc/cp-kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, ("/var/lib/kafka/data",), family="cp"),
    "confluentinc/cp-server": _kafka(KRAFT, "kraft", 9092, ("/var/lib/kafka/data",), family="cp"),
    "apache/kafka": _kafka(KRAFT, "kraft", 9092, ("/var/lib/kafka/data",), family="apache"),
    "bitnami/kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, ("/bitnami/kafka",), family="bitnami"),
    "bitnamilegacy/kafka": _kafka(KRAFT, "kraft", 9092, ("/bitnami/kafka",), family="bitnami"),
    "wurstmeister/kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, ("/kafka",), family="wurstmeister"),
    "debezium/kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, ("/kafka/data",), family="debezium"),
    "kraft/debezium/kafka": _kafka(KRAFT, "kraft", 9092, ("/kafka/data",), family="debezium"),
    "strimzi/kafka": _kafka(WITH_ZOOKEEPER, "kafka", 9092, (), family="strimzi"),
    "ui": _served(8080, {"/actuator/health": '{"status":"UP"}\n', "/index.html": "a stand-in for Kafka UI\n"}),
    "exporter": _served(9308, {"/metrics": "# a stand-in for the exporter\nkafka_brokers 1\n"}),
    "prometheus": _of_debian(
        "prometheus", "--config.file=/etc/prometheus/prometheus.yml", "--storage.tsdb.path=/prometheus"
    ),
    "alertmanager": _of_debian(
        "prometheus-alertmanager",
        "--config.file=/etc/alertmanager/alertmanager.yml",
        "--storage.path=/alertmanager",
        "--cluster.listen-address=",
    ),
    "grafana": _served(3000, {"/api/health": '{"database": "ok"}\n'}),
    "python": _python,
    "python-sandbox": partial(_python, extras=("exporter", "sandbox"), kafka=True),
    "tiny": _tiny,
}


def buildable() -> bool:
    """Whether this machine has what images are made of."""
    return bool(shutil.which("busybox"))
