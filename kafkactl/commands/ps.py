"""kafkactl ps: one line per service."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafkactl.options import Output, Project
from kafkactl.text import words
from kafkactl.text.words import age
from kafkactl.view import output
from kafkactl.view.formats import Format
from kafkactl.view.output import Coloured, Column

if TYPE_CHECKING:
    from kafkactl.services import Found, RunningService

# A container this close to its memory limit would be killed by a peak.
_CLOSE = 0.9
_COLOURS = {"fine": "", "wait": "yellow", "bad": "red"}


def ps(project: Project = None, output_format: Output = Format.TABLE) -> None:
    """Show the services of the stack and the sandbox: state, health, restarts, memory, ports, age.

    The stack is found by its compose labels, whatever its name and from any directory. Where several would do, all are
    shown, and --project chooses one.

    \b
    Examples:
      kafkactl ps
      kafkactl ps -o json | jq -r '.services[] | select(.health == "unhealthy") | .name'
    """
    from kafkactl.services import find_services, services

    found = find_services(project, Path.cwd())
    shown = services(found)
    if output_format is Format.JSON:
        output.document("ps", _as_json(found, shown))
        return
    # Without an engine nobody expects containers.
    if found.problem and found.problem.kind != "absent":
        output.note(f"{found.problem.message} Showing only the sandbox.")
    now = datetime.now(UTC)
    several = len(found.stacks) > 1
    columns = [
        *([Column("PROJECT")] if several else []),
        Column("SERVICE"),
        Column("STATE"),
        Column("HEALTH"),
        Column("RESTARTS", right=True),
    ]
    output.table(
        [*columns, Column("MEMORY", right=True), Column("PORTS"), Column("AGE", right=True)],
        [
            [
                *([service.project or "–"] if several else []),
                service.name,
                Coloured(_state(service), _COLOURS[service.condition]),
                Coloured(service.health or "–", _COLOURS[service.condition] if service.health else "dim"),
                Coloured(str(service.restarts), "yellow" if service.restarts else ""),
                _memory(service),
                " ".join(_ports(service)) or "–",
                age((now - service.since).total_seconds()) if service.since else "–",
            ]
            for service in shown
        ],
    )


def _state(service: "RunningService") -> str:
    return f"{service.state} ({service.exit_code})" if service.exit_code else service.state


def _memory(service: "RunningService") -> output.Cell:
    memory = service.memory
    if memory is None:
        return None
    if not memory.limit:
        return words.size(memory.used)
    # One unit for both, so that the figures compare at a glance.
    text = f"{memory.used / 2**20:,.0f}/{memory.limit / 2**20:,.0f} MiB"
    return Coloured(text, "red" if memory.used >= _CLOSE * memory.limit else "")


def _ports(service: "RunningService") -> list[str]:
    """The published ports: 40093→9093; with the address unless it is the loopback one, IPv4 and IPv6 as one."""
    found = []
    for port in service.ports:
        if port.host_port is None:
            continue
        any_host = port.host_ip in ("", "0.0.0.0", "::")
        host = "0.0.0.0:" if any_host else "" if port.host_ip in ("127.0.0.1", "::1") else f"{port.host_ip}:"
        inside = "" if port.host_port == port.container_port else f"→{port.container_port}"
        found.append(f"{host}{port.host_port}{inside}")
    return list(dict.fromkeys(found))


def _as_json(found: "Found", shown: "list[RunningService]") -> dict[str, Any]:
    stack = found.stacks[0] if len(found.stacks) == 1 else None
    return {
        "stack": {"project": stack.project, "directory": stack.directory} if stack else None,
        "engine": found.engine.endpoint.address if found.engine else None,
        "problem": found.problem.message if found.problem else None,
        "services": [
            {
                "name": service.name,
                "project": service.project,
                "state": service.state,
                "exit_code": service.exit_code,
                "health": service.health or None,
                "restarts": service.restarts,
                "memory_bytes": service.memory.used if service.memory else None,
                "memory_limit_bytes": (service.memory.limit or None) if service.memory else None,
                "ports": [
                    {"host_ip": p.host_ip, "host": p.host_port, "container": p.container_port, "protocol": p.protocol}
                    for p in service.ports
                ],
                "since": service.since.isoformat() if service.since else None,
            }
            for service in shown
        ],
    }
