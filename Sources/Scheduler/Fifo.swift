/// First in, first out; amortised O(1) at both ends.
struct Fifo<Element: Sendable>: Sendable {
  private var elements: [Element] = []
  private var head = 0

  var count: Int { elements.count - head }
  var first: Element? { head < elements.count ? elements[head] : nil }

  mutating func append(_ element: Element) { elements.append(element) }

  mutating func removeFirst() {
    head += 1
    // Half is waste: moving the rest costs no more than what was removed since the last time.
    if head * 2 >= elements.count {
      elements.removeFirst(head)
      head = 0
    }
  }
}
