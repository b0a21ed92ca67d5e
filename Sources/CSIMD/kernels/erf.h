/// exp, erf and GELU on vectors.

/// exp(x) within 2 units in the last place; 0 below -88 or so, as float32 has it.
/// 2^n e^r with |r| <= ln 2 / 2; the polynomial is e^r's minimax fit of degree 6.
INLINE vf exp_of(vf x) {
  x = v_max(v_min(x, v_set(88.7f)), v_set(-104.0f));
  vf n = v_round(x * v_set(1.44269504f));
  vf r = v_fma(n, v_set(-0.693359375f), x);
  r = v_fma(n, v_set(2.12194440e-4f), r);
  vf p = v_set(0.00138888889f);
  p = v_fma(p, r, v_set(0.00833333377f));
  p = v_fma(p, r, v_set(0.0416666679f));
  p = v_fma(p, r, v_set(0.166666672f));
  p = v_fma(p, r, v_set(0.5f));
  p = v_fma(p, r, v_set(1));
  p = v_fma(p, r, v_set(1));
  return v_scale(p, n);
}

/// erf(x) to 3e-7: x P(x^2) / Q(x^2), both of degree 5, fitted to least relative error (2.5e-8) on
/// |x| <= 4, beyond which float32 knows only 1.
INLINE vf erf_of(vf x) {
  x = v_max(v_min(x, v_set(4)), v_set(-4));
  vf t = x * x;
  vf p = v_set(1.98697751e-06f);
  p = v_fma(p, t, v_set(0.00028454345f));
  p = v_fma(p, t, v_set(0.00388228772f));
  p = v_fma(p, t, v_set(0.0530984382f));
  p = v_fma(p, t, v_set(0.193520206f));
  p = v_fma(p, t, v_set(1.12837914f));
  vf q = v_set(3.74210554e-05f);
  q = v_fma(q, t, v_set(0.00118531876f));
  q = v_fma(q, t, v_set(0.0152051156f));
  q = v_fma(q, t, v_set(0.11533971f));
  q = v_fma(q, t, v_set(0.504835378f));
  q = v_fma(q, t, v_set(1));
  return v_max(v_min(x * p / q, v_set(1)), v_set(-1));
}

INLINE vf gelu_of(vf x) {
  vf half = v_set(0.5f) * x;
  return v_fma(half, erf_of(x * v_set(0.707106781f)), half);
}

/// gelu'(x) = (1 + erf(x / sqrt 2)) / 2 + x exp(-x^2 / 2) / sqrt(2 pi).
INLINE vf gelu_slope(vf x) {
  vf density = exp_of(x * x * v_set(-0.5f)) * v_set(0.398942280f);
  vf chance = v_fma(erf_of(x * v_set(0.707106781f)), v_set(0.5f), v_set(0.5f));
  return v_fma(x, density, chance);
}
