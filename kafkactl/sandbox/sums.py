"""Which Kafka versions are pinned, and to which jars.

`python -m kafkactl.sandbox.sums VERSION` resolves a version afresh and prints its sums file, for `sums/`.
"""

import re
import sys
import tempfile
from pathlib import Path

from kafkactl.errors import KafkactlError, UsageError
from kafkactl.sandbox.artifacts import Jar, Progress, digest, quiet_jgo, read_sums, settle, unreachable, write_sums
from kafkactl.sandbox.extra import sandbox_extra

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
        raise UsageError(f"{version!r} is no Kafka version.", hint=f"For example: {pinned_versions()[0]}")
    jars = pinned(version)
    if jars is not None:
        return jars
    if not unverified:
        raise UsageError(
            f"Kafka {version} has no checksums here, so it is not run.",
            where=f"Verified versions: {', '.join(pinned_versions())}.",
            hint="To run it as it comes from the package repository: --unverified",
        )
    noted = cache / "unverified" / f"{version}.sha256"
    if not noted.is_file():
        progress("resolving its dependencies")
        text = write_sums(resolve(version, cache))
        noted.parent.mkdir(parents=True, exist_ok=True)
        partial = noted.with_suffix(".new")
        partial.write_text(text)
        partial.replace(noted)
    return read_sums(noted.read_text())


def resolve(version: str, cache: Path) -> list[Jar]:
    """Resolve a Kafka version's jars with jgo and put them into the cache; their sums are as downloaded.

    Raises UnreachableError.
    """
    with sandbox_extra():
        from jgo.maven import MavenContext
    quiet_jgo()
    cache.mkdir(parents=True, exist_ok=True)
    main = f"org.apache.kafka:kafka_2.13:{version}"
    with tempfile.TemporaryDirectory(prefix="resolving-", dir=cache) as staging:
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
            raise unreachable(main, error) from error
    return jars


def _main() -> int:
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m kafkactl.sandbox.sums VERSION\n")
        return 2
    try:
        with tempfile.TemporaryDirectory() as scratch:
            sys.stdout.write(write_sums(resolve(sys.argv[1], Path(scratch))))
    except KafkactlError as error:
        sys.stderr.write("\n".join(error.lines()) + "\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
