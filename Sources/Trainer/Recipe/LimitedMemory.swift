/// Finds the minimum of a smooth convex function, a point at a time: L-BFGS (Nocedal 1980; Liu and Nocedal
/// 1989) with backtracking (Armijo). A value that computes nothing of the function itself: told what it is at
/// `point`, it says where to look next, so that many problems share a device's calls.
/// O(history x parameters) a look.
package struct LimitedMemory: Sendable {
  /// Where the function is to be computed next; the best point found once `isDone`.
  package private(set) var point: [Float]
  package private(set) var isDone = false
  /// Points looked at.
  package private(set) var looks = 0

  private static let history = 8
  private let mostLooks: Int
  /// Ends where the gradient's norm is so many times the first one.
  private let tolerance: Double

  private struct Look {
    var point: [Float]
    var value: Double
    var gradient: [Float]
  }

  private var accepted: Look?
  private var direction: [Float] = []
  private var slope = 0.0
  private var length = 1.0
  private var firstNorm = 0.0
  /// Steps, what they changed the gradient by, and 1 / their product; the latest last.
  private var steps: [(s: [Float], y: [Float], inverse: Double)] = []

  package init(start: [Float], tolerance: Double = 1e-4, mostLooks: Int = 300) {
    (point, self.tolerance, self.mostLooks) = (start, tolerance, mostLooks)
    isDone = start.isEmpty
  }

  /// The function's value and gradient at `point`.
  package mutating func tell(value: Double, gradient: [Float]) {
    guard !isDone else { return }
    looks += 1
    let look = Look(point: point, value: value, gradient: gradient)
    guard let last = accepted else {
      firstNorm = Vector.norm(gradient)
      accepted = look
      return firstNorm > 0 && firstNorm.isFinite && value.isFinite ? advance(look) : end()
    }
    // fp32 sums wobble in their last digits: a step that stays within them counts as down.
    let wobble = 1e-6 * abs(last.value)
    guard value.isFinite, value <= last.value + 1e-4 * length * slope + wobble else {
      length /= value.isFinite ? 2.5 : 10
      return length < 1e-6 || looks >= mostLooks ? end() : move(from: last)
    }
    note(from: last, to: look)
    accepted = look
    let isFlat = Vector.norm(gradient) <= tolerance * firstNorm
    let gainsNothing = last.value - value < 1e-7 * abs(value)
    return isFlat || gainsNothing || looks >= mostLooks ? end() : advance(look)
  }

  private mutating func end() {
    if let accepted { point = accepted.point }
    isDone = true
    steps = []
    direction = []
  }

  private mutating func note(from last: Look, to look: Look) {
    let s = Vector.difference(look.point, last.point)
    let y = Vector.difference(look.gradient, last.gradient)
    let curvature = Vector.dot(s, y)
    guard curvature > 1e-12 * Vector.dot(y, y) else { return }
    steps.append((s, y, 1 / curvature))
    if steps.count > Self.history { steps.removeFirst() }
  }

  private mutating func advance(_ look: Look) {
    direction = newton(look.gradient)
    slope = Vector.dot(direction, look.gradient)
    if slope >= 0 {
      // No descent, by rounding: anew from the gradient.
      steps = []
      direction = newton(look.gradient)
      slope = Vector.dot(direction, look.gradient)
    }
    length = steps.isEmpty ? min(1, 1 / Vector.norm(look.gradient)) : 1
    move(from: look)
  }

  private mutating func move(from look: Look) {
    point = look.point
    Vector.add(length, direction, to: &point)
  }

  /// -H g by the two loops over the latest steps.
  private func newton(_ gradient: [Float]) -> [Float] {
    var q = gradient
    var weights: [Double] = []
    for step in steps.reversed() {
      let weight = step.inverse * Vector.dot(step.s, q)
      Vector.add(-weight, step.y, to: &q)
      weights.append(weight)
    }
    if let last = steps.last {
      Vector.scale(&q, by: 1 / (last.inverse * Vector.dot(last.y, last.y)))
    }
    for (step, weight) in zip(steps, weights.reversed()) {
      Vector.add(weight - step.inverse * Vector.dot(step.y, q), step.s, to: &q)
    }
    Vector.scale(&q, by: -1)
    return q
  }
}

/// Host vectors of one length. Plain pointers and loops without ranges: debug builds train too.
enum Vector {
  static func dot(_ a: [Float], _ b: [Float]) -> Double {
    precondition(a.count == b.count)
    var (sum, i) = (0.0, 0)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeBufferPointer { b in
        while i < a.count {
          unsafe sum += Double(a[i]) * Double(b[i])
          i += 1
        }
      }
    }
    return sum
  }

  static func norm(_ a: [Float]) -> Double { dot(a, a).squareRoot() }

  /// b += scale * a.
  static func add(_ scale: Double, _ a: [Float], to b: inout [Float]) {
    precondition(a.count == b.count)
    let scale = Float(scale)
    unsafe a.withUnsafeBufferPointer { a in
      unsafe b.withUnsafeMutableBufferPointer { b in
        var i = 0
        while i < a.count {
          unsafe b[i] += scale * a[i]
          i += 1
        }
      }
    }
  }

  static func scale(_ a: inout [Float], by scale: Double) {
    let scale = Float(scale)
    unsafe a.withUnsafeMutableBufferPointer { a in
      var i = 0
      while i < a.count {
        unsafe a[i] *= scale
        i += 1
      }
    }
  }

  static func difference(_ a: [Float], _ b: [Float]) -> [Float] {
    var c = a
    add(-1, b, to: &c)
    return c
  }
}
