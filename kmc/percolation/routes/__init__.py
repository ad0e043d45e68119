"""Ways through a structure: the easiest, the shortest, and what cuts them."""
