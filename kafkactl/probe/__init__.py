"""The round trip: write to every partition, read back, judge; and the steps that prove a whole cluster with it."""
