"""What does all of it look like at once? A company that doesn't exist, patched on an emulator, and a bad update stopped."""
