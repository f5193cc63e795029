"""The pages: server-rendered HTML that works without script."""
