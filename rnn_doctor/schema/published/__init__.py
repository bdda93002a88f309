"""The published JSON Schemas, generated from the models (`make generate`)."""
