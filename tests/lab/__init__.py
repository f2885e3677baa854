"""The fault laboratory: each code of the doctor provoked for real, named, and healed with the remedy as printed."""
