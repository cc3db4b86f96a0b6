"""The participant level: decode, explain and measure with a decoder new to the participant."""
