"""Triton's client over HTTP, with tensors as bytes, as it sends them by default."""

import json

from world import TEXTS, cell, near

TOLD = "`url` HOST:PORT, `headers`"


def ask(world, name, **more):
    import numpy
    import tritonclient.http as triton
    tensor = triton.InferInput("text", [len(TEXTS)], "BYTES")
    tensor.set_data_from_numpy(numpy.array(TEXTS, dtype=object))
    inputs = [tensor]
    if name == "scorer":
        pair = triton.InferInput("text_pair", [len(TEXTS)], "BYTES")
        pair.set_data_from_numpy(numpy.array(TEXTS[::-1], dtype=object))
        inputs.append(pair)
    client = triton.InferenceServerClient(world.url.removeprefix("http://"))
    return client.infer(name, inputs, headers={"Authorization": f"Bearer {world.key}"}, **more)


@cell("tritonclient", "is_server_live, is_server_ready, is_model_ready, get_model_metadata", TOLD)
def state(world):
    import tritonclient.http as triton
    client = triton.InferenceServerClient(world.url.removeprefix("http://"))
    headers = {"Authorization": f"Bearer {world.key}"}
    assert client.is_server_live() and client.is_server_ready()
    assert client.get_server_metadata()["name"] == "vbert"
    assert client.is_model_ready("topic", headers=headers)
    assert client.is_model_ready("topic", "1", headers=headers)
    assert not client.is_model_ready("nobody", headers=headers)
    model = client.get_model_metadata("topic", headers=headers)
    assert [output["name"] for output in model["outputs"]] == ["label", "scores"] and model["labels"] == ["a", "b"]


@cell("tritonclient", "infer: embed", TOLD)
def embed(world):
    answer = ask(world, "embedder")
    near(answer.as_numpy("embedding").tolist(), world.vectors)
    near(ask(world, "embedder", model_version="1").as_numpy("embedding").tolist(), world.vectors)
    near(ask(world, "embedder", request_compression_algorithm="gzip").as_numpy("embedding").tolist(), world.vectors)


@cell("tritonclient", "infer: classify", TOLD)
def classify(world):
    answer = ask(world, "topic")
    for text, label, scores in zip(TEXTS, answer.as_numpy("label"), answer.as_numpy("scores")):
        expected = world.labels(text)
        assert label.decode() == next(iter(expected))
        near(scores.tolist(), [expected["a"], expected["b"]])


@cell("tritonclient", "infer: score, an output in JSON", TOLD)
def score(world):
    import tritonclient.http as triton
    pairs = [[one, other] for one, other in zip(TEXTS, TEXTS[::-1])]
    expected = [item[0]["score"] for item in world.post("/predict", {"model": "scorer", "inputs": pairs})]
    near(ask(world, "scorer").as_numpy("scores")[:, 0].tolist(), expected)
    output = triton.InferRequestedOutput("scores", binary_data=False)
    near(ask(world, "scorer", outputs=[output]).as_numpy("scores")[:, 0].tolist(), expected)


@cell("tritonclient", "infer: tag", TOLD)
def tag(world):
    found = [json.loads(one) for one in ask(world, "tagger").as_numpy("tags")]
    assert found == world.post("/tag", {"model": "tagger", "inputs": TEXTS})
