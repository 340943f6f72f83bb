"""Wavekeeper: rollouts that never take down more than a fleet can spare."""
