"""Stories about the product, told to real databases through its front doors."""
