"""Contracts: what the events of a topic look like, as JSON Schema, and whether records keep to it."""
