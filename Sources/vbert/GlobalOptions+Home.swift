import Manager

extension GlobalOptions {
  /// The registry of the home.
  func openRegistry() throws -> any RegistryStore { try Registry(home: Home(option: home)) }

  func openStore() throws -> AdapterStore {
    let home = Home(option: home)
    return AdapterStore(home: home, registry: try openRegistry(), blobs: FileBlobs(home))
  }
}
