#!/bin/sh
# The main job, once through, on the broker that KAFKA_BROKERS names.
set -eu
kafkactl=$1
step() { printf '\n$ kafkactl %s\n' "$*"; "$kafkactl" "$@"; }

step init-topics
step init-topics
step test
step describe
step produce payment.created '{"payment_id": "p-1", "amount": 1999, "currency": "CNY"}' -k p-1 -H source=demo
step tail payment.created -n 1 --no-follow -o line --headers
step doctor
