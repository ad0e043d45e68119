"""What hangs together: clusters of the network and of phases, what is dead in them, and the lowest barrier that still spans."""
