from django.db import models


class NumberSeries(models.Model):
    """The last number given out in a series and year; taking the next one locks the row until the commit."""

    prefix = models.CharField(max_length=10)
    year = models.PositiveIntegerField()
    last = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prefix", "year"], name="number_series_once")]

    def __str__(self) -> str:
        return f"{self.prefix}-{self.year}-{self.last:06d}"
