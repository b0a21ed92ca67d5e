/// Coefficients that vectors and single lanes share, each rounded to float32 after the fit.
#pragma once

/// e^r on |r| <= ln 2 / 2, to least relative error (3.6e-9): 1 + r + r^2 / 2 + r^3 (these, ascending).
static const float EXP_OF[] = {0.16666534543f, 0.0416672378778f, 0.0083674835041f, 0.00138638665893f};

/// The normal distribution's tail beyond z >= 0 is e^(-z^2 / 2) R(1 / (1 + TAIL_SCALE z)), R(t) = t (these,
/// ascending): the form of Hastings (Abramowitz and Stegun 7.1.26) one degree higher, fitted so that z times
/// the tail, which is what GELU takes from x, has least error (3.4e-9).
static const float TAIL_SCALE = 0.28f;
static const float TAIL_OF[] = {
  0.117108978332f, 0.0637916103005f, 0.278181910515f, -0.248517349362f, 0.396989583969f,
  -0.107554785907f};
