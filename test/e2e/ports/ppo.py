"""Proximal policy optimisation (Schulman and others, 2017) of a cart that is to stay in the middle of a track."""
import math

import torch
from torch import nn, optim
from torch.nn import functional as F


class CartEnv:
    """Several carts at once. The state is position and speed; the actions push left, do nothing, push right."""

    def __init__(self, num_envs):
        self.num_envs = num_envs
        self.state = torch.zeros(num_envs, 2)
        self.steps = torch.zeros(num_envs, dtype=torch.long)

    def reset(self):
        self.state = torch.rand(self.num_envs, 2) - 0.5
        self.steps.zero_()
        return self.state.clone()

    def step(self, action):
        push = (action - 1).float() * 0.125
        speed = self.state[:, 1] * 0.875 + push + 0.25 * self.state[:, 0]
        position = self.state[:, 0] + 0.25 * speed
        self.state = torch.stack([position, speed], dim=1)
        self.steps += 1
        reward = 1.0 - position.abs()
        done = (position.abs() > 1.5) | (self.steps >= 12)
        if done.any():
            fresh = torch.rand(self.num_envs, 2) - 0.5
            self.state = torch.where(done.unsqueeze(1), fresh, self.state)
            self.steps[done] = 0
        return self.state.clone(), reward, done


def layer_init(layer, std=math.sqrt(2), bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, observations=2, actions=3):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(observations, 16)),
            nn.Tanh(),
            layer_init(nn.Linear(16, 16)),
            nn.Tanh(),
            layer_init(nn.Linear(16, 1), std=1.0),
        )
        self.actor = nn.Sequential(
            layer_init(nn.Linear(observations, 16)),
            nn.Tanh(),
            layer_init(nn.Linear(16, 16)),
            nn.Tanh(),
            layer_init(nn.Linear(16, actions), std=0.01),
        )

    def get_value(self, x):
        return self.critic(x)

    def get_action_and_value(self, x, action=None):
        logits = F.log_softmax(self.actor(x), dim=-1)
        probs = logits.exp()
        if action is None:
            action = torch.multinomial(probs, 1).squeeze(-1)
        logprob = logits.gather(-1, action.unsqueeze(-1)).squeeze(-1)
        entropy = -(logits * probs).sum(-1)
        return action, logprob, entropy, self.critic(x)


def main():
    num_envs, num_steps, num_iterations, num_minibatches, update_epochs = 4, 20, 3, 5, 2
    learning_rate, gamma, gae_lambda, clip_coef, ent_coef, vf_coef, max_grad_norm = \
        2.5e-3, 0.99, 0.95, 0.2, 0.01, 0.5, 0.5
    batch_size = num_envs * num_steps
    minibatch_size = batch_size // num_minibatches

    torch.manual_seed(3)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    envs = CartEnv(num_envs)
    agent = Agent().to(device)
    optimizer = optim.Adam(agent.parameters(), lr=learning_rate, eps=1e-5)

    obs = torch.zeros((num_steps, num_envs, 2)).to(device)
    actions = torch.zeros((num_steps, num_envs), dtype=torch.long).to(device)
    logprobs = torch.zeros((num_steps, num_envs)).to(device)
    rewards = torch.zeros((num_steps, num_envs)).to(device)
    dones = torch.zeros((num_steps, num_envs)).to(device)
    values = torch.zeros((num_steps, num_envs)).to(device)

    losses = []
    next_obs = envs.reset().to(device)
    next_done = torch.zeros(num_envs).to(device)
    for iteration in range(1, num_iterations + 1):
        # Annealing the rate.
        frac = 1.0 - (iteration - 1.0) / num_iterations
        optimizer.param_groups[0]["lr"] = frac * learning_rate

        for step in range(num_steps):
            obs[step] = next_obs
            dones[step] = next_done
            with torch.no_grad():
                action, logprob, _, value = agent.get_action_and_value(next_obs)
                values[step] = value.flatten()
            actions[step] = action
            logprobs[step] = logprob
            next_obs, reward, done = envs.step(action.cpu())
            rewards[step] = reward.to(device).view(-1)
            next_obs, next_done = next_obs.to(device), done.float().to(device)

        # Generalised advantage estimation.
        with torch.no_grad():
            next_value = agent.get_value(next_obs).reshape(1, -1)
            advantages = torch.zeros_like(rewards).to(device)
            lastgaelam = 0
            for t in reversed(range(num_steps)):
                if t == num_steps - 1:
                    nextnonterminal = 1.0 - next_done
                    nextvalues = next_value
                else:
                    nextnonterminal = 1.0 - dones[t + 1]
                    nextvalues = values[t + 1]
                delta = rewards[t] + gamma * nextvalues * nextnonterminal - values[t]
                advantages[t] = lastgaelam = delta + gamma * gae_lambda * nextnonterminal * lastgaelam
            returns = advantages + values

        b_obs = obs.reshape((-1, 2))
        b_logprobs = logprobs.reshape(-1)
        b_actions = actions.reshape(-1)
        b_advantages = advantages.reshape(-1)
        b_returns = returns.reshape(-1)
        b_values = values.reshape(-1)

        for epoch in range(update_epochs):
            b_inds = torch.randperm(batch_size)
            for start in range(0, batch_size, minibatch_size):
                mb_inds = b_inds[start:start + minibatch_size]
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb_inds], b_actions[mb_inds])
                logratio = newlogprob - b_logprobs[mb_inds]
                ratio = logratio.exp()

                mb_advantages = b_advantages[mb_inds]
                mb_advantages = (mb_advantages - mb_advantages.mean()) / (mb_advantages.std() + 1e-8)

                pg_loss1 = -mb_advantages * ratio
                pg_loss2 = -mb_advantages * torch.clamp(ratio, 1 - clip_coef, 1 + clip_coef)
                pg_loss = torch.max(pg_loss1, pg_loss2).mean()

                newvalue = newvalue.view(-1)
                v_loss_unclipped = (newvalue - b_returns[mb_inds]) ** 2
                v_clipped = b_values[mb_inds] + torch.clamp(newvalue - b_values[mb_inds], -clip_coef, clip_coef)
                v_loss_clipped = (v_clipped - b_returns[mb_inds]) ** 2
                v_loss = 0.5 * torch.max(v_loss_unclipped, v_loss_clipped).mean()

                entropy_loss = entropy.mean()
                loss = pg_loss - ent_coef * entropy_loss + v_loss * vf_coef

                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), max_grad_norm)
                optimizer.step()
                losses.append(loss.item())
        losses.append(rewards.mean().item())
    return losses


if __name__ == '__main__':
    print(main())
