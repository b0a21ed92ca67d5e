/// The rooms of the house from the ground up, and whom each may know: of ours only rooms that stand
/// above it in this list, of packages only the modules named. The list is held against the imports of
/// the sources and against Package.swift, both ways: who lets a room know more, or less, changes it
/// here, where it is seen.
enum House {
  static let rooms: [Room] = [
    // The ground: the disk, the mathematics' contract, C.
    Room("CZlib"),
    Room("Files", knows: ["CZlib"]),
    Room("Compute"),
    Room("CSIMD"),
    Room("CCUDA"),
    // Devices know the contract and their C. Nobody else knows C, and the rooms up to Dispatcher know
    // no device.
    Room("ComputeCPU", knows: ["Compute", "CSIMD"]),
    Room("ComputeCUDA", knows: ["Compute", "CCUDA"]),
    Room("Model", knows: ["Files", "Compute"]),
    // SQL and cryptography are Manager's alone.
    Room(
      "Manager", knows: ["Model", "Files", "Compute"],
      packages: ["Crypto", "GRDB", "GRDBSQLite", "HeapModule"]),
    Room(
      "Scheduler", knows: ["Manager", "Model", "Compute"], packages: ["CoreMetrics", "HeapModule"]),
    Room("Trainer", knows: ["Manager", "Model", "Files", "Compute"]),
    // HTTP is known on two shelves of Dispatcher, and by the verb that serves.
    Room(
      "Dispatcher", knows: ["Scheduler", "Manager", "Model"], packages: ["CoreMetrics"]),
    Room(
      "Dispatcher", shelf: "Edge", knows: ["Scheduler", "Manager", "Model", "Files"],
      packages: ["CoreMetrics", "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "NIOHTTP1"]),
    Room("Dispatcher", shelf: "Batches", knows: ["Scheduler", "Manager", "Model", "Files"]),
    Room(
      "Dispatcher", shelf: "Connections",
      packages: [
        "HTTPTypes", "HummingbirdCore", "Logging", "NIOCore", "NIOHTTP1", "NIOExtras",
        "NIOHTTPTypes", "NIOHTTPTypesHTTP1",
      ]),
    // Whoever asks a server needs nothing of it.
    Room("VBERTClient", packages: ["NIOCore", "NIOHTTP1", "NIOPosix"]),
    // What measures and checks stands outside of Sources, and is reached by the same commands.
    Room("GPUBench", folder: "Benchmarks/GPUBench", knows: ["ComputeCUDA", "Model", "Compute"]),
    Room(
      "AccuracyStudy", folder: "Benchmarks/AccuracyStudy",
      knows: ["Trainer", "Manager", "Model", "Files", "Compute"]),
    // The only rooms that choose a device.
    Room(
      "vbert-gpu", folder: "Tests/vbert-gpu",
      knows: ["GPUBench", "ComputeCUDA", "ComputeCPU", "Model", "Compute"]),
    Room(
      "vbert",
      knows: [
        "GPUBench", "AccuracyStudy", "Trainer", "Scheduler", "Manager", "ComputeCUDA", "ComputeCPU",
        "Model",
        "Files", "Compute",
      ],
      packages: ["ArgumentParser"]),
    Room(
      "vbert", shelf: "Serve",
      knows: ["Dispatcher", "Trainer", "Scheduler", "Manager", "Model", "Compute"],
      packages: [
        "ArgumentParser", "Hummingbird", "HummingbirdCore", "Logging", "NIOCore",
        "ServiceLifecycle", "UnixSignals",
      ]),
    Room(
      "vbert", shelf: "Remote", knows: ["VBERTClient", "Trainer", "Manager", "Model", "Compute"],
      packages: ["ArgumentParser"]),
    Room("TokenizerBenchmark", folder: "Benchmarks/TokenizerBenchmark", knows: ["Model"]),
  ]

  /// Of tests each knows the room that it tests and what it needs to do so.
  static let tests: [Room] = [
    Room(test: "TestSupport"),
    Room(test: "HouseTests", knows: ["TestSupport"]),
    Room(test: "FilesTests", knows: ["TestSupport", "Files"]),
    Room(test: "ComputeTests", knows: ["TestSupport", "ComputeCPU", "CSIMD", "Compute"]),
    Room(
      test: "ComputeCUDATests",
      knows: ["TestSupport", "GPUBench", "ComputeCUDA", "CCUDA", "Model", "Compute"]),
    Room(test: "ModelTests", knows: ["TestSupport", "Model", "ComputeCPU", "Files", "Compute"]),
    Room(
      test: "ManagerTests",
      knows: ["TestSupport", "Manager", "Model", "ComputeCPU", "Files", "Compute"],
      packages: ["GRDB"]),
    Room(
      test: "ServingSupport",
      knows: ["TestSupport", "Scheduler", "Manager", "Model", "ComputeCPU", "Files", "Compute"],
      packages: ["CoreMetrics"]),
    Room(
      test: "SchedulerTests",
      knows: [
        "TestSupport", "ServingSupport", "Scheduler", "Manager", "Model", "ComputeCPU", "Files",
        "Compute",
      ]),
    Room(
      test: "TrainerTests",
      knows: ["TestSupport", "Trainer", "Manager", "Model", "ComputeCPU", "Compute"]),
    Room(test: "AccuracyStudyTests", knows: ["TestSupport", "AccuracyStudy", "Trainer", "Model"]),
    Room(
      test: "DispatcherTests",
      knows: [
        "TestSupport", "ServingSupport", "Dispatcher", "Scheduler", "Manager", "Model", "Compute",
      ],
      packages: ["Crypto", "HTTPTypes", "Hummingbird", "HummingbirdTesting"]),
    Room(test: "VBERTClientTests", knows: ["TestSupport", "VBERTClient"]),
    Room(
      test: "EndToEndTests", knows: ["TestSupport", "Model"], runs: ["vbert"],
      packages: ["AsyncHTTPClient", "NIOCore", "NIOHTTP1"]),
  ]

  /// What the toolchain brings; every room may use it.
  static let toolchain: Set<String> = [
    "Dispatch", "Foundation", "Glibc", "Synchronization", "Testing",
  ]
}
