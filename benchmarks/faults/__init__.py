"""Faults at seeded random moments under steady load: is every accepted comment decided once, and how soon is all well?

`python -m benchmarks.faults` runs the whole programme, tests/e2e/test_faults.py a slice of it with the same code.
"""
