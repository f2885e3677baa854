"""Every command, in the order of --help: where its function is, and one line of help."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Leaf(NamedTuple):
    """A command: its function below kafkactl.commands, and the first line of its help."""

    home: str  # "groups.listing:save"
    help: str
    settings: Mapping[str, Any] | None = None


class Branch(NamedTuple):
    """A command with subcommands. `default` is the one that is meant where none is named."""

    commands: Mapping[str, Leaf]
    help: str
    default: str = ""


COMMANDS: Mapping[str, Leaf | Branch] = {
    "init-topics": Leaf(
        "init_topics:init_topics", "Create the topics that topics.yaml declares, and update their settings."
    ),
    "diff": Leaf("diff:diff", "Compare the cluster with topics.yaml without changing anything."),
    "lint": Leaf("lint:lint", "Check topics.yaml offline: every key, name and value, for every environment."),
    "export": Leaf("export:export", "Write the cluster's topics as a topics.yaml that passes lint and shows no diff."),
    "topic": Branch(
        {
            "create": Leaf(
                "topic:create_topic", "Create one topic, and print the lines for topics.yaml that declare it."
            ),
            "set": Leaf(
                "topic:set_topic",
                "Change settings of one topic or add partitions, and print the lines for topics.yaml that declare it.",
            ),
            "delete": Leaf(
                "topic:delete_topic",
                "Delete one topic with its records.",
            ),
            "trim": Leaf(
                "topic:trim_topic",
                "Delete the oldest records of one topic.",
            ),
        },
        "Create, change, trim or delete one topic, with a plan.",
    ),
    "replicas": Branch(
        {
            "plan": Leaf(
                "replicas:plan_replicas",
                "Show which replicas would be moved where, how many bytes that copies, and what brokers hold then.",
            ),
            "move": Leaf(
                "replicas:move_replicas",
                "Move replicas: shows the plan, asks, and moves them in batches; without options, goes on with an "
                "earlier move.",
            ),
            "status": Leaf(
                "replicas:show_moves",
                "Show which replicas are being moved and how far they are, what is left of a plan, and which throttles "
                "are set.",
            ),
            "cancel": Leaf(
                "replicas:cancel_moves",
                "Go back to the replicas from before, for what is being moved right now; what is done stays as it is.",
            ),
        },
        "Move replicas between brokers: drain one, fill one, even them out.",
    ),
    "describe": Leaf(
        "describe:describe",
        "Show the cluster and its topics, or a topic's partitions, settings, producers, consumers and groups.",
    ),
    "test": Leaf(
        "smoke:smoke",
        "Prove that Kafka works: write to every broker with acks=all, read back, compare every byte, and commit.",
    ),
    "doctor": Leaf("doctor:doctor", "Find out what is wrong with Kafka, name the cause first, and say how to fix it."),
    "whoami": Leaf(
        "whoami:whoami",
        "Show who this client is to Kafka, the broker's certificate, and what it may do with the declared topics.",
    ),
    "access": Branch(
        {
            "show": Leaf(
                "access:show_access",
                "Show who may do what and why: each rule (ACL) with the line of topics.yaml that declares it.",
            ),
            "check": Leaf(
                "access:check_access",
                "Say whether a service may do what topics.yaml declares, by the cluster's rules as Kafka judges them.",
            ),
        },
        "Show who may do what with topics and groups, and why.",
        default="show",
    ),
    "lag": Leaf("lag:lag", "Show which consumer groups are behind, by how much, since when, and what to do about it."),
    "exporter": Leaf(
        "exporter:exporter",
        "Serve the cluster's metrics for Prometheus: brokers, topics, groups, dead letters and the doctor's findings.",
    ),
    "groups": Branch(
        {
            "list": Leaf(
                "groups.listing:list_groups",
                "List groups of every type, with their state, members and coordinator.",
            ),
            "describe": Leaf(
                "groups.listing:show_groups",
                "Show groups in detail: members, assignments, protocol, coordinator, offsets and lag.",
            ),
            "save": Leaf(
                "groups.listing:save", "Write a group's committed offsets to stdout, for `groups reset --from-file`."
            ),
            "reset": Leaf("groups.moving:reset", "Move the committed offsets of an inactive group."),
            "undo": Leaf(
                "groups.moving:undo",
                "Undo the last change that kafkactl made to a group from this machine; undoing an undo works too.",
            ),
            "copy": Leaf("groups.moving:copy", "Copy one group's committed offsets to another group."),
            "delete-offsets": Leaf(
                "groups.moving:delete_offsets", "Delete a group's committed offsets in a topic that it no longer reads."
            ),
            "delete": Leaf("groups.moving:delete", "Delete inactive groups and their committed offsets."),
        },
        "Inspect consumer groups and move their committed offsets, with undo.",
    ),
    "history": Branch(
        {
            "list": Leaf(
                "history:list_history",
                "Show what kafkactl changed on this cluster: when, who, what, and how it ended.",
            ),
            "show": Leaf(
                "history:show_entry",
                "Show one entry: the command, and each thing it changed with its values before and after.",
            ),
            "undo": Leaf(
                "history:undo_entry",
                "Put settings and offsets back as they were before an entry, with a plan.",
            ),
        },
        "Show what kafkactl changed, by whom and when, and undo it.",
        default="list",
    ),
    "env": Branch(
        {
            "list": Leaf(
                "env:list_environments", "List the environments for --env: those of topics.yaml, and your own."
            ),
            "show": Leaf(
                "env:show_environment",
                "Show what --env NAME would use: brokers, and client properties without secrets.",
            ),
        },
        "Show the clusters that --env can name.",
    ),
    "dlq": Branch(
        {
            "list": Leaf(
                "dlq.reading:list_letters",
                "Show how many dead letters wait, where they come from, and why they were given up.",
            ),
            "show": Leaf(
                "dlq.reading:show_letters",
                "Show dead letters: where each comes from, its error, how often it was tried, its key and value.",
            ),
            "replay": Leaf(
                "dlq.changing:replay_letters",
                "Send dead letters back to where they come from: shows the plan, asks, and notes what became of each.",
            ),
            "purge": Leaf("dlq.changing:purge_letters", "Delete dead letters, after saving them to a file."),
            "export": Leaf(
                "dlq.reading:export_letters",
                "Save dead letters to a file, unmasked, which `produce --json` reads.",
            ),
        },
        "Find dead letters, understand them, and send them back.",
    ),
    "events": Branch(
        {
            "check": Leaf(
                "events.typed:check_events",
                "Check events against their contract: fields, types, event_type, times, event_ids that came before.",
            ),
            "schema": Leaf("events.typed:show_schema", "Print a contract as JSON Schema (draft 2020-12)."),
            "example": Leaf("events.typed:show_example", "Print a valid event that happens now."),
            "diff": Leaf(
                "events.typed:compare_schemas",
                "Say which differences of two contracts break readers or writers.",
            ),
        },
        "Contracts of events: print them, compare them, check a topic's events against them.",
    ),
    "service-env": Leaf(
        "service_env:service_env",
        "Write what a service has to be told: KAFKA_BROKERS, KAFKA_CONSUMER_GROUP and KAFKA_TOPICS.",
    ),
    "tail": Leaf("tail:tail", "Show the last records of topics, and follow new ones."),
    "produce": Leaf("produce:produce", "Write records idempotently with acks=all, and account for every one."),
    "ps": Leaf("ps:ps", "Show the services of the stack and the sandbox: state, health, restarts, memory, ports, age."),
    "logs": Leaf(
        "logs:logs", "Show the logs of the stack and the sandbox, interleaved by time and coloured by service."
    ),
    "completion": Leaf(
        "completion:completion", "Print the script with which the Tab key completes commands, options and names."
    ),
    "sandbox": Branch(
        {
            "up": Leaf(
                "sandbox:up", "Start a cluster in the background, at the default address of all other commands."
            ),
            "down": Leaf("sandbox:down", "Stop the cluster that `up` started, and remove its data."),
            "status": Leaf("sandbox:status", "Show whether every broker is serving; exit code 1 if not."),
            "logs": Leaf("sandbox:logs", "Show the brokers' logs."),
            "run": Leaf("sandbox:run", "Run a command with a temporary cluster.", {"allow_interspersed_args": False}),
        },
        "Run a real Apache Kafka on this machine, without Docker or Java.",
    ),
}
