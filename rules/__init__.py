"""The rulebook: one TOML file a rule (`RDxxx-name.toml`), one a remedy (`remedies/<id>.toml`).

Shipped as the package `rnn_doctor.rules`; `rnn-doctor schema rule` prints what a file may hold.
"""
