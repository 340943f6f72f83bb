"""In what order? Rules become constraints, constraints become lanes of waves, and each says why."""
