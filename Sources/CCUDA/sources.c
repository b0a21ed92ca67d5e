// The kernels travel as text and are compiled for the device that is found (C23 #embed).
#include "ccuda.h"

#include <string.h>


static const char device[] = {
#embed "kernels/device.h"
    , 0};
static const char rows[] = {
#embed "kernels/rows.cu"
    , 0};
static const char attention[] = {
#embed "kernels/attention.cu"
    , 0};
static const char attention90[] = {
#embed "kernels/attention90.cu"
    , 0};
static const char grouped[] = {
#embed "kernels/grouped.cu"
    , 0};
static const char plot[] = {
#embed "kernels/plot.cu"
    , 0};
static const char heads[] = {
#embed "kernels/heads.cu"
    , 0};
static const char elements[] = {
#embed "kernels/elements.cu"
    , 0};
static const char values[] = {
#embed "kernels/values.cu"
    , 0};
static const char norms[] = {
#embed "kernels/norms.cu"
    , 0};
static const char sums[] = {
#embed "kernels/sums.cu"
    , 0};
static const char manyProducts[] = {
#embed "kernels/manyProducts.cu"
    , 0};
static const char losses[] = {
#embed "kernels/losses.cu"
    , 0};
static const char optimizer[] = {
#embed "kernels/optimizer.cu"
    , 0};
static const char gather[] = {
#embed "kernels/gather.cu"
    , 0};
static const char products[] = {
#embed "kernels/products.cu"
    , 0};
static const char attentionBackward[] = {
#embed "kernels/attentionBackward.cu"
    , 0};
static const char windows[] = {
#embed "kernels/windows.cu"
    , 0};

const char *ccuda_source(const char *name) {
  static const struct {
    const char *name, *text;
  } list[] = {
      {"device.h", device}, {"rows.cu", rows},   {"attention.cu", attention},
      {"attention90.cu", attention90}, {"plot.cu", plot},
      {"grouped.cu", grouped}, {"heads.cu", heads}, {"elements.cu", elements},
      {"values.cu", values},
      {"norms.cu", norms},
      {"sums.cu", sums},
      {"manyProducts.cu", manyProducts},
      {"losses.cu", losses},
      {"optimizer.cu", optimizer},
      {"gather.cu", gather},
      {"products.cu", products},
      {"attentionBackward.cu", attentionBackward},
      {"windows.cu", windows},
  };
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (strcmp(list[i].name, name) == 0) return list[i].text;
  return NULL;
}
