"""Which keys does a test of policies have, and what does each mean? Checked as strictly as policies are."""
