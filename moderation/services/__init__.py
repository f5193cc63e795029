"""The use cases: one verb a function, one transaction each. A session, the clock and all else are handed in."""
