"""How replicas are moved: in batches, throttled, to be taken up again after any interruption."""
