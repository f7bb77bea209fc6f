// Rows of a PNG straight into the resize: its pixels are unpacked as they are stored, and put back row by
// row, while the resize has use for them. Whatever is unusual or damaged is left to Pillow.
#pragma once

#include <cstddef>
#include <cstdint>

#include "csrc/png/file.h"
#include "csrc/png/library.h"
#include "kernels/image/image.h"

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

// A file's bytes as the vision encoder's input, [3, frames, 224, 224] numbers of `type`. False, with `out`
// undefined, if the file has more pixels, is grey of 16 bits, unusual or damaged.
bool read_input(const Library& library, const std::uint8_t* data, std::size_t size, std::int64_t max_pixels,
                kernels::OutType type, void* out, std::int32_t frames = 1) noexcept;

// The grey values of a file that is grey, without its alpha: bytes, or 16-bit numbers where it has 16 bits.
// `out`: [file.height, file.width]. False if it is damaged, or has 16 bits and alpha.
bool read_grey(const Library& library, const File& file, void* out) noexcept;

}  // namespace bindrt::png
