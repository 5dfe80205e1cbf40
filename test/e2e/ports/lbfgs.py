"""Two LSTM cells that learn to continue sine waves, trained by L-BFGS, after PyTorch's example of time sequences."""
import torch
import torch.nn as nn
import torch.optim as optim


class Sequence(nn.Module):
    def __init__(self, hidden=10):
        super().__init__()
        self.hidden = hidden
        self.lstm1 = nn.LSTMCell(1, hidden)
        self.lstm2 = nn.LSTMCell(hidden, hidden)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, input, future=0):
        outputs = []
        h_t = torch.zeros(input.size(0), self.hidden, dtype=input.dtype, device=input.device)
        c_t = torch.zeros(input.size(0), self.hidden, dtype=input.dtype, device=input.device)
        h_t2 = torch.zeros(input.size(0), self.hidden, dtype=input.dtype, device=input.device)
        c_t2 = torch.zeros(input.size(0), self.hidden, dtype=input.dtype, device=input.device)

        for input_t in input.split(1, dim=1):
            h_t, c_t = self.lstm1(input_t, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        for i in range(future):
            h_t, c_t = self.lstm1(output, (h_t, c_t))
            h_t2, c_t2 = self.lstm2(h_t, (h_t2, c_t2))
            output = self.linear(h_t2)
            outputs += [output]
        return torch.cat(outputs, dim=1)


def main():
    torch.manual_seed(0)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    L, N = 20, 6
    x = torch.arange(L).float() + torch.randint(-4 * L, 4 * L, (N, 1)).float()
    data = torch.sin(x / 4.)
    input = data[3:, :-1].to(device)
    target = data[3:, 1:].to(device)
    test_input = data[:3, :-1].to(device)
    test_target = data[:3, 1:].to(device)

    seq = Sequence().to(device)
    criterion = nn.MSELoss()
    optimizer = optim.LBFGS(seq.parameters(), lr=0.2, max_iter=2, history_size=6)

    losses = []
    for i in range(30):
        def closure():
            optimizer.zero_grad()
            out = seq(input)
            loss = criterion(out, target)
            loss.backward()
            return loss
        losses.append(optimizer.step(closure).item())
        if (i + 1) % 10 == 0:
            with torch.no_grad():
                future = 5
                pred = seq(test_input, future=future)
                losses.append(criterion(pred[:, :-future], test_target).item())

    # A line search on a convex loss.
    head = nn.Linear(10, 1)
    features = torch.randn(32, 10)
    labels = features.pow(2).sum(1, keepdim=True)
    search = optim.LBFGS(head.parameters(), lr=1, max_iter=3, line_search_fn='strong_wolfe')
    for i in range(3):
        def closure():
            search.zero_grad()
            loss = nn.functional.smooth_l1_loss(head(features), labels)
            if loss.requires_grad:
                loss.backward()
            return loss
        losses.append(search.step(closure).item())
    return losses


if __name__ == '__main__':
    print(main())
