"""Writing a neural network as an ONNX file: the few fields of its protocol buffers that one needs.

Field numbers are those of onnx.proto3 (github.com/onnx/onnx); the wire format is protobuf's.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

FLOAT, INT8, INT64 = 1, 3, 7  # TensorProto.DataType
CONTRIBUTED = "com.microsoft"  # onnxruntime's own operators, in every build of it
_IR_VERSION, _OPSET, _CONTRIBUTED_OPSET = 8, 17, 1
_INTS, _AN_INT, _A_FLOAT = 7, 2, 1  # AttributeProto.AttributeType


class Graph:
    """A network in the making: each method adds something and returns the name by which it is used."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: list[bytes] = []

    def constant(self, kind: int, shape: Sequence[int], raw: bytes) -> str:
        """A tensor of that type and shape, whose numbers are ``raw``, little-endian."""
        name = f"c{len(self._constants)}"
        sizes = b"".join(_number(1, size) for size in shape)
        self._constants.append(sizes + _number(2, kind) + _bytes(8, name.encode()) + _bytes(9, raw))
        return name

    def apply(
        self, operator: str, *inputs: str, domain: str = "", **attributes: float | Sequence[int]
    ) -> str:
        """The only output of an operator; an input that is left out is ""."""
        return self.apply_all(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def apply_all(
        self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: float | Sequence[int]
    ) -> list[str]:
        """The ``outputs`` outputs of an operator."""
        names = [f"n{len(self._nodes)}.{number}" for number in range(outputs)]
        self._nodes.append(
            b"".join(_bytes(1, name.encode()) for name in inputs)
            + b"".join(_bytes(2, name.encode()) for name in names)
            + _bytes(4, operator.encode())
            + b"".join(_bytes(5, _attribute(name, value)) for name, value in attributes.items())
            + _bytes(7, domain.encode())
        )
        return names

    def file(self, given: tuple[str, Sequence[str | int]], result: tuple[str, Sequence[str | int]]) -> bytes:
        """The whole file; name and shape of the input and of the output, where a text is a free size."""
        graph = (
            *(_bytes(1, node) for node in self._nodes),
            _bytes(2, b"graph"),
            *(_bytes(5, constant) for constant in self._constants),
            _bytes(11, _floats(*given)),
            _bytes(12, _floats(*result)),
        )
        return (
            _number(1, _IR_VERSION)
            + _bytes(7, b"".join(graph))
            + _bytes(8, _bytes(1, b"") + _number(2, _OPSET))
            + _bytes(8, _bytes(1, CONTRIBUTED.encode()) + _number(2, _CONTRIBUTED_OPSET))
        )


def _attribute(name: str, value: float | Sequence[int]) -> bytes:
    start = _bytes(1, name.encode())
    if isinstance(value, float):
        return start + _varint(2 << 3 | 5) + struct.pack("<f", value) + _number(20, _A_FLOAT)
    if isinstance(value, int):
        return start + _number(3, value) + _number(20, _AN_INT)
    return start + b"".join(_number(8, one) for one in value) + _number(20, _INTS)


def _floats(name: str, shape: Iterable[str | int]) -> bytes:
    """ValueInfoProto: a tensor of floats."""
    sizes = (_number(1, size) if isinstance(size, int) else _bytes(2, size.encode()) for size in shape)
    kind = _number(1, FLOAT) + _bytes(2, b"".join(_bytes(1, size) for size in sizes))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, kind))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value & (1 << 64) - 1)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    groups = []
    while value > 0x7F:
        groups.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*groups, value))
