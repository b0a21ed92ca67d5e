"""Makes types.safetensors, beside this file, with the reference library (0.8).

pip install numpy safetensors; python make_types.py
"""

import pathlib

import numpy as np
from safetensors import TensorSpec, serialize_file

VALUES = np.array(
    [0, -0.0, 1, -1.5, 65504, 6e-8, np.inf, -np.inf, 0.333251953125], dtype=np.float32
)

KEPT = []  # the spec holds an address only


def bf16(x: np.ndarray) -> np.ndarray:
    """Rounds to nearest even; no NaN here."""
    bits = x.view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def tensor(dtype: str, array: np.ndarray) -> TensorSpec:
    KEPT.append(array)
    return TensorSpec(
        dtype=dtype, shape=array.shape, data_ptr=array.ctypes.data, data_len=array.nbytes
    )


tensors = {
    "f32": tensor("float32", VALUES.reshape(3, 3)),
    "f16": tensor("float16", VALUES.astype(np.float16)),
    "bf16": tensor("bfloat16", bf16(VALUES)),
    "f64": tensor("float64", np.array([1.0])),
    "i64": tensor("int64", np.array([0, -1, 2**63 - 1, -(2**63), 2**53], dtype=np.int64)),
    "i32": tensor("int32", np.array([7, -(2**31), -3], dtype=np.int32)),
    "u8": tensor("uint8", np.array([0, 255], dtype=np.uint8)),
    "scalar": tensor("float32", np.array(2.5, dtype=np.float32)),
    "empty": tensor("float32", np.zeros((0, 4), dtype=np.float32)),
}
target = pathlib.Path(__file__).parent / "types.safetensors"
serialize_file(tensors, str(target), {"format": "pt", 'quote"': "line\nfeed é"})
