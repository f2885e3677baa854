"""Every call to a Kafka cluster: the only package that makes an admin client. Errors leave it as KafkactlError."""
