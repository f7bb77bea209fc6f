// The file of packed weights: found again, refused where it is unfit, and done without where it cannot be.

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "csrc/native/packed_file.h"
#include "tests/cpp/check.h"

namespace bindrt::native {
namespace {

using Sizes = std::vector<std::int64_t>;

const std::string kKey(kPackedKey, 'k');
const Sizes kSizes{5, 0, 4096, 100000, 64, 3};

std::string fresh(const std::string& name) {
  ::unlink(name.c_str());
  return name;
}

// Takes the pieces, writes them where they are new; whether they hold what they should.
bool fill(PackedFile& file, const Sizes& sizes) {
  const bool filled = file.filled();
  bool right = true;
  std::vector<unsigned char*> pieces;
  for (const std::int64_t size : sizes) {
    pieces.push_back(static_cast<unsigned char*>(file.take(size)));
    right = right && reinterpret_cast<std::uintptr_t>(pieces.back()) % 64 == 0;
  }
  for (std::size_t i = 0; i < pieces.size() && !filled; ++i) {
    std::memset(pieces[i], static_cast<int>(i + 1), static_cast<std::size_t>(sizes[i]));
  }
  file.keep();
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    for (std::int64_t at = 0; at < sizes[i]; ++at) {
      right = right && pieces[i][at] == i + 1;
    }
  }
  return right;
}

// Makes the file; whether it was new.
bool made(const std::string& path, const std::string& key = kKey) {
  const auto file = PackedFile::open(path, key);
  const bool is_new = !file->filled();
  CHECK(fill(*file, kSizes));
  CHECK(file->problem().empty());
  return is_new;
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << bytes;
}

void test_the_second_finds_what_the_first_made() {
  const std::string path = fresh("again.packed");
  CHECK(made(path));
  CHECK(!made(path));
  struct stat found{};
  CHECK(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

void test_another_key_makes_it_again() {
  const std::string path = fresh("key.packed");
  CHECK(made(path));
  CHECK(made(path, std::string(kPackedKey, 'x')));
  CHECK(made(path));
}

void test_a_damaged_beginning_or_end_makes_it_again() {
  const std::string path = fresh("damaged.packed");
  CHECK(made(path));
  const std::string whole = content(path);
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{8}, std::size_t{12}, std::size_t{20}, std::size_t{80}, std::size_t{88},
        std::size_t{96}, std::size_t{104}, std::size_t{112}}) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x10);
    write(path, changed);
    CHECK(made(path));
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, std::size_t{4096}, whole.size() - 1}) {
    write(path, whole.substr(0, size));
    CHECK(made(path));
  }
  write(path, whole + "x");
  CHECK(made(path));
  CHECK(!made(path));
}

void test_weights_are_checked_once_after_a_start_of_the_machine() {
  const std::string path = fresh("boot.packed");
  CHECK(made(path));
  constexpr std::size_t kBoot = 120;
  std::string other = content(path);
  other[kBoot] = '?';  // as if the machine had been started since
  write(path, other);
  CHECK(!made(path));
  if (::access("/proc/sys/kernel/random/boot_id", R_OK) == 0) {
    CHECK(content(path)[kBoot] != '?');  // noted
  }
  other[5000] = static_cast<char>(other[5000] ^ 1);
  write(path, other);
  CHECK(made(path));
}

void test_other_pieces_are_unfit() {
  const std::string path = fresh("pieces.packed");
  CHECK(made(path));
  for (const Sizes& sizes : {Sizes{5, 0, 4096, 100001}, Sizes{5, 0, 4096, 100000, 64, 3, 1}, Sizes{5, 0}}) {
    bool unfit = false;
    try {
      const auto file = PackedFile::open(path, kKey);
      for (const std::int64_t size : sizes) {
        file->take(size);
      }
      file->keep();
    } catch (const UnfitPackedFile&) {
      unfit = true;
    }
    CHECK(unfit);
  }
  const auto again = PackedFile::make(path, kKey);
  CHECK(!again->filled());
  CHECK(fill(*again, {7}));
  const auto found = PackedFile::open(path, kKey);
  CHECK(found->filled());
  CHECK(fill(*found, {7}));
}

void test_several_make_it_at_once() {
  const std::string path = fresh("several.packed");
  const auto first = PackedFile::open(path, kKey);
  const auto second = PackedFile::open(path, kKey);
  CHECK(fill(*first, kSizes));
  CHECK(fill(*second, kSizes));
  const auto third = PackedFile::open(path, kKey);
  CHECK(third->filled());
  CHECK(fill(*third, kSizes));
  CHECK(first->intact());
  CHECK(first->bytes() == third->bytes());
}

void test_plain_memory_where_there_is_no_file() {
  const auto file = PackedFile::open("", kKey);
  CHECK(fill(*file, kSizes));
  CHECK(file->problem().empty());
  CHECK(file->intact());
  const auto lost = PackedFile::open("no/such/folder/x.packed", kKey);
  CHECK(fill(*lost, kSizes));
  CHECK(lost->problem().find("No such file") != std::string::npos);
}

void test_a_full_disk() {
  const std::string path = fresh("full.packed");
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit little = before;
  little.rlim_cur = 50000;
  ::setrlimit(RLIMIT_FSIZE, &little);
  const auto file = PackedFile::open(path, kKey);
  const bool right = fill(*file, kSizes);
  ::setrlimit(RLIMIT_FSIZE, &before);
  CHECK(right);
  CHECK(!file->problem().empty());
  CHECK(::access(path.c_str(), F_OK) != 0);
}

void test_what_is_not_ours_is_not_read() {
  const std::string path = fresh("mode.packed");
  CHECK(made(path));
  CHECK(::chmod(path.c_str(), 0620) == 0);
  CHECK(made(path));
  CHECK(!made(path));
  ::unlink(path.c_str());
  CHECK(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(made(path));
}

void test_a_cut_is_noticed() {
  const std::string path = fresh("cut.packed");
  CHECK(made(path));
  const auto file = PackedFile::open(path, kKey);
  CHECK(file->intact());
  CHECK(::truncate(path.c_str(), 5000) == 0);
  CHECK(!file->intact());
}

void test_nothing_is_left_of_what_was_not_kept() {
  const std::string path = fresh("left/x.packed");
  ::mkdir("left", 0700);
  PackedFile::open(path, kKey)->take(100);
  CHECK(::rmdir("left") == 0);
}

}  // namespace
}  // namespace bindrt::native

int main() {
  using namespace bindrt::native;
  test_the_second_finds_what_the_first_made();
  test_another_key_makes_it_again();
  test_a_damaged_beginning_or_end_makes_it_again();
  test_weights_are_checked_once_after_a_start_of_the_machine();
  test_other_pieces_are_unfit();
  test_several_make_it_at_once();
  test_plain_memory_where_there_is_no_file();
  test_a_full_disk();
  test_what_is_not_ours_is_not_read();
  test_a_cut_is_noticed();
  test_nothing_is_left_of_what_was_not_kept();
  return bindrt::testing::finish();
}
