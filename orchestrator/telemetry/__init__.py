"""How does the service itself fare? Metrics, health, logs, and a word to whoever supervises the process."""
