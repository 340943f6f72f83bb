"""What would happen? Whole rollouts in virtual time, against an emulated cloud."""
