"""The fine-tuned network as a small file for the run time: ONNX, layers fused, weights in 8 bits."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from torch import Tensor, nn

from models.training.finetune import Network


class _Embedder(nn.Module):
    """Token ids of one window (1, tokens) -> embedding (1, hidden); no mask, since nothing is padded."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.network.embed(ids, mask)


def to_onnx(network: Network) -> bytes:
    """The encoder with inputs `ids` and `mask` (1, tokens) and output `embedding` (1, hidden), weights in int8."""
    network.eval()
    config = network.encoder.config
    sample = torch.ones((1, 12), dtype=torch.long)
    with tempfile.TemporaryDirectory() as folder:
        plain, fused, small = (str(Path(folder) / name) for name in ("plain.onnx", "fused.onnx", "small.onnx"))
        torch.onnx.export(
            _Embedder(network).eval(), (sample, sample), plain, input_names=["ids", "mask"],
            output_names=["embedding"], dynamic_axes={"ids": {1: "tokens"}, "mask": {1: "tokens"}},
            opset_version=17, dynamo=False,
        )  # fmt: skip
        model = optimizer.optimize_model(
            plain, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size
        )
        model.save_model_to_file(fused)
        known = {"DefaultTensorType": TensorProto.FLOAT}  # the fused nodes say nothing of their types
        quantize_dynamic(fused, small, weight_type=QuantType.QInt8, per_channel=True, extra_options=known)
        return Path(small).read_bytes()


def tokenizer_file(base: Path) -> bytes:
    """The tokenizer of the base without padding or truncation, as compact JSON."""
    facts = json.loads((base / "tokenizer.json").read_text(encoding="utf-8"))
    facts["padding"] = facts["truncation"] = None
    return json.dumps(facts, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
