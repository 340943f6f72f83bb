"""The long-running service: follows policies in git, opens rollouts when they are due, and drives them for as long as it takes."""
