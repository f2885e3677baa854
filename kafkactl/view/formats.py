"""What -o takes."""

from enum import StrEnum


class Format(StrEnum):
    """Formats of commands that show something."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"


class ReportFormat(StrEnum):
    """Formats of commands that judge something."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"
    GITHUB = "github"


class RecordFormat(StrEnum):
    """Forms of a record: a readable line, JSON, or the value's bytes."""

    LINE = "line"
    JSON = "json"
    RAW = "raw"


class LetterFormat(StrEnum):
    """Forms of a dead letter: for people, or a line of JSON."""

    TABLE = "table"
    JSON = "json"


class LineFormat(StrEnum):
    """Forms of a log line: as it was written, or JSON."""

    LINE = "line"
    JSON = "json"


class ListFormat(StrEnum):
    """Formats of commands that list named things."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"


class LagFormat(StrEnum):
    """Formats of lag."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"
    GITHUB = "github"
    PROMETHEUS = "prometheus"


class DoctorFormat(StrEnum):
    """Formats of the doctor."""

    TABLE = "table"
    SHORT = "short"
    JSON = "json"
    YAML = "yaml"
    JUNIT = "junit"
    GITHUB = "github"


class SortBy(StrEnum):
    """What topics are sorted by."""

    NAME = "name"
    RECORDS = "records"
    SIZE = "size"
    LAG = "lag"
