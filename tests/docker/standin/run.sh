#!/bin/sh
# Starts a real ZooKeeper or Kafka from its environment, as the pinned images do: KAFKA_LOG_DIRS=/x becomes log.dirs=/x
# (one underscore is a dot, two are an underscore, three a dash). $1: zookeeper, kafka, kraft, or the path of a file of
# properties, and what overrides them.
set -eu
. /etc/standin
role=$1
shift

properties() {
  awk 'BEGIN {
    split("VERSION HEAP_OPTS OPTS LOG4J_OPTS JMX_OPTS JMX_PORT JVM_PERFORMANCE_OPTS GC_LOG_OPTS", names, " ")
    for (i in names) ours["KAFKA_" names[i]] = 1
    for (name in ENVIRON) {
      if (name !~ /^KAFKA_/ || name in ours || name ~ /LOG4J/) continue
      key = tolower(substr(name, 7))
      gsub(/___/, "\001", key); gsub(/__/, "\002", key); gsub(/_/, ".", key); gsub(/\001/, "-", key); gsub(/\002/, "_", key)
      print key "=" ENVIRON[name]
    }
  }' | sort
}

case $role in
/*)
  main=kafka.Kafka config=$role
  ;;
zookeeper)
  : "${ZOOKEEPER_CLIENT_PORT:?is not set}"
  printf '%s\n' "clientPort=$ZOOKEEPER_CLIENT_PORT" "tickTime=${ZOOKEEPER_TICK_TIME:-3000}" \
    dataDir=/var/lib/zookeeper/data dataLogDir=/var/lib/zookeeper/log admin.enableServer=false >/tmp/zookeeper.properties
  main=org.apache.zookeeper.server.quorum.QuorumPeerMain config=/tmp/zookeeper.properties
  ;;
kafka)
  : "${KAFKA_ZOOKEEPER_CONNECT:?is not set}" "${KAFKA_ADVERTISED_LISTENERS:?is not set}"
  { properties; [ -n "${KAFKA_LOG_DIRS:-}" ] || echo log.dirs=/var/lib/kafka/data; } >/tmp/server.properties
  main=kafka.Kafka config=/tmp/server.properties
  ;;
kraft)
  : "${KAFKA_PROCESS_ROLES:?is not set}" "${CLUSTER_ID:?is not set}"
  properties >/tmp/server.properties
  /usr/bin/kafka-storage format --ignore-formatted --cluster-id "$CLUSTER_ID" --config /tmp/server.properties
  main=kafka.Kafka config=/tmp/server.properties
  ;;
esac

jmx=
if [ -n "${JMX_PORT:-}" ]; then
  jmx="-Dcom.sun.management.jmxremote.port=$JMX_PORT -Dcom.sun.management.jmxremote.authenticate=false \
    -Dcom.sun.management.jmxremote.ssl=false"
fi
# shellcheck disable=SC2086 # flags are words
exec "$JAVA" ${KAFKA_HEAP_OPTS:--Xmx1G -Xms1G} $JAVA_QUICK $JAVA_CACHE $jmx ${KAFKA_OPTS:-} \
  "-Dorg.slf4j.simpleLogger.dateTimeFormat='['yyyy-MM-dd HH:mm:ss,SSS']'" \
  -Dorg.slf4j.simpleLogger.logFile=System.out -Dorg.slf4j.simpleLogger.showDateTime=true \
  -Dorg.slf4j.simpleLogger.showThreadName=false -Dorg.slf4j.simpleLogger.log.org.apache.kafka.common.config=warn \
  -cp "$CLASS_PATH" "$main" "$config" "$@"
