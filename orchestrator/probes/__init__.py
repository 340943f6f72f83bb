"""How is a machine asked whether it is well? The port, and one probe a file beside it."""
