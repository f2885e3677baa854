"""Client configurations as people have them: librdkafka's, kcat's, Java's and what clouds offer to download."""
