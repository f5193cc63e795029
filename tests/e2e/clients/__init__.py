"""Other people's programs, unmodified, that speak to the service; one folder each with what it installs and runs."""
