/// Our products beside oneDNN's (Debian: libdnnl-dev), weights prepacked on both sides, in turns; built
/// and run by scripts/onednn. oneDNN's int8 is given rows that are bytes already, ours rounds them.
/// Prints GFLOP/s, the best of some turns: ours, oneDNN's.
#include <dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

extern "C" {
#include "csimd.h"
}

using dnnl::memory;
using Type = memory::data_type;

namespace {

double seconds(const std::function<void()> &work, long repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (long i = 0; i < repeats; i++) work();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  return took.count() / static_cast<double>(repeats);
}

/// One product of oneDNN: u8 x s8, or both operands of one type; fp32 out, with a bias.
struct Product {
  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  dnnl::inner_product_forward primitive;
  std::unordered_map<int, memory> arguments;

  Product(long rows, long outputs, long inputs, Type x, Type w) {
    const memory::dims xs{rows, inputs}, ws{outputs, inputs}, ys{rows, outputs}, bs{outputs};
    dnnl::primitive_attr attributes;
    if (w == Type::s8)
      attributes.set_output_scales(2, std::vector<float>(static_cast<size_t>(outputs), 0.01f));
    const dnnl::inner_product_forward::desc description(
      dnnl::prop_kind::forward_inference, {xs, x, memory::format_tag::ab},
      {ws, w, memory::format_tag::any}, {bs, Type::f32, memory::format_tag::a},
      {ys, Type::f32, memory::format_tag::ab});
    const dnnl::inner_product_forward::primitive_desc chosen(description, attributes, engine);
    primitive = dnnl::inner_product_forward(chosen);
    for (auto [place, kind] : {std::pair{DNNL_ARG_SRC, chosen.src_desc()},
           std::pair{DNNL_ARG_WEIGHTS, chosen.weights_desc()},
           std::pair{DNNL_ARG_BIAS, chosen.bias_desc()}, std::pair{DNNL_ARG_DST, chosen.dst_desc()}}) {
      memory made(kind, engine);
      std::fill_n(static_cast<char *>(made.get_data_handle()), kind.get_size(), 1);
      arguments.insert({place, made});
    }
  }

  void run() {
    primitive.execute(stream, arguments);
    stream.wait();
  }
};

float *noise(long count) {
  auto *values = static_cast<float *>(csimd_allocate(count * 4));
  unsigned state = 1;
  for (long i = 0; i < count; i++) {
    state = state * 1664525u + 1013904223u;
    values[i] = static_cast<float>(state >> 8) / static_cast<float>(1 << 23) - 1;
  }
  return values;
}

}  // namespace

int main(int count, char **words) {
  const int threads = count > 1 ? atoi(words[1]) : 2;
  int set = CSIMD_INSTRUCTION_SETS - 1;
  while (!csimd_supported(set)) set--;
  csimd_context *context = csimd_create(threads, set);
  const float *x = noise(256 * 3072), *weight = noise(3072 * 768);
  float *out = noise(256 * 3072);
  const std::pair<long, long> shapes[] = {
    {1152, 384}, {384, 384}, {1536, 384}, {384, 1536}, {2304, 768}, {768, 768}, {3072, 768}, {768, 3072}};
  std::printf("%-12s %5s %18s %18s %18s\n", "outputs x in", "rows", "fp32", "bf16", "int8");
  for (auto [outputs, inputs] : shapes) {
    const auto whole = csimd_pack(
      context, static_cast<float *>(csimd_allocate(csimd_packed_count(context, outputs, inputs) * 4)),
      weight, nullptr, outputs, inputs, 1);
    const auto reduced = [&](csimd_type type) {
      void *memory = csimd_allocate(csimd_packed_reduced(context, type, outputs, inputs));
      return csimd_pack_reduced(context, type, memory, weight, nullptr, outputs, inputs);
    };
    const auto bf16 = reduced(CSIMD_BF16), bytes = reduced(CSIMD_BYTES);
    for (long rows : {1, 16, 64, 256}) {
      const double operations = 2.0 * static_cast<double>(rows * outputs * inputs);
      const long repeats = 1 + static_cast<long>(5e8 / operations);
      Product theirs[] = {
        {rows, outputs, inputs, Type::f32, Type::f32}, {rows, outputs, inputs, Type::bf16, Type::bf16},
        {rows, outputs, inputs, Type::u8, Type::s8}};
      const std::function<void()> ours[] = {
        [&] { csimd_linear(context, &whole, x, inputs, rows, out, outputs, CSIMD_NONE); },
        [&] { csimd_linear_reduced(context, &bf16, x, inputs, rows, out, outputs, CSIMD_NONE); },
        [&] { csimd_linear_reduced(context, &bytes, x, inputs, rows, out, outputs, CSIMD_NONE); }};
      std::printf("%5ld x %4ld %5ld", outputs, inputs, rows);
      for (int kind = 0; kind < 3; kind++) {
        double mine = 1e9, other = 1e9;
        for (int turn = 0; turn < 5; turn++) {
          mine = std::min(mine, seconds(ours[kind], repeats));
          other = std::min(other, seconds([&] { theirs[kind].run(); }, repeats));
        }
        std::printf("  %7.1f %7.1f%s", operations / mine * 1e-9, operations / other * 1e-9,
          mine <= other ? " " : "!");
      }
      std::printf("\n");
    }
  }
}
