"""How far wide embeddings of unit variance saturate gates at first, and whether that keeps a network from learning.

Command: python benchmarks/thresholds/wide_embeddings.py (some three minutes on one core). torch draws embeddings from
N(0, 1) and recurrent layers from U(-1/sqrt(H), 1/sqrt(H)), so that the sums of H units over embeddings of width I have
a standard deviation of sqrt(I / (3 H)): everyday scripts start with gates in their tails. Each network counts how many
of the last eight of twenty words are of one kind; beside it stands a twin whose embeddings are scaled to give sums of
standard deviation 0.5. Printed are the share of the worst gate that is saturated at first (as RD201 takes it) and the
accuracy on fresh sequences after 400 updates; at the end what forget biases of -2 to -8 do to both. The threshold of
RD201 is read from this table.
"""

import torch
from gates import saturated
from torch import nn

from rnn_doctor.capture.probe.recurrence.gates import layers
from rnn_doctor.capture.probe.recurrence.kernel import kernel_of, rows_of
from rnn_doctor.capture.probe.recurrence.replay import replay

VOCABULARY, TIME, COUNTED, BATCH, UPDATES = 1000, 20, 8, 32, 400
CELLS = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class Net(nn.Module):
    """Words (B, T) -> logits (B, 2)."""

    def __init__(self, cell: str, width: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, width)
        self.rnn = CELLS[cell](width, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 2)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        """The answer at the last step."""
        logits: torch.Tensor = self.head(self.rnn(self.embed(words))[0][:, -1])
        return logits


def batch(generator: torch.Generator, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Words, and whether more than half of the last eight are of the first kind."""
    words = torch.randint(VOCABULARY, (size, TIME), generator=generator)
    return words, (words[:, -COUNTED:] < VOCABULARY // 2).sum(1).gt(COUNTED // 2).long()


def run(cell: str, width: int, hidden: int, std: float, forget_bias: float = 0.0) -> tuple[float, float]:
    """Share of the worst gate that is saturated at first, and the accuracy at the end."""
    torch.manual_seed(0)
    net, generator = Net(cell, width, hidden), torch.Generator().manual_seed(1)
    with torch.no_grad():
        net.embed.weight.mul_(std)
        if forget_bias:
            net.rnn.bias_ih_l0[hidden : 2 * hidden] += forget_bias
        words, _ = batch(generator, 2)
        given = net.embed(words)
        kernel = kernel_of(net.rnn)
        assert kernel is not None
        rows = rows_of(net.rnn, kernel, given, None, net.rnn(given), 2)
        share = saturated(layers(replay(kernel, rows), None)[0])
    optimizer = torch.optim.Adam(net.parameters(), 3e-3)
    for _ in range(UPDATES):
        words, kind = batch(generator, BATCH)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(words), kind).backward()
        optimizer.step()
    with torch.no_grad():
        words, kind = batch(generator, 1000)
        return share, float((net(words).argmax(1) == kind).float().mean())


def main() -> None:
    """The table."""
    torch.set_num_threads(1)
    for width, hidden in ((300, 8), (300, 16), (300, 32), (300, 64), (100, 8), (100, 32), (30, 2)):
        for cell in CELLS:
            sums = (width / (3 * hidden)) ** 0.5
            plain, twin = run(cell, width, hidden, 1.0), run(cell, width, hidden, 0.5 / sums)
            print(
                f"I {width:3} H {hidden:2} {cell:4}  sums {sums:.1f}  saturated {plain[0]:.2f}  "
                f"accuracy {plain[1]:.2f}  twin {twin[0]:.2f} {twin[1]:.2f}",
                flush=True,
            )
    for bias in (-2.0, -3.0, -4.0, -6.0, -8.0):
        share, accuracy = run("LSTM", 32, 32, 0.3, bias)
        print(f"LSTM forget bias {bias:4.0f}  saturated {share:.2f}  accuracy {accuracy:.2f}", flush=True)


if __name__ == "__main__":
    main()
