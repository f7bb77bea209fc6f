"""What is timed: one module a process; each imports only what its environment has."""
