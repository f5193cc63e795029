"""The figures of the model card: measured on rows that no fit has seen. Nothing here runs in the service."""
