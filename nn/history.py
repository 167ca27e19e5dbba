"""What happened in a run of `fit`: the curves, and where it met inf or nan."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass
class History:
    """What happened in a run of `fit`.

    Attributes:
        loss: for each epoch the mean loss of its samples, as they were met during the epoch (and so, of gradient
            descent on all samples, before its step).
        metric: for each epoch the accuracy, or of a regression the mean absolute error, after the epoch; or the metric
            that was asked for.
        metric_name: which; "" for a loss of one's own without one.
        validation_loss, validation_metric: the same of samples that are not trained on, after each epoch; none where
            there are none.
        best_epoch: of a run with early stopping, the number from 0 of the epoch whose parameters the model has.
        seconds: how long the run took, with what was compiled for it.
        resumable: what `fit(resume=history)` needs beside the parameters: the state of the optimizers and of the order.
        backend: what computed the gradients.
        interrupted: whether Ctrl-C ended it.
    """

    loss: list[float] = field(default_factory=list)
    metric: list[float] = field(default_factory=list)
    metric_name: str = ""
    validation_loss: list[float] = field(default_factory=list)
    validation_metric: list[float] = field(default_factory=list)
    best_epoch: int | None = None
    seconds: float = 0.0
    backend: str = ""
    interrupted: bool = False
    resumable: Any = field(default=None, repr=False, compare=False)

    def cut_to_whole_epochs(self, validated: bool) -> None:
        """Forget what is known of an epoch that Ctrl-C or a number that is not finite has cut short."""
        curves = [self.loss] + [self.metric] * bool(self.metric_name)
        if validated:
            curves += [self.validation_loss] + [self.validation_metric] * bool(self.metric_name)
        whole = min(map(len, curves))
        for curve in curves:
            del curve[whole:]

    def plot(self) -> "Figure":
        """The loss and the metric by epoch, as a matplotlib figure."""
        from nn.plots import loss_curve

        return loss_curve(self)


class NonFiniteError(ArithmeticError):
    """Training met inf or nan. `history` has the epochs before; the model has its last good parameters."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.history)  # so that it comes through a process pool
