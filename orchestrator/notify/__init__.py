"""Who is told, and who is asked to do something? Webhooks, by name."""
