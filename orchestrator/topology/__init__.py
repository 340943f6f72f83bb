"""What is the fleet? Machines and what they stand in, as one frozen graph with sorted answers."""
