"""The spread and response engine, behind the session contract."""
