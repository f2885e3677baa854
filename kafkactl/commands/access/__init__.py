"""kafkactl access show|check: what a user types."""

from typing import Annotated

import typer

from kafkactl import options
from kafkactl.settings import Target
from kafkactl.tab_names import complete_service, complete_topic
from kafkactl.view.formats import Format


@options.on_cluster(first_aid=True)
def show_access(
    target: Target,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A service, topic, group or principal. Default: all.", autocompletion=complete_topic
        ),
    ] = None,
    show: options.Output = Format.TABLE,
) -> None:
    """Show who may do what and why: each rule (ACL) with the line of topics.yaml that declares it.

    \b
    Examples:
      kafkactl access
      kafkactl access show analytics
      kafkactl access payment.created --env production
    """
    from kafkactl.commands.access.shown_rules import show_rules

    show_rules(target, name, as_json=show is Format.JSON)


@options.on_cluster(first_aid=True)
def check_access(
    target: Target,
    service: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE", help="A service of topics.yaml that has a principal.", autocompletion=complete_service
        ),
    ],
    show: options.Output = Format.TABLE,
) -> None:
    """Say whether a service may do what topics.yaml declares, by the cluster's rules as Kafka judges them.

    Rules are not everything: what decides besides and cannot be seen is named. With the service's own --client-config
    Kafka itself is asked, and the answer is a proof. The exit code is 1 if something is not allowed, 3 if that is not
    known.

    \b
    Examples:
      kafkactl access check analytics
      kafkactl access check analytics --client-config analytics.properties
    """
    from kafkactl.commands.access.checking import check_service

    check_service(target, service, as_json=show is Format.JSON)
