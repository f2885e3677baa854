"""What differs between topics.yaml and the cluster, what changing it risks, and what became of each change. Pure."""
