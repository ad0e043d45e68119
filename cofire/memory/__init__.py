"""How much memory a calculation takes, said before it is taken: what the machine has, estimates, refusals."""
