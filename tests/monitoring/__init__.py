"""The alerts' unit tests for promtool, and the picture of the dashboard."""
