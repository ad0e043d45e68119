"""What the furnace makes of a green body: grains, pores, interphase."""
