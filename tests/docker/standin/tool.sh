#!/bin/sh
# Kafka's own command-line tools, under the names of their scripts. Like those they take their flags from the
# environment: KAFKA_HEAP_OPTS, KAFKA_OPTS and JMX_PORT, which a health check or `docker exec` inherits, too.
. /etc/standin
case $(basename "$0" .sh) in
kafka-broker-api-versions) main=$API_VERSIONS ;;
kafka-configs) main=kafka.admin.ConfigCommand ;;
kafka-console-consumer) main=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
kafka-console-producer) main=$CONSOLE_PRODUCER ;;
kafka-consumer-groups) main=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
kafka-log-dirs) main=org.apache.kafka.tools.LogDirsCommand ;;
kafka-metadata-quorum) main=org.apache.kafka.tools.MetadataQuorumCommand ;;
kafka-storage) main=kafka.tools.StorageTool ;;
kafka-topics) main=org.apache.kafka.tools.TopicCommand ;;
esac
jmx=
if [ -n "${JMX_PORT:-}" ]; then
  jmx="-Dcom.sun.management.jmxremote.port=$JMX_PORT -Dcom.sun.management.jmxremote.authenticate=false \
    -Dcom.sun.management.jmxremote.ssl=false"
fi
# shellcheck disable=SC2086 # flags are words
exec "$JAVA" ${KAFKA_HEAP_OPTS:--Xmx256M} $JAVA_QUICK $JAVA_CACHE $jmx ${KAFKA_OPTS:-} \
  -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$CLASS_PATH" "$main" "$@"
