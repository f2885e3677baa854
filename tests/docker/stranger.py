"""A user who may not use the Docker engine."""

import os
import socket
import subprocess
import sys

from tests.conftest import Outcome

# What a library imports only once it needs it is imported before: the other user may not read this tree.
_SCRIPT = """
import os, pkgutil
from importlib import import_module
import docker.context, docker.utils, requests
import kafkactl
from kafkactl import cli
from kafkactl.containers.endpoint import EngineError
from kafkactl.containers.engine import connect_engine
from kafkactl.doctor.codes import codes

for module in pkgutil.walk_packages(kafkactl.__path__, "kafkactl."):
    if module.name != "kafkactl.__main__":
        import_module(module.name)
codes()
try:
    connect_engine({"DOCKER_HOST": "unix:///nowhere"})
except EngineError:
    pass
os.setgroups([]); os.setgid(65534); os.setuid(65534)
cli.main()
"""


def as_a_stranger(path: str, *arguments: str) -> Outcome:
    """kafkactl as the user `operator`, who may not write to the engine's socket at `path`. Only root can do this."""
    surroundings = {"DOCKER_HOST": f"unix://{path}", "KAFKACTL_STATE": "/nowhere", "HOME": "/"}
    with socket.socket(socket.AF_UNIX) as owned:
        owned.bind(path)
        owned.listen()
        os.chmod(path, 0o600)
        done = subprocess.run(
            [sys.executable, "-c", _SCRIPT, *arguments],
            env={**os.environ, **surroundings, "USER": "operator", "LOGNAME": "operator"},
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    return Outcome(done.returncode, done.stdout, done.stderr)
