"""What would close the gap between the predicted and the published ratio."""
