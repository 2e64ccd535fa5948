"""Base stations: whether there is a signal where somebody stands, while an area has no power and afterwards.

They are a model, the only part of the world that is one: no radio waves are sent here. What it says is enforced where
handsets are played: without a signal nothing leaves them.
"""
