// Rows of a PNG: its pixels are unpacked as they are stored, and put back row by row, while somebody has use
// for them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "csrc/png/file.h"
#include "csrc/png/library.h"

namespace bindrt::png {

// A file's rows from top to bottom. They lie in memory of the thread: one at a time on each.
class Rows {
 public:
  // `file` must stay until the end.
  explicit Rows(const File& file) noexcept;
  ~Rows();
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  // Unpacks all of them. False if the file is damaged, or there is no memory.
  bool unpack(const Library& library) noexcept;

  // The bytes of the next row, which stay; from the end of a row on, kReadable bytes more may be read. Null
  // if it is damaged. Not to be called after the last row.
  const std::uint8_t* next() noexcept;

  // Whether the rows that were not asked for are sound.
  bool finish() const noexcept;

  static constexpr std::size_t kReadable = 64;

 private:
  const File& file_;
  std::size_t pitch_;
  std::uint8_t* row_ = nullptr;  // the next one: the number of its filter, then its bytes
  std::int32_t left_;
};

// The grey values of a file that is grey, without its alpha: bytes, or 16-bit numbers where it has 16 bits.
// `out`: [file.height, file.width]. False if it is damaged, or has 16 bits and alpha.
bool read_grey(const Library& library, const File& file, void* out) noexcept;

}  // namespace bindrt::png
