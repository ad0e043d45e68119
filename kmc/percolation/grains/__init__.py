"""What grains resist between their contacts, and the conductivity of the graph that follows."""
