"""The pictures of the reports. Importing anything here loads matplotlib, so reports import it only when they draw."""
