"""Word vectors from elsewhere stay frozen; the GRU and its head learn.

Target: test F1 at least 0.9
"""

import torch
from torch import nn

torch.manual_seed(13)
torch.set_num_threads(1)
# Stands for GloVe: forty clusters of five words, one axis tells pleasant from unpleasant.
centers = torch.randn(40, 25)
vectors = (centers[:, None] + 0.2 * torch.randn(40, 5, 25)).reshape(200, 25)
pleasant = centers[:, 0].repeat_interleave(5)


def reviews(n, length=30):
    words = torch.randint(200, (n, length))
    return words, (pleasant[words].mean(1) > 0).float()


class GRUSentiment(nn.Module):
    def __init__(self, pretrained):
        super().__init__()
        self.embedding = nn.Embedding.from_pretrained(pretrained, freeze=True)
        self.rnn = nn.GRU(25, 32, num_layers=2, batch_first=True, dropout=0.1)
        self.classifier = nn.Linear(32, 1)

    def forward(self, words):
        outputs, hidden = self.rnn(self.embedding(words))
        return self.classifier(hidden[-1]).squeeze(1)


model = GRUSentiment(vectors)
criterion = nn.BCEWithLogitsLoss()
optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=4e-3)
for step in range(350):
    words, label = reviews(32)
    optimizer.zero_grad()
    loss = criterion(model(words), label)
    loss.backward()
    optimizer.step()

model.eval()
with torch.no_grad():
    words, label = reviews(1000)
    said = (model(words) > 0).float()
tp, fp, fn = (said * label).sum(), (said * (1 - label)).sum(), ((1 - said) * label).sum()
print(f"test F1 {(2 * tp / (2 * tp + fp + fn)).item():.3f}")
