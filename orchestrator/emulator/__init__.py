"""What would Azure Resource Manager answer, and what became of the machines? An emulator, and the witness of every run."""
