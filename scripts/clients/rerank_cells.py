"""Clients that rank texts by a query."""

from world import TEXTS, cell, near

QUERY = "a warm dog sleeps"


def same(world, found, most=None):
    """Pairs of index and score."""
    expected = world.ranks(QUERY, TEXTS)[:most]
    assert [index for index, _ in found] == [index for index, _ in expected], found
    near([score for _, score in found], [score for _, score in expected])


@cell("cohere", "ClientV2.rerank", "`base_url` URL")
def cohere_v2(world):
    import cohere
    answer = cohere.ClientV2(api_key=world.key, base_url=world.url).rerank(
        model="scorer", query=QUERY, documents=TEXTS, top_n=2)
    same(world, [(item.index, item.relevance_score) for item in answer.results], 2)


@cell("cohere", "Client.rerank, return_documents", "`base_url` URL")
def cohere_v1(world):
    import cohere
    answer = cohere.Client(api_key=world.key, base_url=world.url).rerank(
        model="scorer", query=QUERY, documents=TEXTS, return_documents=True)
    same(world, [(item.index, item.relevance_score) for item in answer.results])
    assert [item.document.text for item in answer.results] == [TEXTS[item.index] for item in answer.results]


@cell("voyageai", "Client.rerank, embed", "`base_url` URL/v1")
def voyage(world):
    import voyageai
    asking = voyageai.Client(api_key=world.key, base_url=f"{world.url}/v1")
    answer = asking.rerank(QUERY, TEXTS, model="scorer")
    same(world, [(item.index, item.relevance_score) for item in answer.results])
    assert answer.total_tokens > 0
    same(world, [(i.index, i.relevance_score) for i in asking.rerank(QUERY, TEXTS, "scorer", top_k=1).results], 1)
    near(asking.embed(TEXTS, model="embedder").embeddings, world.vectors)


def litellm_ranks(world, model, base, **more):
    import litellm
    answer = litellm.rerank(
        model=model, query=QUERY, documents=TEXTS, api_base=base, api_key=world.key, **more)
    same(world, [(item["index"], item["relevance_score"]) for item in answer.results], more.get("top_n"))
    return answer


@cell("litellm", "rerank, cohere/NAME, jina_ai/NAME, hosted_vllm/NAME, voyage/NAME", "`api_base` URL")
def litellm_most(world):
    for provider in ["cohere", "jina_ai", "hosted_vllm", "voyage"]:
        for more in [{}, {"top_n": 2}]:
            answer = litellm_ranks(world, f"{provider}/scorer", world.url, **more)
            for item in answer.results:
                assert item["document"]["text"] == TEXTS[item["index"]], provider


@cell("litellm", "rerank, infinity/NAME, `return_documents=False`", "`api_base` URL")
def litellm_infinity(world):
    litellm_ranks(world, "infinity/scorer", world.url, return_documents=False)


@cell("litellm", "rerank, huggingface/NAME", "`api_base` URL/m/NAME")
def litellm_tei(world):
    litellm_ranks(world, "huggingface/scorer", world.at("scorer"))


@cell("huggingface-api-haystack", "HuggingFaceTEIRanker", "`url` URL, a key with `--vbert`")
def haystack(world):
    from haystack import Document
    from haystack.utils import Secret
    from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker
    # It asks at /rerank of the host, whatever path its URL has.
    ranker = HuggingFaceTEIRanker(url=world.url, token=Secret.from_token(world.bound["scorer"]))
    found = ranker.run(query=QUERY, documents=[Document(content=text) for text in TEXTS])["documents"]
    same(world, [(TEXTS.index(document.content), document.score) for document in found])
