// Mapping, making, checking and naming the file of packed weights.
#include "csrc/native/packed_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

#include "csrc/native/team.h"

namespace bindrt::native {
namespace {

constexpr std::int64_t kPage = 4096;  // where the pieces begin
constexpr std::int64_t kLine = 64;
constexpr std::int64_t kHugePage = std::int64_t{2} << 20;
constexpr std::int64_t kLeastBlock = std::int64_t{32} << 20;  // of plain memory
constexpr std::int64_t kMostBytes = std::int64_t{1} << 46;
constexpr std::int64_t kMostPieces = 1 << 20;
constexpr std::array<char, 8> kMagic{'b', 'i', 'n', 'd', 'p', 'a', 'c', 'k'};

struct Header {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t order;  // how this machine writes a number
  std::array<char, kPackedKey> key;
  std::int64_t size;
  std::int64_t table;
  std::int64_t pieces;
  std::uint64_t checksum;
  std::uint64_t header_checksum;  // of all before it
  std::array<char, 40> boot;      // since this start of the machine the weights are known to be whole
};
static_assert(sizeof(Header) <= kPage);

constexpr std::uint32_t kOrder = 0x01020304U;

constexpr std::int64_t up_to(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Tells blocks of zeros, of other bytes and in another order apart; not meant against who wants to deceive.
std::uint64_t sum_of(const std::uint8_t* data, std::int64_t bytes) {
  constexpr std::size_t kLanes = 8;
  constexpr std::uint64_t kPrime = 0x9E3779B185EBCA87U;
  std::array<std::uint64_t, kLanes> lanes{1, 2, 3, 4, 5, 6, 7, 8};
  std::int64_t at = 0;
  for (; at + 64 <= bytes; at += 64) {
    std::array<std::uint64_t, kLanes> words;
    std::memcpy(words.data(), data + at, 64);
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = (lanes[i] ^ words[i]) * kPrime;
      lanes[i] ^= lanes[i] >> 29;
    }
  }
  std::uint64_t sum = static_cast<std::uint64_t>(bytes);
  for (; at < bytes; ++at) {
    sum = (sum ^ data[at]) * kPrime;
  }
  for (const std::uint64_t lane : lanes) {
    sum = (sum ^ lane) * kPrime;
    sum ^= sum >> 31;
  }
  return sum;
}

std::uint64_t header_sum(const Header& header) {
  return sum_of(reinterpret_cast<const std::uint8_t*>(&header), offsetof(Header, header_checksum));
}

// Another one after every start of the machine; zeros where the system has none.
std::array<char, 40> this_boot() {
  std::array<char, 40> boot{};
  if (std::FILE* file = std::fopen("/proc/sys/kernel/random/boot_id", "re")) {
    if (std::fread(boot.data(), 1, 36, file) != 36) {
      boot = {};
    }
    std::fclose(file);
  }
  return boot;
}

bool read_all(int file, void* to, std::size_t bytes, off_t at) {
  return ::pread(file, to, bytes, at) == static_cast<ssize_t>(bytes);
}

bool write_all(int file, const void* from, std::size_t bytes, off_t at) {
  const auto* next = static_cast<const char*>(from);
  while (bytes > 0) {
    const ssize_t count = ::pwrite(file, next, bytes, at);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return false;
    }
    next += count;
    at += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

// Room on the disk, so that writing to the mapping cannot fail; an errno or 0.
int reserve(int file, std::int64_t from, std::int64_t to) {
#if defined(__linux__)
  return ::posix_fallocate(file, from, to - from);
#else
  static_cast<void>(from);
  return ::ftruncate(file, to) == 0 ? 0 : errno;
#endif
}

}  // namespace

PackedFile::PackedFile(std::string path, std::string key) : path_(std::move(path)), key_(std::move(key)) {
  if (key_.size() != kPackedKey) {
    throw std::invalid_argument("a key of packed weights has " + std::to_string(kPackedKey) + " characters");
  }
}

std::shared_ptr<PackedFile> PackedFile::open(const std::string& path, const std::string& key) {
  std::shared_ptr<PackedFile> file(new PackedFile(path, key));
  return !path.empty() && file->map_existing() ? file : make(path, key);
}

std::shared_ptr<PackedFile> PackedFile::make(const std::string& path, const std::string& key) {
  std::shared_ptr<PackedFile> file(new PackedFile(path, key));
  if (!path.empty() && !file->begin()) {
    file->give_up("cannot be written", errno);
  }
  return file;
}

PackedFile::~PackedFile() {
  for (const Mapping& mapping : mappings_) {
    ::munmap(mapping.at, mapping.bytes);
  }
  if (!beside_.empty()) {
    ::unlink(beside_.c_str());
  }
  if (file_ >= 0) {
    ::close(file_);
  }
}

bool PackedFile::map_existing() {
  // Writing is for the start of the machine that it was checked in; not to wait at what is no file.
  file_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) {
    file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  }
  struct stat found{};
  Header header{};
  if (file_ < 0 || ::fstat(file_, &found) != 0 || !S_ISREG(found.st_mode) || found.st_uid != ::geteuid() ||
      (found.st_mode & (S_IWGRP | S_IWOTH)) != 0 || !read_all(file_, &header, sizeof(header), 0)) {
    return false;
  }
  const bool fits = header.magic == kMagic && header.version == kPackedVersion && header.order == kOrder &&
                    std::equal(key_.begin(), key_.end(), header.key.begin()) &&
                    header.header_checksum == header_sum(header) && header.size == found.st_size &&
                    header.pieces >= 0 && header.pieces <= kMostPieces && header.table >= kPage &&
                    header.table <= header.size && (header.size - header.table) / 8 == header.pieces;
  if (!fits) {
    return false;
  }
  sizes_.resize(static_cast<std::size_t>(header.pieces));
  if (!read_all(file_, sizes_.data(), sizes_.size() * 8, header.table)) {
    return false;
  }
  void* const at = ::mmap(nullptr, static_cast<std::size_t>(header.size), PROT_READ, MAP_SHARED, file_, 0);
  if (at == MAP_FAILED) {
    return false;
  }
  mappings_.push_back({at, static_cast<std::size_t>(header.size)});
  size_ = header.size;
  end_ = kPage;
  for (const std::int64_t size : sizes_) {
    const std::int64_t from = up_to(end_, kLine);
    if (size < 0 || size > header.table - from) {
      return false;
    }
    pieces_.push_back(static_cast<const std::uint8_t*>(at) + from);
    bytes_ += size;
    end_ = from + size;
  }
  const std::array<char, 40> boot = this_boot();
  if (header.boot != boot || boot[0] == 0) {
    if (checksum() != header.checksum) {
      return false;
    }
    // Whoever cannot write it checks again next time.
    static_cast<void>(write_all(file_, boot.data(), boot.size(), offsetof(Header, boot)));
  }
  ::futimens(file_, nullptr);  // the least recently used files are removed first
  filled_ = true;
  return true;
}

bool PackedFile::begin() {
  static std::atomic<int> made{0};
  beside_ = path_ + "." + std::to_string(::getpid()) + "." + std::to_string(made.fetch_add(1)) + ".new";
  ::unlink(beside_.c_str());
  file_ = ::open(beside_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file_ < 0) {
    beside_.clear();
    return false;
  }
  end_ = kPage;
  errno = reserve(file_, 0, kPage);
  return errno == 0;
}

void PackedFile::give_up(const std::string& what, int error) {
  problem_ = path_ + " " + what + " (" + std::strerror(error) + ")";
  if (!beside_.empty()) {
    ::unlink(beside_.c_str());
    beside_.clear();
  }
}

void* PackedFile::take(std::int64_t bytes) {
  if (bytes < 0 || bytes > kMostBytes) {
    throw std::bad_alloc();
  }
  if (filled_) {
    if (taken_ == sizes_.size() || sizes_[taken_] != bytes) {
      throw UnfitPackedFile(path_ + " has other weights than the encoder takes");
    }
    return const_cast<std::uint8_t*>(pieces_[taken_++]);  // nobody writes to what is filled
  }
  void* at = beside_.empty() ? nullptr : next_in_file(bytes);
  if (at == nullptr) {
    at = plain(bytes);
  }
  sizes_.push_back(bytes);
  pieces_.push_back(static_cast<const std::uint8_t*>(at));
  bytes_ += bytes;
  return at;
}

void* PackedFile::next_in_file(std::int64_t bytes) {
  const std::int64_t from = up_to(end_, kLine);
  const std::int64_t to = from + bytes;
  const std::int64_t first = from / kPage * kPage;
  if (const int error = reserve(file_, end_, std::max(to, end_ + 1)); error != 0) {
    give_up("cannot be written", error);
    return nullptr;
  }
  const auto size = static_cast<std::size_t>(std::max<std::int64_t>(to - first, 1));
  void* const at = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_, first);
  if (at == MAP_FAILED) {
    give_up("cannot be mapped", errno);
    return nullptr;
  }
  mappings_.push_back({at, size});
  end_ = to;
  return static_cast<std::uint8_t*>(at) + (from - first);
}

void* PackedFile::plain(std::int64_t bytes) {
  const std::int64_t needed = up_to(std::max<std::int64_t>(bytes, 1), kLine);
  if (needed > left_) {
    const std::int64_t block = up_to(std::max(needed, kLeastBlock), kPage);
    void* const at = ::mmap(nullptr, static_cast<std::size_t>(block), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
      throw std::bad_alloc();
    }
#if defined(MADV_HUGEPAGE)
    if (block >= kHugePage) {
      ::madvise(at, static_cast<std::size_t>(block), MADV_HUGEPAGE);
    }
#endif
    mappings_.push_back({at, static_cast<std::size_t>(block)});
    room_ = static_cast<std::uint8_t*>(at);
    left_ = block;
  }
  void* const at = room_;
  room_ += needed;
  left_ -= needed;
  return at;
}

std::uint64_t PackedFile::checksum() const {
  constexpr std::int64_t kBlock = std::int64_t{1} << 20;
  std::vector<std::pair<const std::uint8_t*, std::int64_t>> blocks;
  for (std::size_t i = 0; i < pieces_.size(); ++i) {
    for (std::int64_t at = 0; at < sizes_[i]; at += kBlock) {
      blocks.emplace_back(pieces_[i] + at, std::min(kBlock, sizes_[i] - at));
    }
  }
  std::vector<std::uint64_t> sums(blocks.size());
  run_on_team(team_threads(), 0, [&](Member& member) {
    member.loop(static_cast<std::int64_t>(blocks.size()), 4, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto& [data, bytes] = blocks[static_cast<std::size_t>(i)];
        sums[static_cast<std::size_t>(i)] = sum_of(data, bytes);
      }
    });
  });
  return sum_of(reinterpret_cast<const std::uint8_t*>(sums.data()),
                static_cast<std::int64_t>(sums.size() * sizeof(std::uint64_t)));
}

void PackedFile::keep() {
  if (filled_) {
    if (taken_ != sizes_.size()) {
      throw UnfitPackedFile(path_ + " has other weights than the encoder takes");
    }
    return;
  }
  if (!beside_.empty()) {
    write_end();
  }
  filled_ = true;
  taken_ = sizes_.size();
  for (const Mapping& mapping : mappings_) {
    ::mprotect(mapping.at, mapping.bytes, PROT_READ);
  }
}

void PackedFile::write_end() {
  Header header{};
  header.magic = kMagic;
  header.version = kPackedVersion;
  header.order = kOrder;
  std::copy(key_.begin(), key_.end(), header.key.begin());
  header.pieces = static_cast<std::int64_t>(sizes_.size());
  header.table = up_to(end_, 8);
  header.size = header.table + 8 * header.pieces;
  header.checksum = checksum();
  header.header_checksum = header_sum(header);
  header.boot = this_boot();
  if (!write_all(file_, sizes_.data(), sizes_.size() * 8, header.table) ||
      !write_all(file_, &header, sizeof(header), 0) || ::ftruncate(file_, header.size) != 0 ||
      ::rename(beside_.c_str(), path_.c_str()) != 0) {
    give_up("cannot be written", errno);
    return;
  }
  beside_.clear();
  size_ = header.size;
}

bool PackedFile::intact() const noexcept {
  struct stat found{};
  return size_ == 0 || (::fstat(file_, &found) == 0 && found.st_size >= size_);
}

}  // namespace bindrt::native
