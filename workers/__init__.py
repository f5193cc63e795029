"""The process that does the waiting work: scoring, publishing, delivering."""
