// Places for videos on a device, whose driver is the program's argument: as many as there may be, with as
// much memory as there may be, in the order that they came.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "csrc/gpu/film_decoder.h"
#include "tests/cpp/check.h"
#include "tests/csrc/gpu/kernel_set.h"

namespace bindrt::gpu {
namespace {

using Film = std::unique_ptr<kernels::DeviceFilm>;

constexpr std::size_t kRow = std::size_t{1} << 20;
constexpr auto kMost = static_cast<std::int64_t>(FilmDecoder::kMostFrames);

// With places for all that are there.
std::vector<Film> all_of(FilmDecoder& decoder) {
  std::vector<Film> found;
  for (Film film; found.size() < 100 && (film = decoder.film({100, 1, 1000})) != nullptr;) {
    found.push_back(std::move(film));
  }
  return found;
}

void test_places(Context& context) {
  FilmDecoder decoder(context, kRow, {.from = 100});
  CHECK(decoder.film({99, 1, 1000}) == nullptr);  // too small
  for (int round = 0; round < 2; ++round) {
    CHECK(all_of(decoder).size() == FilmDecoder::kMostFilms);
  }
}

void test_memory_of_frames(Context& context) {
  FilmDecoder decoder(context, kRow, {.from = 0});
  CHECK(decoder.film({100, 1, kMost + 1}) == nullptr);
  for (int round = 0; round < 2; ++round) {
    const Film half = decoder.film({100, 1, kMost / 2});
    CHECK(half != nullptr);
    CHECK(decoder.film({100, 1, kMost / 2 + 1}) == nullptr);
    const Film rest = decoder.film({100, 1, kMost / 2});
    CHECK(rest != nullptr);
    CHECK(decoder.film({100, 1, 1}) == nullptr);
  }
  CHECK(decoder.film({100, 1, kMost}) != nullptr);
}

void test_memory_of_rows(Context& context) {
  FilmDecoder decoder(context, kRow, {.from = 0}, 4 * kRow);
  for (int round = 0; round < 2 * static_cast<int>(FilmDecoder::kMostFilms); ++round) {
    CHECK(decoder.film({100, 5, 1000}) == nullptr);  // and keeps no place
  }
  CHECK(all_of(decoder).size() == 4);
}

// Many at once get what there is, and no more.
void test_who_waits(Context& context) {
  FilmDecoder decoder(context, 1, {.from = 0, .waits = true});
  std::atomic<std::int64_t> films{0}, bytes{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 12; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < 20; ++i) {
        const std::int64_t needs = (thread + i) % 7 == 0 ? kMost : kMost / 10;
        const Film film = decoder.film({1, 1, needs});
        CHECK(film != nullptr);
        CHECK(++films <= static_cast<std::int64_t>(FilmDecoder::kMostFilms));
        CHECK((bytes += needs) <= kMost);
        std::this_thread::yield();
        --films;
        bytes -= needs;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  CHECK(decoder.film({1, 1, kMost + 1}) == nullptr);  // it would wait for ever
}

// One that needs all memory waits for one that has some; a small one that comes later does not overtake it. A
// thread that is slow to come is no failure: then it is tried again.
bool is_in_order(Context& context) {
  FilmDecoder decoder(context, 1, {.from = 0, .waits = true});
  std::atomic<bool> small_is_in{false};
  Film first = decoder.film({1, 1, 1000});
  std::thread large([&] { CHECK(decoder.film({1, 1, kMost}) != nullptr); });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  std::thread small([&] {
    CHECK(decoder.film({1, 1, 1000}) != nullptr);
    small_is_in = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const bool waits = !small_is_in;
  first = nullptr;
  large.join();
  small.join();
  return waits;
}

int run(const char* library) {
  const Driver driver(library);
  if (!driver.usable()) {
    std::fprintf(stderr, "%s\n", driver.problem().c_str());
    return 1;
  }
  Context context(driver, 0, kernel_set());
  test_places(context);
  test_memory_of_frames(context);
  test_memory_of_rows(context);
  test_who_waits(context);
  bool in_order = false;
  for (int attempt = 0; attempt < 100 && !in_order; ++attempt) {
    in_order = is_in_order(context);
  }
  CHECK(in_order);
  return testing::finish();
}

}  // namespace
}  // namespace bindrt::gpu

int main(int count, char** arguments) {
  if (count != 2) {
    std::fprintf(stderr, "usage: test_film_decoder LIBCUDA\n");
    return 2;
  }
  return bindrt::gpu::run(arguments[1]);
}
