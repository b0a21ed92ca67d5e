/// Where in a layer a bottleneck adapter acts (Houlsby 2019: both; the reference system: attention;
/// Pfeiffer 2020: ffn).
package enum AdapterSite: UInt8, Sendable, Hashable, CaseIterable {
  /// On the attention sub-block's output, after its LayerNorm.
  case attention
  /// On the layer's output, after the FFN's LayerNorm.
  case ffn
}

/// Which linear map of a layer a LoRA acts on (Hu 2021).
package enum LowRankTarget: UInt8, Sendable, Hashable, CaseIterable {
  case query, key, value, output, up, down
}

/// A tenant's parameters in host memory: what a backend loads in one piece.
package struct HostAdapter: Sendable {
  /// y = a + W_up GELU(W_down a + b_down) + b_up.
  package struct Bottleneck: Sendable {
    package var layer: Int
    package var site: AdapterSite
    /// [width, hidden] with bias.
    package var down: HostMatrix
    /// [hidden, width] with bias.
    package var up: HostMatrix

    package init(layer: Int, site: AdapterSite, down: HostMatrix, up: HostMatrix) {
      self.layer = layer
      self.site = site
      self.down = down
      self.up = up
    }
  }

  /// y += scale * B (A x).
  package struct LowRank: Sendable {
    package var layer: Int
    package var target: LowRankTarget
    /// A, [rank, inputs], no bias.
    package var a: HostMatrix
    /// B, [outputs, rank], no bias.
    package var b: HostMatrix
    package var scale: Float

    package init(
      layer: Int, target: LowRankTarget, a: HostMatrix, b: HostMatrix, scale: Float
    ) {
      self.layer = layer
      self.target = target
      self.a = a
      self.b = b
      self.scale = scale
    }
  }

  /// `layer` counts in the base model: with skip depth k the first adapted layer is k.
  package var bottlenecks: [Bottleneck]
  package var lowRanks: [LowRank]
  /// The head's linear map [labels, hidden] with bias; nil for embedding models.
  package var head: HostMatrix?

  package init(bottlenecks: [Bottleneck] = [], lowRanks: [LowRank] = [], head: HostMatrix? = nil) {
    self.bottlenecks = bottlenecks
    self.lowRanks = lowRanks
    self.head = head
  }
}

/// A tenant's parameters on the device, in the layout that the grouped operations read; freed when
/// the last reference goes, so a batch that still holds it finishes on it.
package protocol ResidentAdapter: AnyObject, Sendable {
  var byteCount: Int { get }
}

/// Brings adapters from host memory to the device when a batch needs them, beside what computes there:
/// for more vBERTs than the device holds. Any thread may call.
package protocol AdapterMover: Sendable {
  /// Puts the parameters in host memory where the device reaches them; what comes back is for `bring`.
  func keep(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter
  /// What operations take, in the order of `kept`; who holds it keeps it on the device. Throws
  /// `outOfMemory` where running batches hold all room.
  func bring(_ kept: [any ResidentAdapter]) throws(ComputeError) -> [any ResidentAdapter]
}
