"""Benchmarks: what an open stream costs, compared with a bare socket server and the usual ways. Run ``make bench``."""
