"""The jars of a Kafka version: listed with their SHA-256, fetched once, verified before every start."""

import hashlib
import logging
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from kafkactl.errors import KafkactlError, UnreachableError, UsageError
from kafkactl.sandbox.machine import sandbox_extra, system_trust

Progress = Callable[[str], None]

_FETCHERS = 8
_ATTEMPTS = 3
_TIMEOUT = 20  # seconds without a byte
# The AOT cache remembers the modification time of every jar: a refetched jar must not look like another one.
_MODIFIED = 315_532_800  # 1980-01-01, the oldest time a zip file can say


@dataclass(frozen=True, order=True)
class Jar:
    """One Maven artifact and the SHA-256 (hex) of its jar."""

    coordinates: str  # group:artifact:version
    sha256: str

    def path(self, cache: Path) -> Path:
        """Where the jar lies below a cache directory."""
        group, artifact, version = self.coordinates.split(":")
        return cache / "jars" / group / f"{artifact}-{version}.jar"


def read_sums(text: str) -> tuple[Jar, ...]:
    """The jars a sums file lists, as `<sha256>  group:artifact:version` lines, in its order."""
    lines = (line.split() for line in text.splitlines() if line.strip())
    return tuple(Jar(coordinates, sha256) for sha256, coordinates in lines)


def write_sums(jars: Iterable[Jar]) -> str:
    """The text of a sums file."""
    return "".join(f"{jar.sha256}  {jar.coordinates}\n" for jar in sorted(jars))


def digest(path: Path) -> str:
    """The SHA-256 of a file in hex; empty if there is no such file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def unfit(jars: Sequence[Jar], cache: Path) -> list[Jar]:
    """The jars that are missing from the cache, or are not what their sum says."""
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        sums = pool.map(lambda jar: digest(jar.path(cache)), jars)
        return [jar for jar, found in zip(jars, sums, strict=True) if found != jar.sha256]


def fetch(jars: Sequence[Jar], cache: Path, scratch: Path, progress: Progress) -> None:
    """Fetch jars into the cache, each verified before it gets its name there.

    `scratch` is a directory on the same disk, for downloads that are not whole yet.
    Raises UnreachableError naming the first artifact that could not be had, KafkactlError for a wrong sum.
    """
    quiet_jgo()
    with (
        system_trust(),
        tempfile.TemporaryDirectory(prefix="fetching-", dir=scratch) as staging,
        ThreadPoolExecutor(_FETCHERS) as pool,
    ):
        pending = [pool.submit(_fetch_one, jar, cache, Path(staging)) for jar in jars]
        try:
            for done, future in enumerate(pending, start=1):
                future.result()
                progress(f"jar {done} of {len(jars)}")
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def quiet_jgo() -> None:
    """Keep jgo's remarks, of which it logs some, off stderr: what matters of them is raised here."""
    logging.getLogger("jgo").addHandler(logging.NullHandler())


def _fetch_one(jar: Jar, cache: Path, staging: Path) -> None:
    got = _download(jar.coordinates, staging)
    found = digest(got)
    if found != jar.sha256:
        raise KafkactlError(
            f"{jar.coordinates} has a wrong checksum and was not run.",
            where=f"Its SHA-256 is {found}, expected {jar.sha256}.",
            hint="Something between here and the package repository changes files, or the checksum file is wrong.",
        )
    settle(got, jar.path(cache))


def _download(coordinates: str, repository: Path) -> Path:
    """The artifact's jar in a Maven repository directory, downloaded by jgo if it is not there."""
    with sandbox_extra():
        from jgo.maven import MavenContext
    group, name, version = coordinates.split(":")
    artifact = MavenContext(repo_cache=repository, timeout=_TIMEOUT).project(group, name).at_version(version).artifact()
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # requests' errors are OSErrors; jgo's "not found" is a RuntimeError
            if artifact.cached_path:
                Path(artifact.cached_path).unlink(missing_ok=True)  # jgo would take a torn download for the jar
            if attempt == _ATTEMPTS or not isinstance(error, OSError) or _is_tls(error):
                raise cannot_be_had(coordinates, error) from error
            time.sleep(0.3 * attempt)
    raise AssertionError


def cannot_be_had(what: str, error: BaseException) -> UnreachableError:
    """The error for an artifact that could not be fetched."""
    if isinstance(error, RuntimeError):
        return UnreachableError(
            f"{what} was not found.", hint="Check the version, and whether the package mirror has it."
        )
    if _is_tls(error):
        why = re.search(r"certificate verify failed: ([^(\]]+)", str(error))
        return UnreachableError(
            f"Cannot fetch {what}.",
            where=f"What answers is not trusted: {why[1].strip() if why else 'the TLS handshake failed'}.",
            hint="Behind a proxy with its own authority, have this machine trust that one, or name the file of its "
            "certificate in REQUESTS_CA_BUNDLE or SSL_CERT_FILE.",
        )
    reason = type(error).__name__
    return UnreachableError(
        f"Cannot fetch {what}.",
        where=f"The package repository does not answer ({reason}).",
        hint="Check the network and HTTPS_PROXY, or set KAFKACTL_CACHE to a directory filled on another machine.",
    )


def _is_tls(error: BaseException) -> bool:
    return type(error).__name__ == "SSLError"  # that of requests, which is not imported for a comparison


def settle(source: Path, target: Path) -> None:
    """Move a whole file to its name in the cache, in one step."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.utime(source, (_MODIFIED, _MODIFIED))
    os.replace(source, target)


_DIRECTORY = Path(__file__).parent / "sums"
# kafka-clients asks for this slf4j-api; the simple binding writes the broker's log to its stdout.
_LOGGING = "org.slf4j:slf4j-simple:1.7.36"


def pinned_versions() -> list[str]:
    """The Kafka versions with a sums file, newest first."""
    return sorted((path.stem for path in _DIRECTORY.glob("*.sha256")), key=_order, reverse=True)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def pinned(version: str) -> tuple[Jar, ...] | None:
    """The jars of a pinned version; None if it has no sums file."""
    path = _DIRECTORY / f"{version}.sha256"
    return read_sums(path.read_text()) if path.is_file() else None


def jars_of(version: str, cache: Path, *, unverified: bool, progress: Progress) -> tuple[Jar, ...]:
    """The jars of a version: pinned, or with `unverified` what was resolved for it when it was first used here.

    Raises UsageError for a version without sums, UnreachableError if it cannot be resolved.
    """
    if not re.fullmatch(r"[\w.\-]+", version):
        raise UsageError(f"{version!r} is not a valid Kafka version.", hint=f"For example: {pinned_versions()[0]}")
    jars = pinned(version)
    if jars is not None:
        return jars
    if not unverified:
        raise UsageError(
            f"There are no known checksums for Kafka {version}.",
            where=f"Verified versions: {', '.join(pinned_versions())}.",
            hint="To run it without verification: --unverified",
        )
    noted = cache / "unverified" / f"{version}.sha256"
    if not noted.is_file():
        progress("resolving its dependencies")
        text = write_sums(resolve_jars(version, cache))
        noted.parent.mkdir(parents=True, exist_ok=True)
        partial = noted.with_suffix(".new")
        partial.write_text(text)
        partial.replace(noted)
    return read_sums(noted.read_text())


def resolve_jars(version: str, cache: Path) -> list[Jar]:
    """Resolve a Kafka version's jars with jgo and put them into the cache; their sums are as downloaded.

    Raises UnreachableError.
    """
    with sandbox_extra():
        from jgo.maven import MavenContext
    quiet_jgo()
    cache.mkdir(parents=True, exist_ok=True)
    main = f"org.apache.kafka:kafka_2.13:{version}"
    with system_trust(), tempfile.TemporaryDirectory(prefix="resolving-", dir=cache) as staging:
        context = MavenContext(repo_cache=Path(staging))
        jars = []
        try:
            roots, others = context.resolver.resolve([context.create_dependency(c) for c in (main, _LOGGING)])
            for dependency in [*roots, *others]:
                if dependency.scope not in ("compile", "runtime", None):
                    continue
                artifact = dependency.artifact
                path = Path(artifact.resolve())
                jar = Jar(f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}", digest(path))
                settle(path, jar.path(cache))
                jars.append(jar)
        except (OSError, RuntimeError, ValueError) as error:
            raise cannot_be_had(main, error) from error
    return jars


def _main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m kafkactl.sandbox.sums VERSION\n")
        return 2
    try:
        with tempfile.TemporaryDirectory() as scratch:
            sys.stdout.write(write_sums(resolve_jars(sys.argv[1], Path(scratch))))
    except KafkactlError as error:
        sys.stderr.write("\n".join(error.lines()) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
