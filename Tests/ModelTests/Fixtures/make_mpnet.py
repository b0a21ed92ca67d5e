"""Makes the MPNet fixtures: pip install torch transformers tokenizers; python make_mpnet.py

mpnet.*: two layers with seeded random weights, its tokenizer, and what transformers and tokenizers say
of some texts. With the directory of all-mpnet-base-v2 as argument also mpnet-base.*, of the real one.
"""
import json, sys
from pathlib import Path
import tokenizers, torch
from safetensors.torch import save_file
from transformers import MPNetConfig, MPNetModel

here = Path(__file__).parent
TEXTS = [
    ("the cats sat on the mat.", None), ("The CAT sat", "on mats, not here"), ("", None), ("", ""),
    ("a  <mask> b", None), ("x <UNK> y<unk>z <s> [PAD] <pad></s> [UNK]", None),
    ("Ünkn\u00f6wn w\u0303ords 猫 and\u00a0more", "caf\u00e9"), ("<mask><mask> <mask>", "<MASK>"),
    ("cats" * 40, "the mat " * 30), ("<Unk>", None), ("don't (stop)", "1,000.5"),
]


def vocabulary():
    words = "the cat sat on mat not here a b x y z and more unk known cafe words ord w".split()
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1) if chr(c) not in words]
    marks = list(".,'()[]<>!15#猫")
    pieces = ["##" + p for p in ["s", "at", "known", "ords"] + [chr(c) for c in range(97, 123) if c != 115]]
    digits = ["0", "##0", "##00"]
    return ["<s>", "<pad>", "</s>", "<unk>", "[PAD]", "[UNK]"] + words + letters + marks + digits + pieces + ["<mask>"]


def tokenizer(words):
    model = tokenizers.models.WordPiece(
        {word: i for i, word in enumerate(words)}, unk_token="[UNK]", max_input_chars_per_word=100)
    made = tokenizers.Tokenizer(model)
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    made.post_processor = tokenizers.processors.RobertaProcessing(
        ("</s>", 2), ("<s>", 0), trim_offsets=True, add_prefix_space=False)
    token = tokenizers.AddedToken
    made.add_special_tokens(
        [token(t, normalized=False) for t in ["<s>", "<pad>", "</s>"]]
        + [token("<unk>", normalized=True), token("[UNK]", normalized=False)]
        + [token("<mask>", lstrip=True, normalized=False)])
    return made


def write_encodings(made, name, texts):
    with open(here / name, "w") as out:
        for text, pair in texts:
            for length in [None, 9]:
                made.no_truncation()
                if length:
                    made.enable_truncation(length, strategy="longest_first")
                e = made.encode(text, pair)
                row = {"text": text, "pair": pair, "max_length": length, "ids": e.ids, "type_ids": e.type_ids}
                # Bytes of the library are code points here: Python's strings are.
                row["offsets"] = e.offsets
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
    made.no_truncation()


def states(model, sequences):
    tensors = {}
    for i, ids in enumerate(sequences):
        with torch.no_grad():
            out = model(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)), output_hidden_states=True)
        for layer, state in enumerate(out.hidden_states):
            tensors[f"{i}.{layer}"] = state[0].clone()
    return tensors


def small():
    torch.manual_seed(7)
    words = vocabulary()
    config = MPNetConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32, max_position_embeddings=202, hidden_act="gelu", layer_norm_eps=1e-5,
        architectures=["MPNetModel"])
    model = MPNetModel(config, add_pooling_layer=False).eval()
    model.set_attn_implementation("eager")
    for name, p in model.named_parameters():
        scale = 1.0 if "relative" in name else 0.3
        p.data = torch.randn_like(p) * scale + (1 if name.endswith("LayerNorm.weight") else 0)
    save_file({k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}, here / "mpnet.safetensors")
    (here / "mpnet.config.json").write_text(json.dumps(json.loads(config.to_json_string()), indent=1, sort_keys=True) + "\n")
    made = tokenizer(words)
    made.save(str(here / "mpnet.tokenizer.json"))
    (here / "mpnet.vocab.txt").write_text("".join(w + "\n" for w in words))
    write_encodings(made, "mpnet.jsonl", TEXTS)
    torch.manual_seed(8)
    # No padding's id: there, transformers leaves a position out.
    sequences = [[0] + torch.randint(3, len(words), (n,)).tolist() + [2] for n in [1, 2, 5, 40, 198]]
    tensors = states(model, sequences)
    tensors |= {f"ids.{i}": torch.tensor(ids, dtype=torch.int32) for i, ids in enumerate(sequences)}
    distances = torch.arange(-600, 601)
    tensors["buckets"] = model.encoder.relative_position_bucket(distances).to(torch.int32)
    save_file(tensors, here / "mpnet.states.safetensors")


def large(directory):
    model = MPNetModel.from_pretrained(directory, attn_implementation="eager").eval()
    made = tokenizers.Tokenizer.from_file(directory + "/tokenizer.json")
    made.no_padding()
    made.no_truncation()
    lines = ["A fox jumps over the river.", "Interest rates rose again; markets fell.", "How do I reset my password?"]
    texts = [(line, None) for line in lines] + TEXTS[:10] + [(lines[0], lines[1])]
    write_encodings(made, "mpnet-base.jsonl", texts)
    all = states(model, [made.encode(line).ids for line in lines])
    tensors = {}
    for i in range(len(lines)):
        for layer in [0, 1, 6, 12] if i < 2 else [12]:
            tensors[f"{i}.{layer}"] = all[f"{i}.{layer}"]
    save_file(tensors, here / "mpnet-base.states.safetensors")


small()
if len(sys.argv) > 1:
    large(sys.argv[1])
