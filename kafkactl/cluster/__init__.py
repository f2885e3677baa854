"""Every call to a Kafka cluster: the only room that makes an admin client. Errors leave it as KafkactlError."""
