"""The web product, on Django: pages, a REST service and its operation. Django lives here only."""
