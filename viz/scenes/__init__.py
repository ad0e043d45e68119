"""Pictures in three dimensions: structures, fields, graphs and ways of carriers."""
