#!/bin/sh
# The main job, once through, on the broker that KAFKA_BROKERS names.
set -eu
kafkactl=$1
step() { printf '\n$ kafkactl %s\n' "$*"; "$kafkactl" "$@"; }

step init-topics
step init-topics
step test
step describe
cat <<'END'

That was a real Apache Kafka; it is stopped and gone again. Try next:

  . .venv/bin/activate
  kafkactl sandbox up               a Kafka that stays, on localhost:40093
  kafkactl init-topics              the 27 topics of topics.yaml
  kafkactl describe payment.created
  kafkactl diff                     after you changed something
  kafkactl sandbox down
END
