"""kafkactl groups: inspects consumer groups and moves their committed offsets, with undo."""
