"""Which policy would do? First drafts: from the groups of a real fleet, or from what Azure does by itself now."""
