import Manager

extension GlobalOptions {
  func openRegistry() throws -> Registry { try Registry(home: Home(option: home)) }

  func openStore() throws -> AdapterStore { AdapterStore(registry: try openRegistry()) }
}
