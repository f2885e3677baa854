"""What Prometheus is told of a cluster: the names and labels of kafka_exporter, and kafkactl's own beside them.

`lag -o prometheus` and `exporter` make their metrics of groups and dead letters here, so that both have one name.
"""
