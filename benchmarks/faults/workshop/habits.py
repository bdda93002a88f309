"""x"""
from ..habit import Habit
HABITS = (Habit("plain", {}),)
