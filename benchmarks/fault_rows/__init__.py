"""The rows of ``benchmarks.faults``, a file for each theme; ``stage`` is the shop on which they play."""
