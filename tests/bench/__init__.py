"""Benchmarks: `make bench`, or `python -m tests.bench`. Figures are ratios within one run; absolute ones depend on the machine."""
