// Packed weights in a file that processes share: mapped where it is there, made where it is not.
//
// The file begins with a page of its own: a magic number, the version, the key, sizes, and a checksum of the
// weights. Then come the pieces that take() gave, each aligned to 64 bytes, and a table of their sizes. It is
// written under another name and then moved to its own, so several processes may make it at once.
//
// A file that was not written to the disk before the machine went down may hold zeros. So the checksum is
// looked at once after every start of the machine, by whoever opens the file first.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "csrc/native/encoder.h"

namespace bindrt::native {

// Raise it when the file, the order of pieces or the layout of packed weights changes.
inline constexpr std::uint32_t kPackedVersion = 1;
// A key has so many characters.
inline constexpr std::size_t kPackedKey = 64;

// The file holds other pieces than the encoder takes; it has to be made again.
class UnfitPackedFile : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class PackedFile final : public PackedStore {
 public:
  // The file at `path` if it is whole, has this key, and belongs to this user; otherwise one that is being
  // made. An empty path: plain memory. Throws std::bad_alloc.
  static std::shared_ptr<PackedFile> open(const std::string& path, const std::string& key);
  // As open, but never what is there.
  static std::shared_ptr<PackedFile> make(const std::string& path, const std::string& key);
  ~PackedFile() override;
  PackedFile(const PackedFile&) = delete;
  PackedFile& operator=(const PackedFile&) = delete;

  void* take(std::int64_t bytes) override;
  bool filled() const override { return filled_; }

  // After the last take(), with everything written: gives a file that was made its name. From then on its
  // memory is read-only. Throws UnfitPackedFile if a file that was there has more pieces than were taken.
  void keep();

  // Whether the file still has all its bytes; to read those that were cut off ends the process.
  bool intact() const noexcept;
  std::int64_t bytes() const noexcept { return bytes_; }
  // Why the weights are in plain memory; empty if they are in a file, or no file was asked for.
  const std::string& problem() const noexcept { return problem_; }

 private:
  struct Mapping {
    void* at;
    std::size_t bytes;
  };

  PackedFile(std::string path, std::string key);
  bool map_existing();
  bool begin();
  void* next_in_file(std::int64_t bytes);
  void* plain(std::int64_t bytes);
  void give_up(const std::string& what, int error);
  std::uint64_t checksum() const;
  void write_end();

  const std::string path_;
  const std::string key_;
  std::string beside_;  // the name it is written under; empty when there is no such file
  std::string problem_;
  int file_ = -1;
  bool filled_ = false;
  std::int64_t end_ = 0;   // of the file's pieces
  std::int64_t size_ = 0;  // of the whole file, once it is whole
  std::int64_t bytes_ = 0;
  std::size_t taken_ = 0;
  std::vector<std::int64_t> sizes_;
  std::vector<const std::uint8_t*> pieces_;
  std::vector<Mapping> mappings_;
  std::uint8_t* room_ = nullptr;  // what is left of the last block of plain memory
  std::int64_t left_ = 0;
};

}  // namespace bindrt::native
