// swift-tools-version: 6.2
import Foundation
import PackageDescription

/// Every target of ours is held to the same rules; what they cost once they save in every review.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .strictMemorySafety(),
  .treatAllWarnings(as: .error),
]

/// Kernels are optimised in debug builds too: a test suite that waits for unoptimised loops is not run.
let optimised: [CSetting] = [
  .unsafeFlags(["-O3", "-fno-math-errno", "-Wall", "-Wextra", "-Werror"])
]

func room(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A folder Tests/NAME/Fixtures is read from its place, not built.
func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  let fixtures = "\(Context.packageDirectory)/Tests/\(name)/Fixtures"
  return .testTarget(
    name: name, dependencies: dependencies + ["TestSupport"],
    exclude: FileManager.default.fileExists(atPath: fixtures) ? ["Fixtures"] : [],
    swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser", package: "swift-argument-parser")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
  name: "HummingbirdTesting", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioExtras = Target.Dependency.product(name: "NIOExtras", package: "swift-nio-extras")
let nioTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let nioTypes1 = Target.Dependency.product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

/// The engine: no package beyond the toolchain, so most work rebuilds in seconds.
var targets: [Target] = [
  .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
  room("Files", ["CZlib"]),
  room("Compute", []),
  .target(name: "CSIMD", cSettings: optimised),
  room("ComputeCPU", ["Compute", "CSIMD"]),
  .target(
    name: "CCUDA", exclude: ["kernels"], cSettings: optimised,
    linkerSettings: [.linkedLibrary("dl")]),
  room("ComputeCUDA", ["Compute", "CCUDA"]),
  room("Model", ["Files", "Compute"]),
  .target(
    name: "GPUBench", dependencies: ["Compute", "ComputeCUDA", "Model"],
    path: "Benchmarks/GPUBench", swiftSettings: strict),
  .executableTarget(
    name: "vbert-gpu", dependencies: ["Compute", "ComputeCPU", "ComputeCUDA", "GPUBench", "Model"],
    path: "Tests/vbert-gpu", swiftSettings: strict),
  .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
  tests("HouseTests", []),
  tests("FilesTests", ["Files"]),
  tests("ComputeTests", ["Compute", "ComputeCPU", "CSIMD"]),
  tests("ComputeCUDATests", ["Compute", "ComputeCUDA", "CCUDA", "GPUBench", "Model"]),
  tests("ModelTests", ["Files", "Compute", "ComputeCPU", "Model"]),
]
var dependencies: [Package.Dependency] = []

/// `VBERT_UPTO=engine` builds and tests the engine alone (no packages), `VBERT_UPTO=trainer` everything
/// but the server (Dispatcher, Sources/vbert/Serve): HTTP's packages stay out of everyday work.
let upTo = ProcessInfo.processInfo.environment["VBERT_UPTO"] ?? "vbert"

if upTo != "engine" {
  dependencies += [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.1.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
  ]
  targets += [
    room("Manager", ["Model", "Files", "Compute", grdb, sqlite, crypto, heap]),
    room("Scheduler", ["Manager", "Model", "Compute", metrics, heap]),
    room("Trainer", ["Manager", "Model", "Files", "Compute"]),
    .target(
      name: "AccuracyStudy", dependencies: ["Trainer", "Manager", "Model", "Files", "Compute"],
      path: "Benchmarks/AccuracyStudy", swiftSettings: strict),
    tests("ManagerTests", ["Manager", "Model", "Files", "Compute", "ComputeCPU", grdb]),
    .target(
      name: "ServingSupport",
      dependencies: [
        "Scheduler", "Manager", "Model", "Files", "Compute", "ComputeCPU", "TestSupport", metrics,
      ],
      path: "Tests/ServingSupport", swiftSettings: strict),
    tests(
      "SchedulerTests",
      ["ServingSupport", "Scheduler", "Manager", "Model", "Files", "Compute", "ComputeCPU"]),
    tests("TrainerTests", ["Trainer", "Manager", "Model", "Compute", "ComputeCPU"]),
    tests("AccuracyStudyTests", ["AccuracyStudy", "Trainer", "Model"]),
  ]
}
let commandLine: [Target.Dependency] = [
  "Trainer", "Scheduler", "Manager", "Model", "Files", "Compute", "ComputeCPU", "ComputeCUDA",
  "GPUBench", "AccuracyStudy", argumentParser,
]
if upTo == "trainer" {
  targets.append(
    .executableTarget(
      name: "vbert", dependencies: commandLine, exclude: ["Serve", "Remote"],
      swiftSettings: strict + [.define("NO_SERVER")]))
}
if upTo == "vbert" {
  dependencies += [
    .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ]
  targets += [
    room(
      "Dispatcher",
      [
        "Scheduler", "Manager", "Model", "Files", httpTypes, hummingbird, hummingbirdCore, logging,
        metrics,
        nio, nioHTTP, nioExtras, nioTypes, nioTypes1,
      ]),
    room("VBERTClient", [nio, nioHTTP, nioPosix]),
    .executableTarget(
      name: "vbert",
      dependencies: commandLine + [
        "VBERTClient", "Dispatcher", hummingbird, hummingbirdCore, lifecycle, logging, nio, signals,
      ],
      swiftSettings: strict),
    tests(
      "DispatcherTests",
      [
        "ServingSupport", "Dispatcher", "Scheduler", "Manager", "Model", "Compute", httpTypes,
        hummingbird, hummingbirdTesting, crypto,
      ]),
    tests("VBERTClientTests", ["VBERTClient"]),
    tests("EndToEndTests", ["vbert", "Model", httpClient, nio, nioHTTP]),
  ]
}

/// `VBERT_BENCHMARKS=1` adds the programs that Benchmarks/*.py run beside other libraries.
if ProcessInfo.processInfo.environment["VBERT_BENCHMARKS"] != nil {
  targets += [
    .executableTarget(
      name: "TokenizerBenchmark", dependencies: ["Model"], path: "Benchmarks/TokenizerBenchmark",
      swiftSettings: strict)
  ]
}

/// `VBERT_ROOM=Scheduler` (`make check ROOM=Scheduler`) leaves a room's tests, those that hold the rooms,
/// and what both need. The packages stay, so that going back resolves nothing.
if let room = ProcessInfo.processInfo.environment["VBERT_ROOM"] {
  var needed: Set<String> = []
  var next = ["\(room)Tests", "HouseTests"]
  while let name = next.popLast() {
    guard needed.insert(name).inserted, let target = targets.first(where: { $0.name == name })
    else { continue }
    for dependency in target.dependencies {
      if case .byNameItem(let name, _) = dependency { next.append(name) }
    }
  }
  targets.removeAll { !needed.contains($0.name) }
}

let package = Package(
  name: "vbert",
  products: targets.contains { $0.name == "VBERTClient" }
    ? [.library(name: "VBERTClient", targets: ["VBERTClient"])] : [],
  dependencies: dependencies,
  targets: targets,
  swiftLanguageModes: [.v6],
  cLanguageStandard: .gnu2x
)
