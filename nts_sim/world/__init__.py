"""What is fixed before a replication starts: immutable arrays, and how they are built."""
