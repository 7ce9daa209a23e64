"""Measuring recommenders: what they may learn from, what they are asked for, and how well and fast they answer."""

from .protocol import Measured, evaluate
from .task import Task, task_by_time, task_from_arrays, task_hidden, task_of

__all__ = ["Measured", "Task", "evaluate", "task_by_time", "task_from_arrays", "task_hidden", "task_of"]
