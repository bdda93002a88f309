"""What goes wrong, said so that the user knows what to do. Only `cli/__init__.py` catches these."""


class DoctorError(Exception):
    """A message (what and where), a hint (what to do), and the exit code it ends in."""

    exit_code = 2

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class SettingsError(DoctorError):
    """An option or a key of `[tool.rnn-doctor]` is wrong."""


class RulebookError(DoctorError):
    """A rule or remedy file is wrong."""


class RunLogError(DoctorError):
    """A run log cannot be read."""


class ScriptError(DoctorError):
    """The user's script failed, or trained too little to judge."""

    exit_code = 3


class ReportError(DoctorError):
    """A stored report cannot be read."""
