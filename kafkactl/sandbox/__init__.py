"""A real Apache Kafka as local processes: no Docker, no system Java.

`foreground.throwaway()` is a context manager around a cluster that serves, on free ports:

    with throwaway(brokers=3) as sandbox:
        sandbox.bootstrap                      # "127.0.0.1:20113,127.0.0.1:11872,…"
        sandbox.kill(2); sandbox.start(2)      # faults: kill, stop, pause, resume, start

    with throwaway(secure="all") as sandbox:   # clients are asked who they are
        sandbox.secured.addresses["scram"]
        sandbox.secured.file("reader", "scram")
"""
