// Encoders of every kind against float64; the same bits whatever stands beside a row, and for any threads.
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "csrc/native/team.h"
#include "tests/cpp/check.h"
#include "tests/csrc/native/plain_encoder.h"

namespace bindrt::testing {
namespace {

using native::Encoder;

constexpr Numbers kNumbers[] = {Numbers::kFloat32, Numbers::kBf16, Numbers::kInt8};
constexpr std::int64_t kRows = 5;

std::unique_ptr<Encoder> make(const SmallEncoder& small, int threads,
                              std::shared_ptr<native::PackedStore> store = std::make_shared<Memory>()) {
  return Encoder::make(small.config, small.tensors, small.numbers, std::move(store), threads);
}

// Rows of inputs, in bytes that run() reads.
struct Inputs {
  Inputs(SmallEncoder& small, std::int64_t count) {
    if (small.kind == Kind::kTexts) {
      const std::vector<std::int64_t> lengths = {10, 1, small.positions, 33, 2};
      for (std::int64_t i = 0; i < count; ++i) {
        const std::vector<std::int64_t> ids = small.texts({lengths[static_cast<std::size_t>(i) % 5]});
        texts.insert(texts.end(), ids.begin(), ids.end());
      }
      length = small.positions;
    } else {
      views = small.views(count);
      length = small.input_numbers();
    }
  }
  const void* at(std::int64_t row) const {
    return texts.empty() ? static_cast<const void*>(views.data() + row * length)
                         : static_cast<const void*>(texts.data() + row * length);
  }
  std::vector<float> views;
  std::vector<std::int64_t> texts;
  std::int64_t length;  // numbers of a row
};

std::vector<float> run(Encoder& encoder, const Inputs& inputs, std::int64_t first, std::int64_t rows) {
  std::vector<float> out(static_cast<std::size_t>(rows * encoder.out()));
  encoder.run(inputs.at(first), rows, inputs.length, out.data(), 0);
  return out;
}

bool same(const std::vector<float>& a, const float* b) {
  return std::memcmp(a.data(), b, a.size() * sizeof(float)) == 0;
}

double cosine(const std::vector<double>& a, const float* b) {
  double ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto other = static_cast<double>(b[i]);
    ab += a[i] * other;
    aa += a[i] * a[i];
    bb += other * other;
  }
  return ab / std::sqrt(aa * bb);
}

void check_meaning(SmallEncoder& small) {
  const Inputs inputs(small, kRows);
  const auto encoder = make(small, 2);
  CHECK(encoder->out() == small.out);
  const std::vector<float> got = run(*encoder, inputs, 0, kRows);
  const PlainEncoder plain(small);
  // Three blocks of small width, with random weights, so each rounding counts much.
  const double least = small.numbers == Numbers::kFloat32 ? 1 - 1e-10
                       : small.numbers == Numbers::kBf16  ? 0.9995
                                                          : 0.999;
  for (std::int64_t row = 0; row < kRows; ++row) {
    const auto expected = inputs.texts.empty() ? plain.of_view(inputs.views.data() + row * inputs.length)
                                               : plain.of_text(inputs.texts.data() + row * inputs.length);
    const float* const vector = got.data() + row * small.out;
    const double found = cosine(expected, vector);
    CHECK(found >= least);
    if (found < least) {
      std::printf("  kind %d, numbers %d, row %d: cosine %.9f\n", static_cast<int>(small.kind),
                  static_cast<int>(small.numbers), static_cast<int>(row), found);
    }
    double squares = 0;
    for (std::int64_t i = 0; i < small.out; ++i) {
      squares += static_cast<double>(vector[i]) * static_cast<double>(vector[i]);
    }
    CHECK_NEAR(std::sqrt(squares), static_cast<double>(small.config.scale),
               1e-5 * static_cast<double>(small.config.scale));
  }
}

// A row alone, among others, with other threads, from packed weights found filled: the same bits.
void check_bits(SmallEncoder& small) {
  const Inputs inputs(small, kRows);
  const auto store = std::make_shared<Memory>();
  const auto encoder = make(small, 1, store);
  const std::vector<float> all = run(*encoder, inputs, 0, kRows);
  for (std::int64_t row = 0; row < kRows; ++row) {
    CHECK(same(run(*encoder, inputs, row, 1), all.data() + row * small.out));
  }
  for (const int threads : {2, 3}) {
    const auto other = make(small, threads);
    CHECK(same(run(*other, inputs, 0, kRows), all.data()));
    CHECK(same(run(*other, inputs, 1, 2), all.data() + small.out));
  }
  store->again();
  CHECK(same(run(*make(small, 2, store), inputs, 0, kRows), all.data()));
  CHECK(store->same());
}

// So many rows that they go through the blocks in groups.
void check_many(SmallEncoder& small) {
  constexpr std::int64_t kMany = 400;
  const Inputs inputs(small, kMany);
  const auto encoder = make(small, 2);
  const std::vector<float> all = run(*encoder, inputs, 0, kMany);
  for (const std::int64_t row : {std::int64_t{0}, std::int64_t{187}, kMany - 1}) {
    CHECK(same(run(*encoder, inputs, row, 1), all.data() + row * small.out));
  }
}

void check_calls_at_once(SmallEncoder& small) {
  const Inputs inputs(small, kRows);
  const auto encoder = make(small, 2);
  const std::vector<float> all = run(*encoder, inputs, 0, kRows);
  std::vector<std::thread> threads;
  for (std::int64_t row = 0; row < kRows; ++row) {
    threads.emplace_back([&, row] {
      for (int i = 0; i < 3; ++i) {
        CHECK(same(run(*encoder, inputs, row, 1), all.data() + row * small.out));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

// Ids behind the first largest one change nothing, nor does what is cut off before the call.
void check_end_of_text(SmallEncoder& small) {
  std::vector<std::int64_t> ids = small.texts({9});
  const auto encoder = make(small, 2);
  const auto vector_of = [&](std::int64_t length) {
    std::vector<float> out(static_cast<std::size_t>(small.out));
    encoder->run(ids.data(), 1, length, out.data(), 0);
    return out;
  };
  const std::vector<float> before = vector_of(small.positions);
  CHECK(same(before, vector_of(9).data()));
  std::fill(ids.begin() + 9, ids.end(), small.vocabulary - 1);
  CHECK(same(before, vector_of(small.positions).data()));
}

template <class Call>
std::string problem_of(Call&& call) {
  try {
    call();
  } catch (const std::invalid_argument& problem) {
    return problem.what();
  }
  return "";
}

void check_problems() {
  SmallEncoder texts(Kind::kTexts, Numbers::kBf16, 1);
  const auto encoder = make(texts, 1);
  std::vector<float> out(static_cast<std::size_t>(texts.out));
  for (const std::int64_t id : {std::int64_t{-1}, texts.vocabulary, std::int64_t{1} << 40}) {
    const std::int64_t ids[2] = {3, id};
    CHECK(problem_of([&] {
            encoder->run(ids, 1, 2, out.data(), 0);
          }).find("token id " + std::to_string(id)) == 0);
  }
  const std::vector<std::int64_t> long_text(static_cast<std::size_t>(texts.positions) + 1, 1);
  CHECK(!problem_of([&] { encoder->run(long_text.data(), 1, texts.positions + 1, out.data(), 0); }).empty());
  CHECK(!problem_of([&] { encoder->run(long_text.data(), 1, 0, out.data(), 0); }).empty());

  SmallEncoder missing(Kind::kVision, Numbers::kFloat32, 2);
  missing.tensors.erase("blocks.1.mlp.down.weight");
  CHECK(problem_of([&] { make(missing, 1); }) == "blocks.1.mlp.down.weight: missing");
  SmallEncoder shape(Kind::kAudio, Numbers::kFloat32, 3);
  shape.tensors["norm.weight"].shape = {7};
  CHECK(problem_of([&] { make(shape, 1); }) == "norm.weight: has shape [7], not [40]");
  SmallEncoder heads(Kind::kAudio, Numbers::kFloat32, 3);
  heads.config.heads = 3;
  CHECK(!problem_of([&] { make(heads, 1); }).empty());
  SmallEncoder view(Kind::kAudio, Numbers::kFloat32, 3);
  view.config.view = {1, 36, 56};
  CHECK(!problem_of([&] { make(view, 1); }).empty());
  SmallEncoder bytes(Kind::kVision, Numbers::kInt8, 4);
  bytes.numbers = Numbers::kBf16;
  CHECK(!problem_of([&] { make(bytes, 1); }).empty());

  SmallEncoder broad(Kind::kVision, Numbers::kInt8, 4);
  const std::int64_t hidden = 65537;
  const std::vector<float> zeros(static_cast<std::size_t>(hidden * broad.width / 4 + 1));
  broad.tensors["blocks.0.mlp.up.weight.int8"] = {Stored::kInt8, {broad.width, hidden}, zeros.data()};
  broad.tensors["blocks.0.mlp.up.weight.scale"] = {Stored::kFloat32, {hidden}, zeros.data()};
  broad.tensors["blocks.0.mlp.up.bias"] = {Stored::kFloat32, {hidden}, zeros.data()};
  broad.tensors["blocks.0.mlp.down.weight.int8"] = {Stored::kInt8, {hidden, broad.width}, zeros.data()};
  CHECK(problem_of([&] { make(broad, 1); }) == "blocks.0.mlp.down.weight.int8: has more than 65536 inputs");
}

}  // namespace
}  // namespace bindrt::testing

int main() {
  using namespace bindrt::testing;
  for (const Kind kind : kKinds) {
    for (const Numbers numbers : kNumbers) {
      SmallEncoder small(kind, numbers, 7 * static_cast<unsigned>(kind) + static_cast<unsigned>(numbers));
      check_meaning(small);
      check_bits(small);
    }
    SmallEncoder small(kind, Numbers::kInt8, 99);
    check_many(small);
    check_calls_at_once(small);
  }
  SmallEncoder texts(Kind::kTexts, Numbers::kBf16, 5);
  check_end_of_text(texts);
  check_problems();
  return finish();
}
