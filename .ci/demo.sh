#!/bin/sh
# The main job, once through, on the broker that KAFKA_BROKERS names.
set -eu
kafkactl=$1
# As it would be typed: with quotation marks where a shell needs them.
quoted() {
  for word in "$@"; do
    case $word in
      *[!A-Za-z0-9_./:=,@-]*) printf " '%s'" "$(printf %s "$word" | sed "s/'/'\\\\''/g")" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
}
step() { printf '\n$ kafkactl%s\n' "$(quoted "$@")"; "$kafkactl" "$@"; }

step init-topics
step init-topics
step test
step describe
step produce payment.created --event --set payment_id=p-1 --set payment_no=PN-1 --set merchant_id=m-1 --set amount=1999 \
  --set currency=CNY --set status=created -k p-1 -H source=demo
step tail payment.created -n 1 --no-follow -o line --headers
# A payment that a service gave up: shown, corrected, sent back.
step produce dlq.payment '{"event_type": "payment.created", "event_id": "e-2", "timestamp": "2026-11-27T09:00:00Z", "payment_id": "p-2", "payment_no": "PN-2", "merchant_id": "m-1", "amount": "19.99", "currency": "CNY", "status": "created"}' -k p-2 -H x-original-topic=payment.created \
  -H 'x-error=amount is not a whole number'
step dlq show dlq.payment
export EDITOR="sed -i 's/\"19.99\"/1999/'"
step dlq replay dlq.payment --edit --yes
step tail payment.created -n 1 --no-follow -o line
# Of services there are none here, so no group reads: the broker, the network and the topics are healthy.
step doctor network cluster
