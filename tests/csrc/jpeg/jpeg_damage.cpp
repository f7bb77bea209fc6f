// The direct path of JPEGs with whole, cut and changed files: jpeg_damage LIBRARY CASES FILE ...
//
// LIBRARY is a libjpeg-turbo; each FILE must be read, its damaged copies must be read or refused. What is
// read outside a file's bytes, the address sanitizer sees.
#include <dlfcn.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "csrc/jpeg/rows.h"
#include "tests/cpp/check.h"
#include "tests/cpp/stress.h"

namespace bindrt::stress {
namespace {

using File = std::vector<std::uint8_t>;

constexpr std::int64_t kNumbers = std::int64_t{3} * kernels::kPictureSide * kernels::kPictureSide;
constexpr std::int64_t kMostPixels = 1 << 22;  // so that a changed size does not take the time

File contents(const char* path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// Whether the file was read; its numbers must then be those of pixels.
bool read(const jpeg::Library& library, const File& file, Bytes& bytes) {
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  Out out(kernels::OutType::kFloat32, kNumbers, bytes);
  bytes.level();
  if (!jpeg::read_input(library, data.data(), file.size(), kMostPixels, out.type, out.data())) {
    return false;
  }
  CHECK(out.numbers.intact());
  for (std::int64_t i = 0; i < kNumbers; ++i) {
    const bool of_a_pixel = std::fabs(out.number(i)) < 3.0F;
    CHECK(of_a_pixel);
    if (!of_a_pixel) {
      break;
    }
  }
  return true;
}

// Cut, a few bytes changed, or a piece doubled or taken out.
File damaged(File file, Bytes& bytes) {
  const auto size = static_cast<std::int64_t>(file.size());
  const auto place = [&] {  // as often in the headers as anywhere
    return static_cast<std::ptrdiff_t>(
        bytes.range(0, (bytes.chance(2) ? std::min<std::int64_t>(size, 700) : size) - 1));
  };
  switch (bytes.number(0, 3)) {
    case 0:
      file.resize(static_cast<std::size_t>(place()));
      break;
    case 1: {
      const std::ptrdiff_t a = place();
      const std::ptrdiff_t b = place();
      file.erase(file.begin() + std::min(a, b), file.begin() + std::max(a, b));
      break;
    }
    case 2: {
      const File piece(file.begin() + place(), file.end());
      file.insert(file.begin() + place(), piece.begin(), piece.end());
      break;
    }
    default:
      for (std::int64_t left = bytes.small(1, 40); left > 0; --left) {
        file[static_cast<std::size_t>(place())] = static_cast<std::uint8_t>(bytes.number(0, 255));
      }
  }
  return file;
}

}  // namespace
}  // namespace bindrt::stress

int main(int argc, char** argv) {
  using namespace bindrt;
  jpeg::Library library{};
  if (argc < 4 || dlopen(argv[1], RTLD_NOW) == nullptr || !library.find(argv[1])) {
    std::fprintf(stderr, "jpeg_damage LIBRARY CASES FILE ...: %s\n", argc < 4 ? "too few" : argv[1]);
    return 2;
  }
  const std::uint64_t cases = std::strtoull(argv[2], nullptr, 10);
  std::uint64_t seed = 0;
  std::uint64_t refused = 0;
  for (int i = 3; i < argc; ++i) {
    const stress::File file = stress::contents(argv[i]);
    for (std::uint64_t done = 0; done <= cases; ++done) {
      std::uint8_t choices[256];
      std::mt19937_64 random(++seed);
      for (std::uint8_t& choice : choices) {
        choice = static_cast<std::uint8_t>(random() >> 32);
      }
      stress::Bytes bytes(choices, sizeof choices);
      if (done == 0) {
        CHECK(!file.empty() && stress::read(library, file, bytes));
      } else {
        refused += stress::read(library, stress::damaged(file, bytes), bytes) ? 0 : 1;
      }
    }
  }
  CHECK(cases == 0 || refused > 0);
  std::printf("%llu refused\n", static_cast<unsigned long long>(refused));
  return testing::finish();
}
