// JPEGs, whole, cut and changed, through the preparers: jpeg_damage LIBRARY CASES FILE ...
//
// LIBRARY is a libjpeg-turbo; each FILE must be read, its damaged copies must be read or refused. What is
// read outside a file's bytes, the address sanitizer sees.
#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "csrc/prepare/libraries.h"
#include "csrc/prepare/map_file.h"
#include "csrc/prepare/registry.h"
#include "tests/cpp/check.h"
#include "tests/cpp/damage.h"
#include "tests/csrc/prepare/slots.h"

namespace bindrt::stress {
namespace {

constexpr std::int64_t kMostPixels = 1 << 22;  // so that a changed size does not take the time
constexpr prepare::Limits kLimits{1 << 24, kMostPixels, 1.0, 64, 1 << 26};

// Whether the file was read as an image; its numbers must then be those of pixels. It may be a map as well.
bool read(const File& file, Bytes& bytes) {
  Exact<std::uint8_t> data(static_cast<std::int64_t>(file.size()));
  std::copy(file.begin(), file.end(), data.begin());
  prepare::Item item;
  item.source = prepare::Bytes{reinterpret_cast<const std::byte*>(data.data()), file.size()};
  static OneView slots(1);
  bytes.level();
  if (!prepare::prepare_image(item, kLimits, slots)) {
    return false;
  }
  CHECK(std::all_of(slots.numbers.begin(), slots.numbers.end(),
                    [](float number) { return std::fabs(number) < 3.0F; }));
  prepare::prepare_map(item, kLimits, slots, &read_map);
  return true;
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
  prepare::use(library);
  const std::uint64_t cases = std::strtoull(argv[2], nullptr, 10);
  std::uint64_t seed = 0;
  std::uint64_t refused = 0;
  for (int i = 3; i < argc; ++i) {
    const stress::File file = stress::contents<std::uint8_t>(argv[i]);
    for (std::uint64_t done = 0; done <= cases; ++done) {
      std::uint8_t choices[256];
      std::mt19937_64 random(++seed);
      for (std::uint8_t& choice : choices) {
        choice = static_cast<std::uint8_t>(random() >> 32);
      }
      stress::Bytes bytes(choices, sizeof choices);
      if (done == 0) {
        CHECK(!file.empty() && stress::read(file, bytes));
      } else {
        refused += stress::read(stress::damaged(file, bytes, 700, 40), bytes) ? 0 : 1;
      }
    }
  }
  CHECK(cases == 0 || refused > 0);
  std::printf("%llu refused\n", static_cast<unsigned long long>(refused));
  return testing::finish();
}
