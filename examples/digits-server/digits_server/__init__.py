"""A model server for handwritten digits: what Headgate releases in its demonstration and tests."""
