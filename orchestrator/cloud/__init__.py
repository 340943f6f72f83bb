"""Which cloud does the work, and what does it answer? The port, and its adapters beside it."""
