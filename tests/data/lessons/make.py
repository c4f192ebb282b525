#!/usr/bin/env python3
"""Writes residual-selu.onnx: SELUs with a sum around them, LeCun's weights, as PyTorch exports it."""
import pathlib

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3, self.fc4 = nn.Linear(16, 32), nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 4)
        for layer in self.children():
            nn.init.normal_(layer.weight, std=layer.in_features ** -0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        x = torch.selu(self.fc1(x))
        x = x + torch.selu(self.fc2(x))
        return self.fc4(torch.selu(self.fc3(x)))


torch.manual_seed(0)
torch.onnx.export(Residual(), torch.zeros(2, 16), str(pathlib.Path(__file__).with_name("residual-selu.onnx")), dynamo=False,
                  opset_version=17, input_names=["x"], output_names=["y"], dynamic_axes={"x": {0: "N"}, "y": {0: "N"}})
