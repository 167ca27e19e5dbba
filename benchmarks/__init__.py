"""Side by side with other libraries: what is measured, and README.md, into which the measurements are written."""
