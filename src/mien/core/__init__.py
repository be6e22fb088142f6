"""The words that every other room speaks: emotions, results, errors, geometry, images, options."""
