"""The pictures of the page, made from a report: each with a summary and a table for those who do not see it."""
