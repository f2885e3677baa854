#!/bin/sh
# The main job, once through, on the broker that KAFKA_BROKERS names.
set -eu
kafkactl=$1
step() { printf '\n$ kafkactl %s\n' "$*"; "$kafkactl" "$@"; }

step init-topics
step init-topics
step test
step describe
