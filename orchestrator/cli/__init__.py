"""What does a person type, and what do they see? One command a file."""
