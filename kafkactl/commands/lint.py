"""kafkactl lint: whether topics.yaml is valid, without asking Kafka."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from kafkactl.errors import ExitCode, UsageError
from kafkactl.options import ReportOutput
from kafkactl.text.escapes import plain
from kafkactl.text.words import many
from kafkactl.view import output
from kafkactl.view.cases import Case, github, junit
from kafkactl.view.formats import ReportFormat
from kafkactl.view.problem_report import problem_cases, problem_documents

if TYPE_CHECKING:
    from kafkactl.catalog.model import Problem


def lint(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FILE]...",
            help="Files to check. Default: KAFKACTL_CATALOG, else topics.yaml here or in a parent directory.",
        ),
    ] = None,
    named: Annotated[
        list[Path] | None, typer.Option("-f", "--file", metavar="FILE", help="The same as FILE. Repeatable.")
    ] = None,
    show: ReportOutput = ReportFormat.TABLE,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of topics.yaml, for editors.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="REVISION",
            help="Changes of contracts since this git revision that break services are problems. Default: warnings of "
            "those since HEAD.",
        ),
    ] = None,
) -> None:
    """Check topics.yaml offline: every key, name and value, for every environment.

    The schemas under events are checked too. Reports all problems in one run, each with its position. The exit code is
    2 if there are any; warnings alone exit 0.

    \b
    Examples:
      kafkactl lint
      kafkactl lint -o github --against origin/main
      kafkactl lint --schema > topics.schema.json
    """
    if schema:
        from kafkactl.catalog.schema import json_schema

        output.say(json.dumps(json_schema(), ensure_ascii=False, indent=2))
        return
    results = [_check(path, against) for path in [*(files or ()), *(named or ())] or [_found()]]
    match show:
        case ReportFormat.TABLE:
            _table(results)
        case ReportFormat.JSON:
            output.document("lint", _document(results))
        case ReportFormat.JUNIT:
            junit("lint", _cases(results))
        case ReportFormat.GITHUB:
            github("lint", _cases(results))
    if not all(result.valid for result in results):
        raise typer.Exit(ExitCode.USAGE)


@dataclass(frozen=True)
class _Result:
    """The result for one file. `topics` and `environments` are counted in valid files only."""

    file: str
    problems: "tuple[Problem, ...]"
    topics: int | None = None
    environments: int | None = None

    @property
    def valid(self) -> bool:
        return self.topics is not None


def _found() -> Path:
    from kafkactl.catalog.find import find_catalog

    path = find_catalog(None, os.environ, Path.cwd())
    if path is None:
        raise UsageError(
            "There is no topics.yaml here or in a parent directory.",
            hint="Name a file, or set KAFKACTL_CATALOG.",
        )
    return path


def _check(path: Path, against: str | None) -> _Result:
    from kafkactl.catalog.file import load_catalog, load_what_is_valid
    from kafkactl.catalog.model import CatalogError

    try:
        catalog = load_catalog(path)
    except CatalogError as error:
        partly = load_what_is_valid(path)
        return _Result(str(path), (*error.problems, *(_of_schemas(partly.events, against) if partly else ())))
    schemas = _of_schemas(catalog.events, against)
    if any(not problem.warning for problem in schemas):
        return _Result(str(path), (*catalog.warnings, *schemas))
    return _Result(str(path), (*catalog.warnings, *schemas), len(catalog.topics), len(catalog.environments))


def _of_schemas(events: Mapping[str, Path], against: str | None) -> "list[Problem]":
    """What is wrong in the files under events, and what has changed in them and breaks services."""
    if not events:
        return []
    from kafkactl.contracts.schema_history import broken_promises
    from kafkactl.contracts.schema_review import schema_problems

    return [*schema_problems(events), *broken_promises(events, against)]


def _table(results: list[_Result]) -> None:
    from kafkactl.catalog.model import problem_count, problem_lines

    for result in results:
        for line in problem_lines(result.problems):
            output.say(plain(line))
        if result.topics is not None and result.environments is not None:
            contents = f"{many(result.topics, 'topic')}, {many(result.environments, 'environment')}"
            output.say(f"{plain(result.file)}: {contents}. {problem_count(result.problems)}")
    if not all(result.valid for result in results):
        output.say(problem_count([problem for result in results for problem in result.problems]))


def _document(results: list[_Result]) -> dict[str, Any]:
    return {
        "valid": all(result.valid for result in results),
        "files": [
            {
                "file": result.file,
                "valid": result.valid,
                "topics": result.topics,
                "environments": result.environments,
                "problems": problem_documents(result.problems),
            }
            for result in results
        ],
    }


def _cases(results: list[_Result]) -> list[Case]:
    """A case for each problem; one passing case for a file without any."""
    cases: list[Case] = []
    for result in results:
        cases += problem_cases(result.problems)
        if result.valid:
            cases.append(Case(name=result.file))
    return cases
