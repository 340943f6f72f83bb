"""Where may probes and webhooks go? The rules, and connections that keep to them."""
