"""Static charts in SVG that fit any width: scales, lines, heat maps, rows. They know nothing of reports."""
