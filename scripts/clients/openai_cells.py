"""OpenAI's client, and what is built on it."""

import asyncio

import openai
from world import TEXTS, cell, near, refused

BASE = "`base_url` URL/v1"
OWN = "`base_url` URL/m/NAME/v1"


def client(world):
    return openai.OpenAI(base_url=f"{world.url}/v1", api_key=world.key)


@cell("openai", "embeddings.create", BASE)
def embeddings(world):
    # The client asks for base64 where nobody says a format.
    answer = client(world).embeddings.create(model="embedder", input=TEXTS)
    near([item.embedding for item in answer.data], world.vectors)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens > 0 and answer.model == "embedder"


@cell("openai", "embeddings.create, float", BASE)
def floats(world):
    answer = client(world).embeddings.create(model="embedder", input=TEXTS[0], encoding_format="float")
    near([item.embedding for item in answer.data], world.vectors[:1])


@cell("openai", "embeddings.create, dimensions", BASE)
def dimensions(world):
    answer = client(world).embeddings.create(model="embedder", input=TEXTS, dimensions=8)
    for item, vector in zip(answer.data, world.vectors):
        norm = sum(x * x for x in vector[:8]) ** 0.5
        near(item.embedding, [x / norm for x in vector[:8]])


@cell("openai", "embeddings.create, 2,048 texts", BASE)
def many(world):
    answer = client(world).embeddings.create(model="embedder", input=(TEXTS * 683)[:2048])
    assert [item.index for item in answer.data] == list(range(2048))
    near(answer.data[2047].embedding, world.vectors[2047 % 3])


@cell("openai", "AsyncOpenAI, 8 requests at once", BASE)
def at_once(world):
    async def ask():
        async with openai.AsyncOpenAI(base_url=f"{world.url}/v1", api_key=world.key) as asking:
            return await asyncio.gather(
                *[asking.embeddings.create(model="embedder", input=TEXTS) for _ in range(8)])
    for answer in asyncio.run(ask()):
        near([item.embedding for item in answer.data], world.vectors)


@cell("openai", "embeddings.create", OWN)
def own_address(world):
    own = openai.OpenAI(base_url=world.at("embedder", "/v1"), api_key=world.key)
    near([item.embedding for item in own.embeddings.create(model="embedder", input=TEXTS).data], world.vectors)


@cell("openai", "embeddings.create, another model", OWN)
def another(world):
    own = openai.OpenAI(base_url=world.at("embedder", "/v1"), api_key=world.key)
    return refused(
        lambda: own.embeddings.create(model="text-embedding-3-small", input=TEXTS),
        "the path names embedder, and the body text-embedding-3-small")


@cell("openai", "embeddings.create, token ids", BASE)
def tokens(world):
    return refused(
        lambda: client(world).embeddings.create(model="embedder", input=[[1, 2, 3]]),
        "check_embedding_ctx_length=False")


@cell("openai", "models.list, models.retrieve", BASE)
def models(world):
    found = client(world)
    assert sorted(model.id for model in found.models.list()) == ["embedder", "scorer", "tagger", "topic"]
    assert found.models.retrieve("topic").id == "topic"
    refused(lambda: found.models.retrieve("nobody"), "there is no vBERT named nobody")


@cell("langchain-openai", "OpenAIEmbeddings", f"{BASE}, `check_embedding_ctx_length=False`")
def langchain(world):
    from langchain_openai import OpenAIEmbeddings
    asking = OpenAIEmbeddings(
        model="embedder", base_url=f"{world.url}/v1", api_key=world.key, check_embedding_ctx_length=False)
    near(asking.embed_documents(TEXTS), world.vectors)
    near(asking.embed_query(TEXTS[1]), world.vectors[1])


@cell("llama-index-embeddings-openai-like", "OpenAILikeEmbedding", "`api_base` URL/v1")
def llama(world):
    from llama_index.embeddings.openai_like import OpenAILikeEmbedding
    asking = OpenAILikeEmbedding(model_name="embedder", api_base=f"{world.url}/v1", api_key=world.key)
    near(asking.get_text_embedding_batch(TEXTS), world.vectors)
    near(asking.get_query_embedding(TEXTS[2]), world.vectors[2])


@cell("haystack-ai", "OpenAITextEmbedder, OpenAIDocumentEmbedder", "`api_base_url` URL/v1")
def haystack(world):
    from haystack import Document
    from haystack.components.embedders import OpenAIDocumentEmbedder, OpenAITextEmbedder
    from haystack.utils import Secret
    told = {"model": "embedder", "api_base_url": f"{world.url}/v1", "api_key": Secret.from_token(world.key)}
    near(OpenAITextEmbedder(**told).run(TEXTS[0])["embedding"], world.vectors[0])
    documents = OpenAIDocumentEmbedder(**told).run([Document(content=text) for text in TEXTS])["documents"]
    near([document.embedding for document in documents], world.vectors)


@cell("chromadb", "OpenAIEmbeddingFunction", "`api_base` URL/v1")
def chroma(world):
    from chromadb.utils.embedding_functions import OpenAIEmbeddingFunction
    asking = OpenAIEmbeddingFunction(api_key=world.key, api_base=f"{world.url}/v1", model_name="embedder")
    near(asking(TEXTS), world.vectors)


@cell("litellm", "embedding, openai/NAME", "`api_base` URL/v1")
def litellm_openai(world):
    import litellm
    answer = litellm.embedding(
        model="openai/embedder", input=TEXTS, api_base=f"{world.url}/v1", api_key=world.key)
    near([item["embedding"] for item in answer.data], world.vectors)


@cell("litellm", "embedding, hosted_vllm/NAME and infinity/NAME", "`api_base` URL/v1")
def litellm_others(world):
    import litellm
    for name in ["hosted_vllm/embedder", "infinity/embedder"]:
        answer = litellm.embedding(model=name, input=TEXTS, api_base=f"{world.url}/v1", api_key=world.key)
        near([item["embedding"] for item in answer.data], world.vectors, name)
