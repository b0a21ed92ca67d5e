/// Where tokens are taken from a text that has too many.
package enum TruncationSide: Sendable { case left, right }

/// How many tokens of two segments are kept when together they may have `room`: tokens are taken
/// from the longer one until both are equally long, then from both in turn; of an odd `room` the
/// longer one keeps one more (the second, where they are equal). Hugging Face's `longest_first`.
func longestFirst(_ first: Int, _ second: Int, room: Int) -> (first: Int, second: Int) {
  if first <= room, second <= room - first { return (first, second) }
  let shorter = min(first, second)
  let keptShort = min(shorter, room / 2)
  let keptLong = room - keptShort
  return first > second ? (keptLong, keptShort) : (keptShort, keptLong)
}
