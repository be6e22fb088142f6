"""Speed and memory against stated limits: `python -m benchmarks`, or `make bench`."""
