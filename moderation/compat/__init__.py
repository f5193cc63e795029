"""Interfaces that other systems already speak; each turns a call into one of our services and its answer back."""
