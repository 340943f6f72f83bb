"""Is it well? What samples of probes add up to."""
