internal import CSIMD
package import Compute
internal import Synchronization

extension CPUBackend {
  package func prepare(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix {
    try baseWeights.withLock { arena throws(ComputeError) in
      try PackedMatrix(matrix, backend: self, arena: &arena)
    }
  }

  package func prepareReduced(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix {
    try baseWeights.withLock { arena throws(ComputeError) -> any Matrix in
      switch precision {
      case .fp32: try PackedMatrix(matrix, backend: self, arena: &arena)
      case .bf16: try ReducedMatrix(matrix, CSIMD_BF16, backend: self, arena: &arena)
      case .int8: try ReducedMatrix(matrix, CSIMD_BYTES, backend: self, arena: &arena)
      }
    }
  }

  package func load(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
    try CPUAdapter(adapter, backend: self)
  }

  package func place(_ layout: SequenceLayout) throws(ComputeError) -> any PlacedSequences {
    CPUSequences(layout)
  }

  package func place(_ groups: [RowGroup]) throws(ComputeError) -> any PlacedGroups {
    CPUGroups(groups, threads: threads)
  }

  func own(_ sequences: any PlacedSequences) -> CPUSequences {
    guard let own = sequences as? CPUSequences else {
      preconditionFailure("sequences placed by another backend")
    }
    return own
  }

  func own(_ groups: any PlacedGroups) -> CPUGroups {
    guard let own = groups as? CPUGroups else {
      preconditionFailure("groups placed by another backend")
    }
    return own
  }
}
