"""A real Docker engine, and the images and stacks that tests run on it.

No image is pulled: every one is built from what the package registries give (images.py). Kafka UI and the exporter
are stand-ins that serve their ports; ZooKeeper and Kafka are the real ones, started as the pinned images start them.
"""
