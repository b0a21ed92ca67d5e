import Manager

extension GlobalOptions {
  /// The registry of the home.
  func openRegistry() throws -> any RegistryStore { try Registry(home: Home(option: home)) }

  func openStore() throws -> AdapterStore {
    AdapterStore(home: Home(option: home), registry: try openRegistry())
  }
}
