"""What is remembered: tables, sessions, migrations. Times are integer milliseconds since 1970 UTC."""
