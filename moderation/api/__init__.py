"""JSON over HTTP. Each file is one blueprint; app.py puts them together."""
