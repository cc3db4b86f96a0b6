"""A number of each participant, such as the age, decoded instead of classes."""
