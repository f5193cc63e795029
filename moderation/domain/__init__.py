"""Pure rules of the trade: standard library only, no I/O."""
