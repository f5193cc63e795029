"""What `make audit` asks of the libraries: licences, known holes, a list of what is there."""
