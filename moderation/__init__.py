"""The moderation service: decides, remembers and serves."""

__version__ = "0.1.0"
