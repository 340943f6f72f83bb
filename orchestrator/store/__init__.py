"""Where are facts kept? The journal's port, and its adapters beside it."""
