/// exp, the normal distribution and GELU on vectors.
#include "../polynomials.h"

/// exp(x) to 1.2 units in the last place; 0 below -104 or so, as float32 has it.
INLINE vf exp_of(vf x) {
  x = v_max(v_min(x, v_set(88.7f)), v_set(-104.0f));
  vf n = v_round(x * v_set(1.44269504f));
  vf r = v_fma(n, v_set(-0.693359375f), x);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  vf p = v_set(EXP_OF[3]);
  p = v_fma(p, r, v_set(EXP_OF[2]));
  p = v_fma(p, r, v_set(EXP_OF[1]));
  p = v_fma(p, r, v_set(EXP_OF[0]));
  p = v_fma(p, r, v_set(0.5f));
  p = v_fma(p, r, v_set(1));
  p = v_fma(p, r, v_set(1));
  return v_scale(p, n);
}

/// 1 - Phi(z) for z >= 0, to a few units in the last place; e = exp(-z^2 / 2).
INLINE vf tail_of(vf z, vf e) {
  vf t = v_set(1) / v_fma(z, v_set(TAIL_SCALE), v_set(1));
  vf p = v_set(TAIL_OF[5]);
  p = v_fma(p, t, v_set(TAIL_OF[4]));
  p = v_fma(p, t, v_set(TAIL_OF[3]));
  p = v_fma(p, t, v_set(TAIL_OF[2]));
  p = v_fma(p, t, v_set(TAIL_OF[1]));
  p = v_fma(p, t, v_set(TAIL_OF[0]));
  return p * t * e;
}

/// x Phi(x) as max(x, 0) - |x| (1 - Phi(|x|)). 0.5 x (1 + erf(x / sqrt 2)) would lose what is left of a
/// large negative x: a sum near 0 of which a rounded erf keeps a few digits, times x.
INLINE vf gelu_of(vf x) {
  vf z = v_max(x, v_set(0) - x);
  return v_max(x, v_set(0)) - z * tail_of(z, exp_of(z * z * v_set(-0.5f)));
}

/// gelu'(x) = Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi).
INLINE vf gelu_slope(vf x) {
  vf z = v_max(x, v_set(0) - x);
  vf e = exp_of(z * z * v_set(-0.5f));
  // That of -|x|, a; of |x| it is 1 - a.
  vf half = v_set(0.5f) - v_fma(z * e, v_set(-0.398942280f), tail_of(z, e));
  vf sign = v_max(v_min(x * v_set(1e30f), v_set(1)), v_set(-1));
  return v_fma(half, sign, v_set(0.5f));
}
