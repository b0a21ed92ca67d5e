internal import Model

/// Tests write names as literals; one that is invalid is a mistake in the test, and traps.
extension Name: ExpressibleByStringInterpolation {
  init(stringLiteral text: String) {
    do { try self.init(text) } catch { preconditionFailure("\(error)") }
  }
}

extension VBertName: ExpressibleByStringInterpolation {
  init(stringLiteral text: String) {
    do { try self.init(text) } catch { preconditionFailure("\(error)") }
  }
}
