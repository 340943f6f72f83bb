"""May this machine go down now? The one rule, and who stands in its way."""
