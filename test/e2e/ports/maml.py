"""Model-agnostic meta-learning (Finn and others, 2017): sine waves from ten points, second derivatives through two
inner steps."""
import math

import torch
from torch import nn
from torch.nn import functional as F


class Learner(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.vars = nn.ParameterList()
        for out_features, in_features in [(hidden, 1), (hidden, hidden), (1, hidden)]:
            w = nn.Parameter(torch.ones(out_features, in_features))
            torch.nn.init.kaiming_normal_(w)
            self.vars.append(w)
            self.vars.append(nn.Parameter(torch.zeros(out_features)))

    def forward(self, x, vars=None):
        if vars is None:
            vars = self.vars
        x = F.relu(F.linear(x, vars[0], vars[1]))
        x = F.relu(F.linear(x, vars[2], vars[3]))
        return F.linear(x, vars[4], vars[5])


def sample_task(k):
    amplitude = torch.empty(1).uniform_(0.5, 2.0)
    phase = torch.empty(1).uniform_(0, math.pi)
    x = torch.rand(2 * k, 1) * 4 - 2
    y = amplitude * torch.sin(x + phase)
    return x[:k], y[:k], x[k:], y[k:]


def main():
    update_lr, meta_lr, update_step, task_num = 0.005, 2e-3, 2, 4
    torch.manual_seed(222)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    net = Learner().to(device)
    meta_optim = torch.optim.Adam(net.parameters(), lr=meta_lr)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(meta_optim, T_max=30, eta_min=1e-4)

    losses = []
    for step in range(30):
        losses_q = [0 for _ in range(update_step + 1)]
        for i in range(task_num):
            x_spt, y_spt, x_qry, y_qry = [t.to(device) for t in sample_task(10)]

            loss = F.mse_loss(net(x_spt), y_spt)
            grad = torch.autograd.grad(loss, net.parameters(), create_graph=True)
            fast_weights = list(map(lambda p: p[1] - update_lr * p[0], zip(grad, net.parameters())))

            with torch.no_grad():
                losses_q[0] += F.mse_loss(net(x_qry), y_qry)
            losses_q[1] += F.mse_loss(net(x_qry, fast_weights), y_qry)

            for k in range(1, update_step):
                loss = F.mse_loss(net(x_spt, fast_weights), y_spt)
                grad = torch.autograd.grad(loss, fast_weights, create_graph=True)
                fast_weights = list(map(lambda p: p[1] - update_lr * p[0], zip(grad, fast_weights)))
                losses_q[k + 1] += F.mse_loss(net(x_qry, fast_weights), y_qry)

        loss_q = losses_q[-1] / task_num
        meta_optim.zero_grad()
        loss_q.backward()
        meta_optim.step()
        scheduler.step()
        losses.append((losses_q[0] / task_num).item())
        losses.append(loss_q.item())
    return losses


if __name__ == '__main__':
    print(main())
