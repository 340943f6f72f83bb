"""What does `wavekeeper policy` do? A file for each verb under it."""
