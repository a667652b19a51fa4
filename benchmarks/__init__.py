"""Benchmarks: what an open stream costs, beside a bare socket server and the usual ways. Run ``make bench``."""
