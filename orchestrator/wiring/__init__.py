"""Which parts are put together? The one place that names adapters, and reads files for the core."""
