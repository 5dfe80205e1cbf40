"""Knowledge distillation (Hinton and others, 2015): a teacher is trained, stored and loaded; a student learns from its
logits and features."""
import io

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.utils.data import DataLoader, Dataset


class BasicBlock(nn.Module):
    def __init__(self, in_planes, planes, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_planes, planes, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(planes)
        self.conv2 = nn.Conv2d(planes, planes, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(planes)
        self.shortcut = nn.Sequential()
        if stride != 1 or in_planes != planes:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_planes, planes, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(planes),
            )

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += self.shortcut(x)
        return F.relu(out)


class Teacher(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.in_planes = 8
        self.conv1 = nn.Conv2d(1, 8, kernel_size=3, stride=1, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = self._make_layer(8, 2, stride=1)
        self.layer2 = self._make_layer(16, 1, stride=2)
        self.linear = nn.Linear(16, num_classes)

    def _make_layer(self, planes, num_blocks, stride):
        strides = [stride] + [1] * (num_blocks - 1)
        layers = []
        for stride in strides:
            layers.append(BasicBlock(self.in_planes, planes, stride))
            self.in_planes = planes
        return nn.Sequential(*layers)

    def forward(self, x):
        out = F.relu(self.bn1(self.conv1(x)))
        out = self.layer1(out)
        out = self.layer2(out)
        out = F.avg_pool2d(out, 4)
        out = out.view(out.size(0), -1)
        return self.linear(out)


class Student(nn.Module):
    def __init__(self, num_classes=4):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 16, 3, padding=1),
            nn.Hardswish(),
            nn.AdaptiveAvgPool2d((1, 1)),
        )
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.1), nn.Linear(16, num_classes))

    def forward(self, x):
        return self.classifier(self.features(x))


class Stripes(Dataset):
    """Stripes of four directions, with noise."""

    def __init__(self, count):
        y, x = torch.meshgrid(torch.arange(8.), torch.arange(8.), indexing='ij')
        directions = torch.stack([x, y, x + y, x - y])
        self.labels = torch.randint(0, 4, (count,))
        self.images = (torch.sin(directions[self.labels] * 1.5) + 0.5 * torch.randn(count, 8, 8)).unsqueeze(1)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index].item()


def accuracy(model, loader, device):
    model.eval()
    correct = total = 0
    with torch.no_grad():
        for inputs, labels in loader:
            inputs, labels = inputs.to(device), labels.to(device)
            _, predicted = torch.max(model(inputs).data, 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    model.train()
    return correct / total


def main():
    torch.manual_seed(8)
    device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    train_loader = DataLoader(Stripes(60), batch_size=12, shuffle=True)
    test_loader = DataLoader(Stripes(32), batch_size=16, shuffle=False)
    losses = []

    teacher = Teacher().to(device)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
    optimizer = optim.SGD(teacher.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    scheduler = optim.lr_scheduler.MultiStepLR(optimizer, milestones=[2], gamma=0.1)
    for epoch in range(3):
        for inputs, labels in train_loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            loss = criterion(teacher(inputs), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
    losses.append(accuracy(teacher, test_loader, device))

    buffer = io.BytesIO()
    torch.save(teacher.state_dict(), buffer)
    buffer.seek(0)
    teacher = Teacher().to(device)
    teacher.load_state_dict(torch.load(buffer))
    teacher.eval()
    for param in teacher.parameters():
        param.requires_grad_(False)

    student = Student().to(device)
    hidden = {}
    teacher.layer2.register_forward_hook(
        lambda module, args, output: hidden.__setitem__('teacher', output.mean(dim=(2, 3))))
    student.features.register_forward_hook(
        lambda module, args, output: hidden.__setitem__('student', output.flatten(1)))

    T, soft_target_loss_weight, ce_loss_weight = 2, 0.25, 0.75
    ce_loss = nn.CrossEntropyLoss()
    cosine_loss = nn.CosineEmbeddingLoss()
    kl_loss = nn.KLDivLoss(reduction='batchmean', log_target=True)
    optimizer = optim.AdamW(student.parameters(), lr=1e-2)
    student.train()
    for epoch in range(3):
        for inputs, labels in train_loader:
            inputs, labels = inputs.to(device), labels.to(device)
            optimizer.zero_grad()
            with torch.no_grad():
                teacher_logits = teacher(inputs)
            student_logits = student(inputs)
            soft_targets = F.log_softmax(teacher_logits / T, dim=-1)
            soft_prob = F.log_softmax(student_logits / T, dim=-1)
            soft_targets_loss = kl_loss(soft_prob, soft_targets) * (T ** 2)
            hidden_loss = cosine_loss(
                hidden['student'], hidden['teacher'], target=torch.ones(inputs.size(0)).to(device))
            label_loss = ce_loss(student_logits, labels)
            loss = soft_target_loss_weight * soft_targets_loss + ce_loss_weight * label_loss + 0.1 * hidden_loss
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    losses.append(accuracy(student, test_loader, device))
    return losses


if __name__ == '__main__':
    print(main())
