"""Small networks made of Values."""
