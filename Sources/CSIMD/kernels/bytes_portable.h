/// Products of bytes in portable vectors: in float32, which holds a group's whole numbers exactly.
typedef float belem;
typedef vf bsum, bweight;
enum { BYTE_STEP = 1 };

INLINE bsum b_zero(void) { return v_set(0); }
INLINE bweight b_weight(const int8_t *p) { return v_from_int8(p); }
INLINE bweight b_row(const belem *p) { return v_set(*p); }
INLINE bsum b_dot(bsum sum, bweight row, bweight weight) { return v_fma(row, weight, sum); }
INLINE vf b_float(bsum x) { return x; }
INLINE void b_put(belem *p, vf x) { v_store(p, x); }
