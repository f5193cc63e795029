"""Measurements: one file a question. Results are kept in README.md here; no test ever asserts a time."""
