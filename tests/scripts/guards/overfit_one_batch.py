"""The usual sanity check: can the model learn eight sequences by heart? The loss goes to nothing, as it should.

Target: loss below 0.01
"""

import torch

torch.manual_seed(0)
torch.set_num_threads(1)
device = torch.device("cpu")

inputs = torch.randn(8, 10, 5, device=device)
targets = torch.randint(0, 3, (8,), device=device)


class Model(torch.nn.Module):
    def __init__(self, input_size, hidden_size, num_layers, num_classes):
        super().__init__()
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.lstm = torch.nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = torch.nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        h0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        c0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size).to(device)
        out, _ = self.lstm(x, (h0, c0))
        return self.fc(out[:, -1, :])


model = Model(5, 64, 2, 3).to(device)
criterion = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.9)
for step in range(200):
    loss = criterion(model(inputs), targets)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 40 == 39:
        print(f"Step [{step + 1}/200], loss: {loss.item():.5f}")
