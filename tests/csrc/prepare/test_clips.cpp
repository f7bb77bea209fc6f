// Where the clips of a recording lie.
#include <cstdint>

#include "csrc/prepare/clips.h"
#include "tests/cpp/check.h"

namespace {

using namespace bindrt::prepare;

bool are(std::int64_t total, std::int64_t b0, std::int64_t e0, std::int64_t b1, std::int64_t e1,
         std::int64_t b2, std::int64_t e2) {
  return clip_samples(total) == ClipRanges{{{b0, e0}, {b1, e1}, {b2, e2}}};
}

void places() {
  CHECK(are(80000, 0, 32000, 24000, 56000, 48000, 80000));
  CHECK(are(32000, 0, 32000, 0, 32000, 0, 32000));
  CHECK(are(1000, 0, 1000, 0, 1000, 0, 1000));
  CHECK(are(0, 0, 0, 0, 0, 0, 0));
  CHECK(samples_outside(clip_samples(80000), 80000) == 0);
  CHECK(samples_outside(clip_samples(160000), 160000) == 64000);
  CHECK(samples_outside(clip_samples(10), 10) == 0);
}

// Whole, inside the recording, in order, two seconds long up to the rounding of the float duration.
void any_length() {
  for (std::int64_t total = 1; total < std::int64_t{1} << 43; total = total * 5 / 3 + 1) {
    const ClipRanges clips = clip_samples(total);
    const std::int64_t length = total < 32000 ? total : 32000;
    for (std::size_t i = 0; i < clips.size(); ++i) {
      CHECK(clips[i].begin >= 0 && clips[i].end <= total);
      CHECK(i == 0 || (clips[i].begin >= clips[i - 1].begin && clips[i].end >= clips[i - 1].end));
      CHECK_NEAR(static_cast<double>(clips[i].size()), static_cast<double>(length), 1.0);
    }
    CHECK(clips[0].begin == 0);
    CHECK_NEAR(static_cast<double>(clips[2].end), static_cast<double>(total), 1.0);
  }
}

}  // namespace

int main() {
  places();
  any_length();
  return bindrt::testing::finish();
}
