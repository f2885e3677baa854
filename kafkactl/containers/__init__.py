"""The stack's containers: every Docker call. Nothing else in kafkactl knows the docker library.

engine = connect()                   # EngineError says which of its five ways not to answer, and the remedy
stack = find(engine)                 # by compose labels, any project; by container names as a fallback
engine.memory(stack.containers)      # and logs, restart, start, info
"""

from kafkactl.containers.engine import Engine, connect
from kafkactl.containers.failures import EngineError
from kafkactl.containers.model import Container, Death, Health, Memory, Mount, Port, Role
from kafkactl.containers.stack import Stack, find

__all__ = [
    "Container",
    "Death",
    "Engine",
    "EngineError",
    "Health",
    "Memory",
    "Mount",
    "Port",
    "Role",
    "Stack",
    "connect",
    "find",
]
