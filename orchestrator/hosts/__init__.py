"""Where does a rollout live? The loops that drive the pure core."""
