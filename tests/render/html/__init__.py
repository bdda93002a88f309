"""The page: its structure, its charts, and what a browser makes of it."""
