"""The grain contact graph: pieces of grains, the contacts between them, and files of both."""
