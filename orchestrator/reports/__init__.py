"""How does it look? Values in, drawings and documents out: text or bytes, never a file."""
