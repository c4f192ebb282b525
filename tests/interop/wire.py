"""The bytes of an .onnx outside the payloads of some tensors, by walking the wire format itself.

No protobuf library takes part: what it would normalise away (field order, padded varints, unknown fields) is what
must not change.
"""
GRAPH, NODE, INITIALIZER = 7, 1, 5              # ModelProto.graph, GraphProto.node, GraphProto.initializer
OUTPUT, ATTRIBUTE, TENSOR = 2, 5, 5             # NodeProto.output, NodeProto.attribute, AttributeProto.t
FLOAT, FLOATS = 2, 7                            # AttributeProto.f, AttributeProto.floats
NAME, PAYLOADS = 8, {4: "float_data", 5: "int32_data", 9: "raw_data", 10: "double_data"}  # of TensorProto


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(number, wire type, start of the tag, start of the value, end) of each field in order."""
    at = 0
    while at < len(data):
        start = at
        tag, at = varint(data, at)
        kind, length = tag & 7, None
        if kind == 0:
            _, end = varint(data, at)
        elif kind in (1, 5):
            end = at + (8 if kind == 1 else 4)
        elif kind == 2:
            length, at = varint(data, at)
            end = at + length
        else:
            raise ValueError(f"wire type {kind} at {start}")
        if end > len(data):
            raise ValueError(f"field at {start} runs over the end")
        yield tag >> 3, kind, start, at, end
        at = end


def outside(data, names):
    """Nested list of all that stands outside the payloads of the tensors named; lengths that enclose one are left out."""
    return [graph(data[value:end], names) if number == GRAPH and kind == 2 else data[start:end]
            for number, kind, start, value, end in fields(data)]


def graph(data, names):
    parts = []
    for number, kind, start, value, end in fields(data):
        body = data[value:end]
        if kind == 2 and number == INITIALIZER and text(body, NAME) in names:
            parts.append(tensor(body))
        elif kind == 2 and number == NODE and text(body, OUTPUT) in names:
            parts.append(constant(body))
        else:
            parts.append(data[start:end])
    return parts


def constant(data):
    """A Constant node: its tensors' payloads left out, and its value_float(s)."""
    parts = []
    for number, kind, start, value, end in fields(data):
        if number == ATTRIBUTE and kind == 2:
            body = data[value:end]
            parts.append([tensor(body[v:e]) if n == TENSOR and k == 2 else "floats" if n in (FLOAT, FLOATS) else body[s:e]
                          for n, k, s, v, e in fields(body)])
        else:
            parts.append(data[start:end])
    return parts


def tensor(data):
    return [PAYLOADS[number] if number in PAYLOADS else data[start:end] for number, _, start, _, end in fields(data)]


def text(data, wanted):
    """The first string field of that number."""
    for number, kind, _, value, end in fields(data):
        if number == wanted and kind == 2:
            return data[value:end].decode("utf-8", "replace")
    return ""
