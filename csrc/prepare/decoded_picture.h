// Pictures that a device makes into their encoder's input: their bytes go there, once for all frames.
#pragma once

#include <cstdint>

#include "csrc/prepare/left_bytes.h"
#include "csrc/prepare/prepare.h"
#include "kernels/image/image.h"

namespace bindrt::prepare {

// A picture whose rows are read once, to be left to a device. It gets the window of its square, or, if that
// is more than the view's float32 numbers in two frames, the square itself, resized here.
class DecodedRows {
 public:
  // Takes room for a picture of this size and layout, whose window is this.
  DecodedRows(std::int32_t width, std::int32_t height, kernels::PixelLayout layout,
              const kernels::ImageWindow& window, Slots& slots);

  bool has_room() const noexcept {
    return static_cast<bool>(memory_);
  }  // else the picture is to be prepared here
  bool read(kernels::RowSource& source) noexcept;  // all rows of the window; false if that failed
  // Leaves what was read to the device, in as many frames as the view has.
  void leave(const kernels::ByteScale& scale, Slots& slots);

 private:
  std::int32_t width_, height_;
  kernels::PixelLayout layout_;
  kernels::ImageWindow window_;
  std::int64_t row_bytes_;  // of the window
  bool resizes_;            // here
  LeftBytes memory_;
};

// False where there is no room for it.
bool leave_picture(const kernels::Picture& picture, const kernels::ByteScale& scale, Slots& slots);

// A picture without gaps between its rows that is on the device already; its `pixels` are not looked at.
bool leave_lent_picture(const kernels::Picture& picture, std::shared_ptr<const kernels::Lent> lent,
                        const kernels::ByteScale& scale, Slots& slots);

}  // namespace bindrt::prepare
