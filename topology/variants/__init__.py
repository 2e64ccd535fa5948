"""Known-bad designs: the service's programs with one decision made wrongly. The harness must find each of them out."""
