"""What next? The pure decider of a rollout: messages in, facts out, and what is due after them."""
