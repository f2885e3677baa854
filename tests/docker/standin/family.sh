#!/bin/sh
# Starts what `run` starts, as another family's image does: from that family's variables, with its defaults and its
# demands. $1: the family, $2: kafka (with ZooKeeper) or kraft. The rules are those of each image's documents.
set -eu
family=$1 role=$2

# Keep only what the family reads: KAFKA_CFG_X becomes KAFKA_X, and a KAFKA_X of its own is nothing.
from_cfg() {
  names=$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^KAFKA_/ && name !~ /^KAFKA_(CFG_|HEAP_OPTS$)/) print name }')
  for name in $names; do unset "$name"; done
  for name in $(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^KAFKA_CFG_/) print name }'); do
    eval "export KAFKA_${name#KAFKA_CFG_}=\"\$$name\""
    unset "$name"
  done
}

required() {
  eval "value=\${$1:-}"
  if [ -z "$value" ]; then
    echo "$1 is required."
    echo "Command [/usr/local/bin/dub ensure $1] FAILED !"
    exit 1
  fi
}

# The advertised listeners, bound to every address.
listeners_of() {
  echo "$1" | sed 's|://[^:,]*:|://0.0.0.0:|g'
}

case $family in
cp)
  [ "$role" = kraft ] && required KAFKA_PROCESS_ROLES || required KAFKA_ZOOKEEPER_CONNECT
  required KAFKA_ADVERTISED_LISTENERS
  [ -w /var/lib/kafka/data ] || { echo "Command [/usr/local/bin/dub path /var/lib/kafka/data writable] FAILED !"; exit 1; }
  export KAFKA_LISTENERS="${KAFKA_LISTENERS:-$(listeners_of "$KAFKA_ADVERTISED_LISTENERS")}"
  export KAFKA_LOG_DIRS="${KAFKA_LOG_DIRS:-/var/lib/kafka/data}"
  ;;
apache)
  export CLUSTER_ID="${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}"
  if [ -z "$(awk 'BEGIN { for (name in ENVIRON) if (name ~ /^KAFKA_/ && name !~ /^KAFKA_HEAP/) print name }')" ]; then
    export KAFKA_LOG_DIRS=/tmp/kraft-combined-logs
    export KAFKA_NODE_ID=1 KAFKA_PROCESS_ROLES=broker,controller KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093 \
      KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093 \
      KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092 KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1 \
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
  fi
  export KAFKA_LOG_DIRS="${KAFKA_LOG_DIRS:-/tmp/kafka-logs}"
  ;;
bitnami)
  case "${KAFKA_CFG_LISTENER_SECURITY_PROTOCOL_MAP:-}" in *SSL* | *SASL*) secured=yes ;; *) secured=no ;; esac
  if [ "$secured" = no ] && [ "${ALLOW_PLAINTEXT_LISTENER:-no}" != yes ]; then
    printf '\033[38;5;6mkafka \033[38;5;5m12:00:00.00 \033[0m\033[38;5;1mERROR\033[0m ==> %s %s\n' \
      "The KAFKA_CFG_LISTENERS environment variable does not configure a secure listener." \
      "Set the environment variable ALLOW_PLAINTEXT_LISTENER=yes to allow the container to be started."
    exit 1
  fi
  export CLUSTER_ID="${KAFKA_KRAFT_CLUSTER_ID:-pYm3nTk4fkaKRaftLocalQ}"
  from_cfg
  export KAFKA_LOG_DIRS=/bitnami/kafka/data
  if [ "$role" = kafka ]; then
    export KAFKA_LISTENERS="${KAFKA_LISTENERS:-PLAINTEXT://:9092}"
    export KAFKA_ADVERTISED_LISTENERS="${KAFKA_ADVERTISED_LISTENERS:-PLAINTEXT://:9092}"
  fi
  ;;
wurstmeister)
  if [ -n "${HOSTNAME_COMMAND:-}" ]; then
    host=$(eval "$HOSTNAME_COMMAND")
    for name in KAFKA_ADVERTISED_LISTENERS KAFKA_ADVERTISED_HOST_NAME; do
      eval "value=\${$name:-}"
      [ -z "$value" ] || export "$name=$(echo "$value" | sed "s|_{HOSTNAME_COMMAND}|$host|g")"
    done
  fi
  if [ -n "${KAFKA_ADVERTISED_HOST_NAME:-}" ]; then
    export KAFKA_ADVERTISED_LISTENERS="PLAINTEXT://$KAFKA_ADVERTISED_HOST_NAME:${KAFKA_ADVERTISED_PORT:-${KAFKA_PORT:-9092}}"
  fi
  unset KAFKA_ADVERTISED_HOST_NAME KAFKA_ADVERTISED_PORT KAFKA_PORT KAFKA_CREATE_TOPICS
  export KAFKA_LISTENERS="${KAFKA_LISTENERS:-$(listeners_of "$KAFKA_ADVERTISED_LISTENERS")}"
  export KAFKA_LOG_DIRS="${KAFKA_LOG_DIRS:-/kafka/kafka-logs-$(hostname)}"
  ;;
debezium)
  id=${NODE_ID:-${BROKER_ID:-1}}
  export KAFKA_BROKER_ID="$id" KAFKA_NODE_ID="$id"
  if [ "$role" = kraft ]; then
    unset KAFKA_BROKER_ID
    CLUSTER_ID=${CLUSTER_ID:-ldlg5yhkQeWtnUrZrC6edg}
    case ${NODE_ROLE:-combined} in combined) KAFKA_PROCESS_ROLES=broker,controller ;; *) KAFKA_PROCESS_ROLES=$NODE_ROLE ;; esac
    export CLUSTER_ID KAFKA_PROCESS_ROLES KAFKA_CONTROLLER_LISTENER_NAMES="${KAFKA_CONTROLLER_LISTENER_NAMES:-CONTROLLER}"
    export KAFKA_CONTROLLER_QUORUM_VOTERS="${KAFKA_CONTROLLER_QUORUM_VOTERS:-$id@localhost:9093}"
  else
    unset KAFKA_NODE_ID
    export KAFKA_ZOOKEEPER_CONNECT="${ZOOKEEPER_CONNECT:-0.0.0.0:2181}"
  fi
  [ -z "${HEAP_OPTS:-}" ] || export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:-$HEAP_OPTS}"
  export KAFKA_LISTENERS="${KAFKA_LISTENERS:-PLAINTEXT://0.0.0.0:9092}"
  export KAFKA_ADVERTISED_LISTENERS="${KAFKA_ADVERTISED_LISTENERS:-PLAINTEXT://$(hostname -i | cut -d' ' -f1):9092}"
  export KAFKA_LOG_DIRS="/kafka/data/$id"
  mkdir -p "$KAFKA_LOG_DIRS"
  ;;
esac
exec run "$role"
