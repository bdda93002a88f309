"""The published schemas of what CI systems read, as check-jsonschema ships them."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema


def holds_against(name: str, path: Path) -> None:
    """Nothing, where a YAML file holds against the schema of this name."""
    content: Any = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))
    jsonschema.Draft7Validator(get_builtin_schema(f"vendor.{name}")).validate(content)
