"""Part of the fault bench whose mistakes were reported in public: forms.py names where."""
