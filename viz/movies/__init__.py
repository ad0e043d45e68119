"""Things that move: a pair of grains through press and furnace, carriers that hop."""
