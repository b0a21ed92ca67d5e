import Testing

@testable import Dispatcher

/// Bodies as clients of the imitated servers send them, letter by letter: not made from our own tables.
@Suite(.timeLimit(.minutes(5))) struct ClientBodyTests {
  private static let taken: [(path: String, body: String)] = [
    // OpenAI's libraries
    ("/v1/embeddings", #"{"input":["a cat"],"model":"meaning","encoding_format":"base64"}"#),
    (
      "/v1/embeddings",
      #"{"input":"a cat","model":"meaning","user":"u-1","dimensions":8,"encoding_format":"float"}"#
    ),
    // vLLM's
    (
      "/v1/embeddings",
      #"{"model":"meaning","input":["a"],"encoding_format":"float","dimensions":null,"user":null,"truncate_prompt_tokens":-1,"add_special_tokens":true,"priority":0,"request_id":"r1","normalize":null,"embed_dtype":"float32","endianness":"native"}"#
    ),
    (
      "/classify",
      #"{"model":"mood","input":["good","bad"],"truncate_prompt_tokens":null,"user":null,"priority":0,"add_special_tokens":true,"request_id":"r2","activation":null,"use_activation":true,"softmax":null}"#
    ),
    // infinity's
    ("/classify", #"{"input":["good"],"model":"mood","raw_scores":false}"#),
    (
      "/v1/embeddings",
      #"{"model":"meaning","input":["a"],"encoding_format":"float","user":null,"modality":"text"}"#
    ),
    // Text Embeddings Inference's, and those that wrap it
    ("/embed", #"{"inputs":["a cat","a dog"],"truncate":true}"#),
    (
      "/embed",
      #"{"inputs":"a","normalize":true,"truncate":false,"truncation_direction":"Right","prompt_name":null,"model":"meaning","dimensions":null}"#
    ),
    (
      "/predict",
      #"{"inputs":[["a","b"]],"raw_scores":false,"truncate":true,"truncation_direction":"Left","model":"similar"}"#
    ),
    (
      "/rerank",
      #"{"query":"a","texts":["b"],"raw_scores":false,"return_text":true,"truncate":true,"truncation_direction":"Right","model":"similar"}"#
    ),
    (
      "/similarity",
      #"{"inputs":{"source_sentence":"a","sentences":["b"]},"parameters":{"prompt_name":null,"truncate":true,"truncation_direction":"Right"},"model":"meaning"}"#
    ),
    (
      "/tokenize",
      #"{"inputs":["a"],"add_special_tokens":false,"prompt_name":null,"model":"topic"}"#
    ),
    // Hugging Face's
    (
      "/predict",
      #"{"inputs":"a","parameters":{"function_to_apply":"sigmoid","top_k":2},"options":{"use_cache":true,"wait_for_model":true},"model":"topic"}"#
    ),
    ("/predict", #"{"inputs":"a","parameters":{},"model":"topic"}"#),
    (
      "/tag",
      #"{"inputs":"ann in paris","parameters":{"aggregation_strategy":"average","ignore_labels":["O"],"stride":null},"model":"names"}"#
    ),
    // Cohere's, Voyage's, Jina's, vLLM's and infinity's ways to rank
    (
      "/v2/rerank",
      #"{"model":"similar","query":"a","documents":["b","c"],"top_n":1}"#
    ),
    (
      "/v1/rerank",
      #"{"model":"similar","query":"a","documents":["b",{"text":"c"}],"top_n":2,"rank_fields":["text"],"return_documents":true}"#
    ),
    (
      "/v1/rerank",
      #"{"query":"a","documents":["b"],"model":"similar","top_k":null,"truncation":true}"#
    ),
    ("/rerank", #"{"model":"similar","query":"a","documents":["b"],"return_documents":true}"#),
    (
      "/rerank",
      #"{"query":"a","documents":["b"],"return_documents":false,"raw_scores":false,"model":"similar","top_n":null}"#
    ),
    // Voyage's vectors
    (
      "/v1/embeddings",
      #"{"input":["a"],"model":"meaning","input_type":null,"truncation":true,"output_dtype":null,"output_dimension":null,"encoding_format":"base64"}"#
    ),
    // LoRAX's way to name a vBERT
    ("/predict", #"{"inputs":"a","adapter_id":"topic","model":"base"}"#),
  ]
  private static let refused: [(path: String, body: String, name: String)] = [
    (
      "/predict",
      #"{"inputs":"a","model":"topic","parameters":{"candidate_labels":["x"],"multi_label":true}}"#,
      "parameters.candidate_labels"
    ),
    ("/embed", #"{"inputs":"a","model":"meaning","prompt_name":"query"}"#, "prompt_name"),
    (
      "/v1/embeddings",
      #"{"input":"a","model":"meaning","task":"retrieval.query","late_chunking":true}"#, "task"
    ),
    (
      "/v1/embeddings", #"{"input":"a","model":"meaning","embedding_type":"binary"}"#,
      "embedding_type"
    ),
    ("/v1/embeddings", #"{"input":"a","model":"meaning","input_type":"query"}"#, "input_type"),
    ("/tag", #"{"inputs":"a","model":"names","parameters":{"stride":16}}"#, "parameters.stride"),
    ("/classify", #"{"input":"a","model":"mood","priority":3}"#, "priority"),
    ("/embed", #"{"inputs":"a","model":"meaning","truncat":true}"#, "truncat"),
    ("/embed", #"{"inputs":"a","model":"meaning","instruction":"Find"}"#, "instruction"),
    ("/rerank", #"{"query":"a","texts":["b"],"model":"similar","top_n":1}"#, "top_n"),
    (
      "/rerank", #"{"query":"a","documents":["b"],"model":"similar","max_chunks_per_doc":1}"#,
      "max_chunks_per_doc"
    ),
  ]

  @Test func clientsWorkUnchanged() async throws {
    try await TinyServer().test { client in
      for (path, body) in Self.taken {
        // Clients that cannot name a model have it named for them.
        let named = body.contains("model\"") ? body : body.dropLast() + #","model":"meaning"}"#
        let answer = try await client.post(path, String(named))
        #expect(answer.status == 200, "\(path) \(body): \(answer.text)")
      }
    }
  }

  @Test func whatTheyAskForInVainIsNamed() async throws {
    try await TinyServer().test { client in
      for (path, body, name) in Self.refused {
        let answer = try await client.post(path, body)
        #expect([400, 422].contains(answer.status), "\(path) \(body): \(answer.text)")
        #expect(answer.message.hasPrefix("\(name) is not "), "\(answer.message)")
      }
    }
  }
}
