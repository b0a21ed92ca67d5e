package import Model

extension NGram {
  /// 64 well-mixed bits; part of the file format, so it must never change.
  ///
  /// Multiply and shift as in MurmurHash3's finaliser (Appleby): every table here takes its place
  /// from the low half and tells keys apart by the high half.
  package var plotHash: UInt64 {
    let low = UInt64(UInt32(bitPattern: left)) | UInt64(UInt32(bitPattern: centre)) << 32
    var h = low &* 0x9E37_79B9_7F4A_7C15
    h = (h ^ h >> 32 ^ UInt64(UInt32(bitPattern: right))) &* 0xFF51_AFD7_ED55_8CCD
    h = (h ^ h >> 33) &* 0xC4CE_B9FE_1A85_EC53
    return h ^ h >> 33
  }

  /// As ==, which across modules is a call (a tenth of a look-up's time).
  @inline(__always)
  func isSame(as other: NGram) -> Bool {
    centre == other.centre && left == other.left && right == other.right
  }
}
