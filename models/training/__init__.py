"""From labelled sets to artefacts. Needs scikit-learn, and torch for the encoder; nothing of it runs in the service."""
