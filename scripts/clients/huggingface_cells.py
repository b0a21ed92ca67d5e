"""Clients of Hugging Face's inference and of Text Embeddings Inference: they have an address and no model."""

from world import TEXTS, cell, near, refused

OWN = "`model` URL/m/NAME"


def client(world, name, key=None):
    from huggingface_hub import InferenceClient
    return InferenceClient(model=world.at(name), token=key or world.key)


@cell("huggingface_hub", "InferenceClient.feature_extraction", OWN)
def features(world):
    near(client(world, "embedder").feature_extraction(TEXTS[0]), world.vectors[:1])
    near(client(world, "embedder").feature_extraction(TEXTS), world.vectors)


@cell("huggingface_hub", "InferenceClient.feature_extraction", "`model` URL, a key with `--vbert`")
def features_by_key(world):
    from huggingface_hub import InferenceClient
    near(InferenceClient(model=world.url, token=world.bound["embedder"]).feature_extraction(TEXTS), world.vectors)


@cell("huggingface_hub", "AsyncInferenceClient.feature_extraction", OWN)
def features_at_once(world):
    import asyncio
    from huggingface_hub import AsyncInferenceClient

    async def ask():
        client = AsyncInferenceClient(model=world.at("embedder"), token=world.key)
        return await asyncio.gather(*[client.feature_extraction(text) for text in TEXTS])
    near([found[0] for found in asyncio.run(ask())], world.vectors)


@cell("huggingface_hub", "InferenceClient.sentence_similarity", OWN)
def similarity(world):
    found = client(world, "embedder").sentence_similarity(TEXTS[0], TEXTS)
    near(found, [sum(x * y for x, y in zip(world.vectors[0], other)) for other in world.vectors])


@cell("huggingface_hub", "InferenceClient.text_classification", OWN)
def labels(world):
    found = client(world, "topic").text_classification(TEXTS[0])
    expected = world.labels(TEXTS[0])
    assert [item.label for item in found] == list(expected)
    near([item.score for item in found], list(expected.values()))
    best = client(world, "topic").text_classification(TEXTS[0], top_k=1, function_to_apply="sigmoid")
    assert len(best) == 1 and best[0].label == found[0].label


@cell("huggingface_hub", "InferenceClient.token_classification", OWN)
def entities(world):
    text = "the cat sleeps in paris"
    found = client(world, "tagger").token_classification(text)
    expected = world.post("/tag", {"model": "tagger", "inputs": text})
    assert [(item.entity_group, item.start, item.end, item.word) for item in found] == [
        (item["entity_group"], item["start"], item["end"], item["word"]) for item in expected]
    words = client(world, "tagger").token_classification(text, aggregation_strategy="none")
    assert len(words) == 5


@cell("huggingface_hub", "InferenceClient.zero_shot_classification", OWN)
def zero_shot(world):
    return refused(
        lambda: client(world, "topic").zero_shot_classification(TEXTS[0], ["colour", "heat"]),
        "parameters.candidate_labels is not honoured")


@cell("llama-index-embeddings-text-embeddings-inference", "TextEmbeddingsInference", "`base_url` URL/m/NAME")
def llama(world):
    from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
    asking = TextEmbeddingsInference(
        model_name="embedder", base_url=world.at("embedder"), auth_token=world.key)
    near(asking.get_text_embedding_batch(TEXTS), world.vectors)
    near(asking.get_query_embedding(TEXTS[0]), world.vectors[0])


@cell("llama-index-embeddings-text-embeddings-inference", "TextEmbeddingsInference", "`base_url` URL, a key with `--vbert`")
def llama_by_key(world):
    from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference
    asking = TextEmbeddingsInference(model_name="anything", base_url=world.url, auth_token=world.bound["embedder"])
    near(asking.get_text_embedding_batch(TEXTS), world.vectors)


@cell("chromadb", "HuggingFaceEmbeddingServer", "`url` URL/m/NAME/embed, or URL/embed?model=NAME")
def chroma(world):
    import os
    from chromadb.utils.embedding_functions import HuggingFaceEmbeddingServer
    os.environ["CHROMA_HUGGINGFACE_API_KEY"] = world.key
    for url in [world.at("embedder", "/embed"), f"{world.url}/embed?model=embedder"]:
        near(HuggingFaceEmbeddingServer(url=url, api_key_env_var="CHROMA_HUGGINGFACE_API_KEY")(TEXTS), world.vectors)


@cell("huggingface-api-haystack", "HuggingFaceAPITextEmbedder, HuggingFaceAPIDocumentEmbedder", "`api_params` {\"url\": URL/m/NAME}")
def haystack(world):
    from haystack import Document
    from haystack.utils import Secret
    from haystack_integrations.components.embedders.huggingface_api import (
        HuggingFaceAPIDocumentEmbedder, HuggingFaceAPITextEmbedder)
    told = {"api_type": "text_embeddings_inference", "api_params": {"url": world.at("embedder")},
            "token": Secret.from_token(world.key)}
    # It asks for vectors as they are, not normalised.
    expected = world.post("/embed", {"model": "embedder", "inputs": TEXTS, "normalize": False})
    near(HuggingFaceAPITextEmbedder(**told).run(TEXTS[0])["embedding"], expected[0])
    documents = HuggingFaceAPIDocumentEmbedder(**told).run([Document(content=text) for text in TEXTS])["documents"]
    near([document.embedding for document in documents], expected)


@cell("litellm", "embedding, huggingface/NAME, `input_type=\"feature-extraction\"`", "`api_base` URL/m/NAME")
def litellm_features(world):
    import litellm
    # Without it litellm asks huggingface.co what task the model has.
    answer = litellm.embedding(
        model="huggingface/embedder", input=TEXTS, api_base=world.at("embedder"), api_key=world.key,
        input_type="feature-extraction")
    near([item["embedding"] for item in answer.data], world.vectors)


@cell("langchain-huggingface", "HuggingFaceEndpointEmbeddings", OWN)
def langchain(world):
    from langchain_huggingface import HuggingFaceEndpointEmbeddings
    refused(
        lambda: HuggingFaceEndpointEmbeddings(model=world.at("embedder"), huggingfacehub_api_token=world.key),
        "must be a HuggingFace repo ID, not a URL")
    return "takes no URL: use langchain-openai"
