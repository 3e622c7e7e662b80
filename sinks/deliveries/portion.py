"""How many messages a provider is handed at a time: by what it carried before."""

from __future__ import annotations


class Portion:
    """One provider's. A batch that was not all begun in time makes the next as small as what was begun of
    it; one that was over within a third of the time lets the next be twice as large.

    >>> portion = Portion(200)
    >>> portion.learn(200, 40, 30.0, 30.0), portion.size
    (None, 40)
    >>> portion.learn(40, 40, 28.0, 30.0), portion.size, portion.learn(40, 40, 4.0, 30.0), portion.size
    (None, 40, None, 80)
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.size = most

    def learn(self, handed: int, begun: int, seconds: float, time: float) -> None:
        """Take in how a batch went: messages handed over and begun, how long it took, and the time in which
        all should be begun.
        """
        if begun < handed:
            self.size = max(1, min(self.size, begun))
        elif seconds < time / 3 and handed >= self.size:
            self.size = min(self._most, self.size * 2)
