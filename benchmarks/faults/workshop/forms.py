"""x"""
from ..form import Form
FORMS: dict[str, tuple[Form, ...]] = {}
