"""What people look at: structures in three dimensions and plots of what they conduct.

`import viz` is light: pyvista and matplotlib load when the first picture is drawn.
"""

from viz.plots import arrhenius, estimators, msd, save, scenarios, waterfall
from viz.scene import from_image_data, render, render_pair, to_image_data
from viz.window import Picture, show

__all__ = [
    "Picture",
    "arrhenius",
    "estimators",
    "from_image_data",
    "msd",
    "render",
    "render_pair",
    "save",
    "scenarios",
    "show",
    "to_image_data",
    "waterfall",
]
