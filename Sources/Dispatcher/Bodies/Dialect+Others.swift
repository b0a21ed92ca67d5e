internal import Model

/// Members that servers of this kind know and no route here honours: those of Text Embeddings Inference,
/// Hugging Face's inference and pipelines, sentence-transformers, vLLM, infinity, OpenAI, Cohere, Jina,
/// Voyage and LoRAX.
extension Dialect {
  enum Meaning: Sendable {
    /// It cannot change an answer.
    case harmless
    /// With one of these values it says what is so anyway; with another it is refused, and why.
    case only([Literal], String)
    /// Why, and what to do instead.
    case refused(String)
  }

  enum Literal: Sendable, Equatable {
    case flag(Bool)
    case number(Int)
    case text(String)
    case texts([String])
  }

  static let others: [String: Meaning] = {
    var all: [String: Meaning] = [:]
    // Who asks, how long the client waits, how it packs and shows things, what it keeps.
    for name in [
      "user", "request_id", "id", "metadata", "safety_identifier", "service_tier", "cache_salt",
      "use_cache", "wait_for_model", "use_gpu", "timeout", "keep_alive", "batch_size",
      "num_workers", "show_progress_bar", "show_progress", "convert_to_numpy",
      "convert_to_tensor", "device", "padding",
    ] { all[name] = .harmless }

    let prompts = "put the words that it stands for in front of each text"
    for name in [
      "prompt_name", "prompt", "prompt_template", "input_type", "task", "task_type",
      "instruction", "text_type",
    ] { all[name] = .refused(prompts) }

    let labels = "a vBERT answers with the labels that it learnt; train one with these labels"
    for name in ["candidate_labels", "hypothesis_template", "multi_label"] {
      all[name] = .refused(labels)
    }

    let whole = "a text is read as one; cut it into several texts"
    all["stride"] = .refused(whole)
    all["late_chunking"] = .only([.flag(false)], whole)
    all["max_chunks_per_doc"] = .refused(whole)
    all["truncation_strategy"] = .refused(
      "say \"truncate\": true, and the side with truncation_direction")
    for name in ["max_length", "max_tokens", "max_tokens_per_doc", "max_tokens_per_query"] {
      all[name] = .refused(
        "say truncate_prompt_tokens (the last tokens; with \"truncation_direction\": \"Right\" the first)"
      )
    }
    for name in ["truncate", "truncation"] {
      all[name] = .only([.flag(false)], "no text is cut here")
    }
    all["add_special_tokens"] = .only([.flag(true)], "texts are read with their special tokens")

    let plain = "vectors come as 32-bit floating-point numbers"
    for name in ["embedding_type", "embedding_types", "output_dtype", "embed_dtype", "dtype"] {
      all[name] = .only([.text("float"), .text("float32"), .texts(["float"])], plain)
    }
    all["precision"] = .only([.text("float32")], plain)
    all["encoding_format"] = .only([.text("float")], "\(plain); /v1/embeddings also has base64")
    all["endianness"] = .only([.text("native"), .text("little")], "bytes are little-endian")
    all["output_value"] = .only([.text("sentence_embedding")], "a text has one vector")
    for name in ["return_sparse", "return_colbert_vecs"] {
      all[name] = .only([.flag(false)], "a text has one dense vector")
    }
    all["return_dense"] = .only([.flag(true)], "a text has one dense vector")
    for name in ["pooling", "pooling_method", "pooling_type"] {
      all[name] = .refused("a vBERT pools as it was created to (vbert create --pooling)")
    }
    for name in ["normalized", "normalize_embeddings", "embed_normalize"] {
      all[name] = .refused("say normalize")
    }
    for name in ["truncate_dim", "output_dimension", "output_dimensions", "dimensionality"] {
      all[name] = .refused("say dimensions")
    }

    all["return_all_scores"] = .refused("all labels are answered; for the first k say top_k")
    for name in ["activation_fn", "activation_fct", "apply_softmax"] {
      all[name] = .refused("say function_to_apply or raw_scores, where the route has it")
    }
    for name in ["grouped_entities", "ignore_subwords"] {
      all[name] = .refused("say aggregation_strategy")
    }
    all["top_n"] = .refused("all texts are ranked, the best first: take so many of them")
    all["return_documents"] = .only([.flag(false)], "say return_text")
    all["rank_fields"] = .only([.texts(["text"])], "give in text all that is to be ranked")
    for name in ["text_pair", "text_1", "text_2"] {
      all[name] = .refused("a pair is written [\"a\", \"b\"], in inputs of /predict")
    }

    all["modality"] = .only([.text("text")], "texts are all that is taken")
    all["stream"] = .only([.flag(false)], "an answer comes whole")
    all["priority"] = .only([.number(0)], "the requests of a tenant come in turn")
    for name in ["adapter_source", "adapter_parameters", "merged_adapters", "api_token"] {
      all[name] = .refused("the vBERTs are this server's own; name one with adapter_id")
    }
    return all
  }()
}

extension JSONValue {
  func equals(_ literal: Dialect.Literal) -> Bool {
    switch literal {
    case .flag(let value): flag == value
    case .number(let value): whole == value
    case .text(let value): text == value
    case .texts(let value): texts == value
    }
  }
}
